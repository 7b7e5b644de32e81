//! The processes that descend from this one, by `/proc`.

use std::fs;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};

/// Between two looks at what is left.
const PAUSE: Duration = Duration::from_millis(5);
/// After so many looks what is left cannot be ended by this user.
const LOOKS: u32 = 400;

/// How many there are.
pub(super) fn count() -> usize {
    of(getpid()).len()
}

/// Ends all of them. Those whose parents have ended are this process's children: it must be a subreaper.
pub(super) fn end() {
    for _ in 0..LOOKS {
        for process in of(getpid()) {
            let _ = kill_process(process, Signal::KILL);
        }
        if !reap() {
            return;
        }
        thread::sleep(PAUSE);
    }
}

/// Takes note of the ends of children; `false` when there are none left, dead or alive.
fn reap() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

fn of(root: Pid) -> Vec<Pid> {
    let all = processes();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(all.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        next += 1;
    }
    found.split_off(1)
}

/// Every process with its parent.
fn processes() -> Vec<(Pid, Pid)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter_map(|number| {
            let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
            Some((Pid::from_raw(number)?, parent(&stat)?))
        })
        .collect()
}

/// The parent in the text of a `stat` file: `PID (NAME) STATE PARENT …`, where the name may hold anything.
fn parent(stat: &str) -> Option<Pid> {
    let after_name = &stat[stat.rfind(')')? + 1..];
    Pid::from_raw(after_name.split_ascii_whitespace().nth(1)?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_a_parent() {
        let parents = [("7 (sh) S 3 7 7 0", Some(3)), ("7 (a) S 1 (b) R 4 7", Some(4)), ("7 (sh) S", None), ("", None)];
        for (stat, expected) in parents {
            assert_eq!(parent(stat).map(|pid| pid.as_raw_nonzero().get()), expected, "{stat}");
        }
    }
}
