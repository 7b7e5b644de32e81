//! A second call by the same parent as a refusal of what the first one got.
//!
//! The stock Codex CLI cannot say "refused": after a 401 it just runs its token command again. It also does so on
//! schedule, every `refresh_interval_ms` (five minutes by default). So a call that comes sooner than the interval
//! means a refusal; one that comes at the interval or later does not.

use std::path::Path;
use std::time::Duration;

use scorpiox_wire::TokenTag;

use super::SourceName;
use super::chain::{Given, Wanted};
use crate::state_directory::StateDirectory;

/// The stock CLI's default `refresh_interval_ms`.
pub const USUAL_INTERVAL: Duration = Duration::from_secs(300);
/// Parents that are remembered; beyond this any of them is forgotten, which costs it one unnoticed refusal.
const MOST_PARENTS: usize = 64;

/// The process that runs us: its id and when it started, so that an id that is used again is another parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    pid: i32,
    started: String,
}

impl Parent {
    /// Our parent, or `None` when it has gone (or cannot be told from another).
    pub fn current() -> Option<Self> {
        // Process 1 counts too: in a container that is often the stock client itself.
        Self::of(rustix::process::getppid()?.as_raw_nonzero().get())
    }

    fn of(pid: i32) -> Option<Self> {
        Some(Self { pid, started: started(pid)? })
    }

    fn is_running(&self) -> bool {
        started(self.pid).as_ref() == Some(&self.started)
    }
}

/// When a process started: any text that differs between two processes with the same id.
fn started(pid: i32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() {
        return started_in_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?);
    }
    // Without /proc (macOS) the system's own tool is the only way that needs no unsafe code. It costs a few
    // milliseconds, and only who asks for this mode pays them.
    let output = std::process::Command::new("/bin/ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text: String = String::from_utf8(output.stdout).ok()?.chars().filter(char::is_ascii_alphanumeric).collect();
    (!text.is_empty()).then_some(text)
}

/// Field 22 of `/proc/PID/stat`, in clock ticks since boot (proc(5)). The second field is the program's name in
/// parentheses, in which anything may stand, so the fields are counted from its end.
fn started_in_stat(stat: &str) -> Option<String> {
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_ascii_whitespace().nth(22 - 3).map(str::to_owned)
}

/// What a parent was given last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Remembered {
    source: SourceName,
    tag: TokenTag,
    at_ms: i64,
}

/// What the parents of commands with one list of sources were given: one small file each.
#[derive(Debug)]
pub struct Repeats<'a> {
    state: &'a StateDirectory,
    prefix: String,
}

impl<'a> Repeats<'a> {
    /// The parents in this directory. `list` names the list and what each of its sources is set to.
    pub fn new(state: &'a StateDirectory, list: &str) -> Self {
        Self { state, prefix: format!("{list}.parent-") }
    }

    /// What a call means that began at `began_ms`.
    pub fn meaning(&self, parent: &Parent, interval: Duration, began_ms: i64) -> Wanted {
        match self.given(parent) {
            Some(given) if is_refusal(given.at_ms, began_ms, interval) => {
                Wanted::OtherThan(Given { source: given.source, tag: Some(given.tag) })
            }
            Some(_) | None => Wanted::Current,
        }
    }

    /// Remembers what the parent was given. A parent's first call also forgets parents that have ended.
    /// A token without a name cannot be refused this way, so it is not remembered.
    pub fn remember(&self, parent: &Parent, given: &Given, now_ms: i64) -> std::io::Result<()> {
        let Some(tag) = &given.tag else { return Ok(()) };
        let own = self.name(parent);
        if self.state.read(&own).is_none() {
            self.forget_others()?;
        }
        self.state.replace(&own, format!("{} {tag} {now_ms}", given.source).as_bytes())
    }

