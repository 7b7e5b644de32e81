//! A notice given to a program: JSON on its standard input, nothing of our environment, ten seconds, its whole group.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::Notice;

const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// A program with its arguments.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<String>,
}

impl Program {
    /// `None` when nothing is named.
    pub fn new(command: &[String]) -> Option<Self> {
        let (path, arguments) = command.split_first()?;
        Some(Self { path: path.into(), arguments: arguments.to_vec() })
    }

    /// Its path, for people: the arguments may hold something that is nobody's business.
    pub fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// Runs it within `limit`; blocks. Only exit code 0 means that the notice was taken.
    pub fn deliver(&self, notice: &Notice, limit: Duration) -> Result<(), String> {
        let mut child = self.start().map_err(|error| format!("{} cannot be started: {error}", self.path()))?;
        let ended = hand_over(&mut child, notice, limit);
        // Whatever it left behind ends with it.
        if let Some(group) = group_of(&child) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let status = child.wait().map_err(|error| format!("{}: {error}", self.path()))?;
        match ended {
            Ended::Itself if status.success() => Ok(()),
            Ended::Itself => Err(format!("{} ended with {}", self.path(), in_words(status))),
            Ended::Late => Err(format!("{} did not end within {} s", self.path(), limit.as_secs())),
            Ended::Failed(why) => Err(format!("{}: {why}", self.path())),
        }
    }

    fn start(&self) -> std::io::Result<Child> {
        Command::new(&self.path)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
    }
}

enum Ended {
    Itself,
    Late,
    Failed(String),
}

/// A notice is smaller than the buffer of a pipe, so that writing it never waits for the program.
fn hand_over(child: &mut Child, notice: &Notice, limit: Duration) -> Ended {
    if let Some(mut input) = child.stdin.take() {
        // One that does not read may still have done its work: its exit code tells.
        let _ = input.write_all(notice.body.as_bytes());
    }
    let Some(pid) = group_of(child) else { return Ended::Failed("it has no process id".to_owned()) };
    // It is looked at and not collected: until its group was ended, nobody else may get its number.
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    for _ in 0..=limit.as_millis() / BETWEEN_LOOKS.as_millis() {
        match waitid(WaitId::Pid(pid), look) {
            Ok(Some(_)) => return Ended::Itself,
            Ok(None) => std::thread::sleep(BETWEEN_LOOKS),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Ended::Failed(error.to_string()),
        }
    }
    Ended::Late
}

/// It leads a group of its own.
fn group_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn in_words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown status".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clock::Timestamp;

    const LIMIT: Duration = Duration::from_secs(10);

    fn shell(script: &str, argument: &Path) -> Program {
        let argument = argument.to_str().unwrap().to_owned();
        Program::new(&["/bin/sh".into(), "-c".into(), script.into(), "sh".into(), argument]).unwrap()
    }

    fn notice() -> Notice {
        Notice::kept("msg_1".into(), Timestamp::from_unix(0), r#"{"a":1}"#.into())
    }

    #[test]
    fn a_program_gets_the_notice_and_nothing_of_our_environment() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("taken");
        let program = shell(r#"cat > "$1"; env >> "$1""#, &file);
        assert_eq!(program.deliver(&notice(), LIMIT), Ok(()));
        let taken = std::fs::read_to_string(&file).unwrap();
        assert!(taken.starts_with(r#"{"a":1}"#), "{taken}");
        assert!(!taken.contains("HOME=") && !taken.contains("CARGO"), "{taken}");
    }

    #[test]
    fn a_program_that_fails_has_not_taken_it() {
        let nowhere = Path::new("/");
        let failed = shell("exit 3", nowhere).deliver(&notice(), LIMIT);
        assert_eq!(failed, Err("/bin/sh ended with exit code 3".into()));
        let missing = Program::new(&["/nowhere/at-all".into()]).unwrap().deliver(&notice(), LIMIT);
        assert!(missing.unwrap_err().contains("cannot be started"));
        assert!(Program::new(&[]).is_none());
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_all_that_it_started() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("child");
        let program = shell(r#"sleep 1000 & echo $! > "$1"; wait"#, &file);
        // A machine with much to do may need longer to start them.
        let text = [1, 4, 16].into_iter().find_map(|seconds| {
            let late = program.deliver(&notice(), Duration::from_secs(seconds)).unwrap_err();
            assert!(late.contains("did not end within"), "{late}");
            std::fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n'))
        });
        let child: i32 = text.expect("it started its child").trim().parse().unwrap();
        // It was told to end; it may take a moment, and stay as a dead process until somebody collects it.
        let lives = || std::fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        let gone = (0..2_000).any(|_| {
            std::thread::sleep(BETWEEN_LOOKS);
            !lives()
        });
        assert!(gone, "the program's own child lives on");
    }
}
