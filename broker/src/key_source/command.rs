//! A command that prints the master key: it sees nothing of the broker, has a time, and may print a little.

use std::io::{self, Read};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use zeroize::Zeroizing;

use super::LARGEST;

/// A key service that has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Enough of what it complains about to find the fault.
const COMPLAINT: u64 = 500;

/// Why a command gave no key. What it printed is never repeated, except what it said on its standard error.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started.
    #[error("the master key's command {program} cannot be started: {source}")]
    Start {
        /// Which.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It, or what it started, did not end in time; it was killed.
    #[error("the master key's command {program} did not end and close its output within {} s and was killed", PATIENCE.as_secs())]
    TooSlow {
        /// Which.
        program: String,
    },
    /// It printed more than any key has.
    #[error("the master key's command {program} printed more than {LARGEST} bytes: that is no key")]
    TooMuch {
        /// Which.
        program: String,
    },
    /// It said that it failed.
    #[error("the master key's command {program} failed ({how}){said}")]
    Failed {
        /// Which.
        program: String,
        /// Its exit code or signal.
        how: String,
        /// The beginning of its standard error.
        said: String,
    },
}

/// What it printed until it ended and nobody held its pipes any more.
struct Ended {
    printed: Zeroizing<Vec<u8>>,
    said: Vec<u8>,
}

/// Runs the command and returns what it printed.
pub(super) fn ask(words: &[String]) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    ask_within(words, PATIENCE)
}

pub(super) fn ask_within(words: &[String], patience: Duration) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let (program, arguments) = words.split_first().expect("the configuration names a program");
    let program = program.clone();
    let spawned = Command::new(&program)
        .args(arguments)
        // Nothing of ours: neither settings nor whatever else stands in a service's environment.
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that what it started ends with it.
        .process_group(0)
        .spawn();
    let mut child = spawned.map_err(|source| CommandError::Start { program: program.clone(), source })?;
    let group = Pid::from_child(&child);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (sender, ended) = mpsc::channel();
    // Never joined: what the command started may have left its group and hold the pipes open for as long as it likes.
    thread::spawn(move || drop(sender.send(attend(group, stdout, stderr))));
    let Ok(ended) = ended.recv_timeout(patience) else {
        // Not reaped yet: the number still means this command.
        let _ = kill_process_group(group, Signal::KILL);
        thread::spawn(move || drop(child.wait()));
        return Err(CommandError::TooSlow { program });
    };
    let status = child.wait();
    if ended.printed.len() as u64 > LARGEST {
        return Err(CommandError::TooMuch { program });
    }
    let how = match status {
        Ok(status) if status.success() => return Ok(ended.printed),
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, signal) => format!("signal {}", signal.unwrap_or_default()),
        },
        Err(error) => error.to_string(),
    };
    Err(CommandError::Failed { program, how, said: complaint(&ended.said) })
}

/// Reads both ends and waits, but leaves the command to be reaped. More than is allowed ends it: its pipe breaks.
fn attend(command: Pid, stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) -> Ended {
    let complaining = thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = (&mut stderr).take(COMPLAINT).read_to_end(&mut said);
            // The rest is read and forgotten, so that it need not wait for a reader.
            let _ = io::copy(&mut stderr, &mut io::sink());
        }
        said
    });
    let mut printed = Zeroizing::new(Vec::with_capacity(LARGEST as usize + 1));
    if let Some(stdout) = stdout {
        let _ = stdout.take(LARGEST + 1).read_to_end(&mut printed);
    }
    let said = complaining.join().unwrap_or_default();
    while let Err(Errno::INTR) = waitid(WaitId::Pid(command), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {}
    Ended { printed, said }
}

fn complaint(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let line: String = text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    if line.is_empty() { String::new() } else { format!(": {line}") }
}