    fn forget_others(&self) -> std::io::Result<()> {
        let names = self.state.names(&self.prefix);
        let (running, ended): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| self.is_of_a_running_parent(name));
        let too_many = (running.len() + 1).saturating_sub(MOST_PARENTS);
        ended.iter().chain(&running[..too_many]).try_for_each(|name| self.state.remove(name))
    }

    fn given(&self, parent: &Parent) -> Option<Remembered> {
        let bytes = self.state.read(&self.name(parent))?;
        let mut words = std::str::from_utf8(&bytes).ok()?.split(' ');
        let (source, tag, at_ms) = (words.next()?, words.next()?, words.next()?);
        let source = SourceName::ALL.iter().copied().find(|known| known.as_str() == source)?;
        Some(Remembered { source, tag: tag.parse().ok()?, at_ms: at_ms.parse().ok()? })
    }

    fn name(&self, parent: &Parent) -> String {
        format!("{}{}-{}", self.prefix, parent.pid, parent.started)
    }

    /// False for anything that is not the name of such a file, so that what a killed process left goes too.
    fn is_of_a_running_parent(&self, name: &str) -> bool {
        let parent = name.strip_prefix(&self.prefix).and_then(|rest| rest.split_once('-'));
        let parent =
            parent.and_then(|(pid, started)| Some(Parent { pid: pid.parse().ok()?, started: started.to_owned() }));
        parent.is_some_and(|parent| parent.is_running())
    }
}

/// A call that began before the last one had its token is no answer to that token: two threads of one parent asked at
/// once. One that comes at the interval, or so little before it that clocks may differ, is the schedule's.
fn is_refusal(given_ms: i64, began_ms: i64, interval: Duration) -> bool {
    let interval_ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
    let margin_ms = interval_ms / 30;
    let since_ms = began_ms.saturating_sub(given_ms);
    since_ms > 0 && since_ms < interval_ms - margin_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn tag(generation: u64) -> TokenTag {
        TokenTag { credential: "c1".into(), generation }
    }

    fn given(generation: u64) -> Given {
        Given { source: SourceName::Remote, tag: Some(tag(generation)) }
    }

    fn directory() -> (tempfile::TempDir, StateDirectory) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDirectory::new(Some(dir.path().join("s")));
        (dir, state)
    }

    #[test]
    fn the_start_time_is_found_behind_any_program_name() {
        let tail = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        for name in ["sh", "a b", "a) S 1 (b", ""] {
            assert_eq!(started_in_stat(&format!("42 ({name}) {tail}")).as_deref(), Some("4711"), "{name}");
        }
        assert_eq!(started_in_stat("42 (sh) S"), None);
        assert!(Parent::current().is_some_and(|parent| parent.is_running()));
    }

    #[test]
    fn sooner_than_the_interval_is_a_refusal_and_on_schedule_is_none() {
        let five_minutes = USUAL_INTERVAL;
        for (since_ms, refusal) in
            [(-5_000, false), (0, false), (1, true), (20, true), (289_000, true), (290_000, false), (300_000, false)]
        {
            assert_eq!(is_refusal(NOW, NOW + since_ms, five_minutes), refusal, "{since_ms}");
        }
    }

    #[test]
    fn only_the_same_parent_refuses() {
        let (_dir, state) = directory();
        let repeats = Repeats::new(&state, "list-1");
        let me = Parent::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let reborn = Parent { started: "1".into(), ..me.clone() };
        let meaning = |parent: &Parent| repeats.meaning(parent, USUAL_INTERVAL, NOW + 1_000);
        assert_eq!(meaning(&me), Wanted::Current);
        repeats.remember(&me, &given(7), NOW).unwrap();
        assert_eq!(meaning(&me), Wanted::OtherThan(given(7)));
        assert_eq!(meaning(&reborn), Wanted::Current);
        repeats.remember(&me, &given(8), NOW + 500).unwrap();
        assert_eq!(meaning(&me), Wanted::OtherThan(given(8)));
    }

    #[test]
    fn parents_that_have_ended_are_forgotten() {
        let (_dir, state) = directory();
        let repeats = Repeats::new(&state, "list-1");
        let me = Parent::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        for started in 0..3 {
            repeats.remember(&Parent { started: started.to_string(), ..me.clone() }, &given(1), NOW).unwrap();
        }
        state.replace(&format!("{}left-behind", repeats.prefix), b"").unwrap();
        repeats.remember(&me, &given(7), NOW).unwrap();
        assert_eq!(state.names(&repeats.prefix), [repeats.name(&me)]);
    }
}
