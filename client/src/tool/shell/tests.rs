use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::clock::SystemClock;
use crate::tool::output::{Budget, MOST_KEPT, Told};

/// Long enough for a machine that is busy with other things.
const AMPLE: Duration = Duration::from_secs(60);

/// Stops the command as soon as it has printed what is waited for.
struct Watching {
    stops_at: Option<&'static str>,
    seen: Vec<u8>,
    looks: Cell<u32>,
}

impl Watching {
    fn stops_at(text: Option<&'static str>) -> Self {
        Self { stops_at: text, seen: Vec::new(), looks: Cell::new(0) }
    }
}

impl Onlooker for Watching {
    fn printed(&mut self, bytes: &[u8]) {
        // Bounded: of a long output only the beginning is looked at.
        let room = 4096_usize.saturating_sub(self.seen.len());
        self.seen.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn wants_stop(&self) -> bool {
        self.looks.set(self.looks.get() + 1);
        let stops_at = |text: &str| String::from_utf8_lossy(&self.seen).contains(text);
        self.stops_at.is_some_and(stops_at)
    }
}

struct Workspace(TempDir);

impl Workspace {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn run(&self, text: &str, timeout: Duration, stops_at: Option<&'static str>) -> Ran {
        let script = Script { text, directory: self.0.path(), timeout };
        run(&script, &SystemClock::start(), &mut Watching::stops_at(stops_at)).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Whether the process that wrote its number into the file is still there, and no zombie.
    fn is_alive(&self, file: &str) -> bool {
        let pid = fs::read_to_string(self.path(file)).unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    }
}

fn whole(ran: &Ran) -> String {
    match ran.output.told(Budget::default()) {
        Told::Whole(text) => text,
        Told::Cut { text, .. } => panic!("cut: {text}"),
    }
}

#[test]
fn a_command_runs_in_its_directory_and_both_its_streams_are_one() {
    let workspace = Workspace::new();
    let ran = workspace.run("pwd; echo one; echo two >&2; exit 3", AMPLE, None);
    let directory = workspace.0.path().canonicalize().unwrap();
    assert_eq!(ran.ended, Ended::Exited(3));
    assert_eq!(whole(&ran), format!("{}\none\ntwo\n", directory.display()));
}

#[test]
fn a_command_cannot_read_what_the_person_types_and_gets_no_secret() {
    let ran = Workspace::new().run("cat; echo end; echo $TERM", AMPLE, None);
    assert_eq!(whole(&ran), "end\ndumb\n");
}

#[test]
fn a_command_that_ends_by_a_signal_says_which() {
    assert_eq!(Workspace::new().run("kill -TERM $$", AMPLE, None).ended, Ended::Signalled(15));
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let script = Script { text: "true", directory: Path::new("/nowhere/at/all"), timeout: AMPLE };
    assert!(run(&script, &SystemClock::start(), &mut Watching::stops_at(None)).is_err());
}

#[test]
fn a_command_that_takes_too_long_is_ended() {
    let ran = Workspace::new().run("echo begun; sleep 600", Duration::from_millis(300), None);
    assert_eq!(ran.ended, Ended::TimedOut);
    assert!(ran.took < AMPLE);
}

#[test]
fn a_command_that_the_person_stops_is_ended_and_keeps_what_it_printed() {
    let ran = Workspace::new().run("echo begun; sleep 600", AMPLE, Some("begun"));
    assert_eq!((ran.ended, whole(&ran).as_str()), (Ended::Stopped, "begun\n"));
}

#[test]
fn nothing_that_it_started_is_left_however_it_hides() {
    let hidings = [
        ("a child", "(echo $$ > $F; exec sleep 600) & "),
        ("in a session of its own", "setsid sh -c 'echo $$ > $F; exec sleep 600' & "),
        ("without a parent", "(setsid sh -c 'echo $$ > $F; exec sleep 600' & ) ; "),
        ("deaf to signals", "sh -c 'trap \"\" TERM HUP INT; echo $$ > $F; sleep 600; sleep 600' & "),
        ("under nohup", "nohup sh -c 'echo $$ > $F; exec sleep 600' >/dev/null 2>&1 & "),
        ("without the mark, by its parent", "env -u SCORPIOX_COMMAND setsid sh -c 'echo $$ > $F; exec sleep 600' & "),
    ];
    for (name, hiding) in hidings {
        // Each is waited for until it runs; then the command ends by itself, is stopped, or takes too long.
        let begin = format!("F=pid; export F; {hiding} while ! [ -s pid ]; do sleep 0.01; done; echo ready;");
        let workspace = Workspace::new();
        // A parent that has ended is no way to find a child any more.
        if !name.contains("by its parent") {
            assert_eq!(workspace.run(&begin, AMPLE, None).ended, Ended::Exited(0), "{name}");
            assert!(!workspace.is_alive("pid"), "{name}: left by a command that ended");
        }
        fs::remove_file(workspace.path("pid")).unwrap_or_default();
        assert_eq!(workspace.run(&format!("{begin} sleep 600"), AMPLE, Some("ready")).ended, Ended::Stopped, "{name}");
        assert!(!workspace.is_alive("pid"), "{name}: left by a command that was stopped");
    }
}

#[test]
fn a_process_that_holds_the_output_open_holds_nothing_up() {
    let ran = Workspace::new().run("sleep 600 & echo done", AMPLE, None);
    assert_eq!((ran.ended, whole(&ran).as_str()), (Ended::Exited(0), "done\n"));
    assert!(ran.took < AMPLE);
}

#[test]
fn an_endless_output_is_cut_and_stopped() {
    let ran = Workspace::new().run("echo first; yes", Duration::from_millis(500), None);
    assert_eq!(ran.ended, Ended::TimedOut);
    let Told::Cut { text, .. } = ran.output.told(Budget::default()) else { panic!("not cut") };
    assert!(text.starts_with("first\ny\ny\n"));
    assert!(text.len() < MOST_KEPT);
}

#[test]
fn a_binary_output_harms_nothing() {
    let ran = Workspace::new().run("head -c 100000 /dev/urandom; echo; echo end", AMPLE, None);
    let Told::Cut { text, .. } = ran.output.told(Budget::default()) else { panic!("not cut") };
    assert!(text.ends_with("\nend\n"));
}

#[test]
fn it_is_looked_often_whether_to_stop() {
    let script = Script { text: "sleep 0.5", directory: Path::new("/"), timeout: AMPLE };
    let mut watching = Watching::stops_at(None);
    run(&script, &SystemClock::start(), &mut watching).unwrap();
    assert!(watching.looks.get() >= 3, "{}", watching.looks.get());
}
