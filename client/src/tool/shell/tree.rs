//! All processes that a command has started, however they are related to it now.
//!
//! Known by their parents, by the process group and session of the command, and by a mark in their environment, which
//! `setsid`, `nohup` and double forks keep. What clears its environment and leaves its session and its parents can only
//! be held by a process namespace.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::clock::Clock;

/// The variable that marks the processes of a command.
pub const MARK: &str = "SCORPIOX_COMMAND";

/// How long is tried to end them all.
const PATIENCE: Duration = Duration::from_secs(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// The processes of one command. The command itself must not have been reaped: then its number could be another's.
#[derive(Debug)]
pub struct Tree {
    root: i32,
    /// As it stands in an environment.
    mark: Vec<u8>,
}

/// A process, as the kernel tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    session: i32,
    life: Life,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Alive,
    /// Ended, and waits to be reaped.
    Ended,
}

impl Tree {
    /// Of the command that leads its own process group, with this mark in its environment.
    pub fn of(root: u32, mark: &str) -> Self {
        let root = i32::try_from(root).expect("a process number is a positive C int");
        Self { root, mark: format!("{MARK}={mark}").into_bytes() }
    }

    /// Ends them all, those too that come up meanwhile.
    pub fn end(&self, clock: &dyn Clock) {
        let deadline = clock.elapsed() + PATIENCE;
        loop {
            let members = self.members();
            if members.is_empty() || clock.elapsed() >= deadline {
                return;
            }
            self.kill(&members);
            clock.pause(BETWEEN_LOOKS);
        }
    }

    fn kill(&self, members: &[i32]) {
        let held = members.iter().filter_map(|pid| {
            let held = pidfd_open(Pid::from_raw(*pid)?, PidfdFlags::empty()).ok()?;
            Some((*pid, held))
        });
        let held: Vec<(i32, OwnedFd)> = held.collect();
        // Looked at once more, now that a number that is held cannot become another's.
        let members = self.members();
        for (_, process) in held.iter().filter(|(pid, _)| members.contains(pid)) {
            // It may have ended by itself.
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
    }

    /// Those that are alive.
    fn members(&self) -> Vec<i32> {
        let all = processes();
        let own =
            |process: &&Process| process.group == self.root || process.session == self.root || self.marks(process.pid);
        let mut members: HashSet<i32> = all.iter().filter(own).map(|process| process.pid).collect();
        loop {
            let before = members.len();
            let children = all.iter().filter(|process| members.contains(&process.parent)).map(|process| process.pid);
            let children: Vec<i32> = children.collect();
            members.extend(children);
            if members.len() == before {
                break;
            }
        }
        let alive = all.iter().filter(|process| process.life == Life::Alive && members.contains(&process.pid));
        alive.map(|process| process.pid).collect()
    }

    fn marks(&self, pid: i32) -> bool {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == self.mark)
    }
}

fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    numbers.filter_map(|pid| process(pid).ok()).collect()
}

fn process(pid: i32) -> io::Result<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    parse(pid, &stat).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// `7 (name) S 1 7 7 …`; the name may hold anything.
fn parse(pid: i32, stat: &str) -> Option<Process> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let life = match fields.next()? {
        "Z" | "X" | "x" => Life::Ended,
        _ => Life::Alive,
    };
    let mut number = || fields.next()?.parse().ok();
    Some(Process { pid, parent: number()?, group: number()?, session: number()?, life })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let process = |life| Some(Process { pid: 7, parent: 1, group: 5, session: 3, life });
        assert_eq!(parse(7, "7 (sh) S 1 5 3 0 -1 0"), process(Life::Alive));
        assert_eq!(parse(7, "7 (a) Z 9) 1 (b) R 1 5 3 0"), process(Life::Alive));
        assert_eq!(parse(7, "7 (sh) Z 1 5 3 0"), process(Life::Ended));
        for broken in ["", "7 (sh)", "7 (sh) S 1 5", "7 (sh) S x 5 3"] {
            assert_eq!(parse(7, broken), None, "{broken:?}");
        }
    }
}
