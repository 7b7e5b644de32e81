//! How much memory a command had at most.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::output::Collected;

const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// A command that has ended.
#[derive(Debug)]
pub struct Peaked {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The answer.
    pub stdout: String,
    /// The talk.
    pub stderr: String,
    /// The most resident memory, in bytes.
    pub most_bytes: u64,
}

/// Runs a command to its end.
///
/// Its memory is looked at while it runs: what `wait4` says afterwards counts what this process had when it started it.
///
/// # Panics
/// When it does not start.
pub fn run(mut command: Command) -> Peaked {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let stdout = Collected::from(child.stdout.take().expect("it is piped"));
    let stderr = Collected::from(child.stderr.take().expect("it is piped"));
    let mut most_bytes = 0;
    let status = loop {
        most_bytes = peak(child.id()).unwrap_or(0).max(most_bytes);
        match child.try_wait().expect("a child of ours") {
            Some(status) => break status,
            None => std::thread::sleep(BETWEEN_LOOKS),
        }
    };
    Peaked { code: status.code(), stdout: stdout.whole(), stderr: stderr.whole(), most_bytes }
}

/// The highest so far; `None` when it has ended.
fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
