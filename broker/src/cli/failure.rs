//! What a command can end with other than well, and the exit code that goes with it.

use std::fmt;
use std::io;

use scorpiox_wire::{Code, Problem};

use crate::admin_client::AdminError;

/// The exit codes, for `--help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the operation failed or was refused
  2    the command line is wrong
  69   the broker is not running
  75   try again later: busy, backing off, too soon, or no answer
  77   not allowed: the permissions of the socket or of a file
  78   the configuration is wrong
  130  interrupted";

/// An exit code other than 0; most are those of `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Failed = 1,
    Usage = 2,
    NotRunning = 69,
    Later = 75,
    NotAllowed = 77,
    Configuration = 78,
    Interrupted = 130,
}

/// Why a command ends early.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is told on stderr.
    Told { exit: Exit, problem: Problem },
    /// Whoever read stdout has seen enough: nothing is told, and that is no error.
    ClosedPipe,
}

impl Failure {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        let code = match exit {
            Exit::Failed | Exit::Interrupted => Code::Conflict,
            Exit::Usage | Exit::Configuration => Code::BadRequest,
            Exit::NotRunning | Exit::Later => Code::Unavailable,
            Exit::NotAllowed => Code::Forbidden,
        };
        Self::Told { exit, problem: Problem::new(code, message) }
    }

    /// The same with the next step.
    pub(super) fn next(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Told { exit, problem } => Self::Told { exit, problem: problem.with_hint(hint) },
            Self::ClosedPipe => Self::ClosedPipe,
        }
    }

    /// Something about a file of this machine.
    pub(super) fn of_file(path: &std::path::Path, error: &io::Error) -> Self {
        let exit = match error.kind() {
            io::ErrorKind::PermissionDenied => Exit::NotAllowed,
            _ => Exit::Failed,
        };
        Self::new(exit, format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told { problem, .. } => problem.fmt(f),
            Self::ClosedPipe => f.write_str("standard output is closed"),
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::from(AdminError::Refused { status: problem.code.status(), problem })
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        let passes = error.passes();
        let text = error.to_string();
        match error {
            AdminError::NotRunning { .. } => Self::new(Exit::NotRunning, text)
                .next("start one with 'scorpiox-broker up', or name a running one's directory with --data DIR"),
            AdminError::Unreachable { .. } => Self::new(Exit::NotRunning, text)
                .next("compare the URL and --pin with what 'admin key add' printed on the broker's machine"),
            AdminError::NotAllowed(_) => Self::new(Exit::NotAllowed, text)
                .next("run this as the broker's own user or as root, or let a group in: [admin] socket_group"),
            AdminError::Silent => Self::new(Exit::Later, text).next("look with: scorpiox-broker status"),
            AdminError::Lost(_) => Self::new(Exit::Failed, text).next("look with: scorpiox-broker status"),
            AdminError::Strange { .. } => Self::new(Exit::Failed, text)
                .next("compare 'scorpiox-broker --version' with the version of the running broker"),
            AdminError::Refused { problem, .. } => {
                let exit = match problem.code {
                    _ if passes => Exit::Later,
                    Code::Unauthorized | Code::Forbidden => Exit::NotAllowed,
                    _ => Exit::Failed,
                };
                Self::Told { exit, problem }
            }
        }
    }
}

impl From<io::Error> for Failure {
    /// From writing to stdout.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::new(Exit::Failed, format!("cannot write to standard output: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_of_the_broker_has_its_exit_code() {
        for code in Code::ALL {
            let expected = match code {
                Code::TooSoon
                | Code::BackingOff
                | Code::Busy
                | Code::AuditUnavailable
                | Code::Unavailable
                | Code::TooMany
                | Code::RequestTimeout => Exit::Later,
                Code::Unauthorized | Code::Forbidden => Exit::NotAllowed,
                _ => Exit::Failed,
            };
            match Failure::from(Problem::new(*code, "m")) {
                Failure::Told { exit, .. } => assert_eq!(exit, expected, "{code}"),
                Failure::ClosedPipe => panic!("{code}"),
            }
        }
    }

    #[test]
    fn every_exit_code_is_documented() {
        for exit in [
            Exit::Failed,
            Exit::Usage,
            Exit::NotRunning,
            Exit::Later,
            Exit::NotAllowed,
            Exit::Configuration,
            Exit::Interrupted,
        ] {
            let line = format!("\n  {:<5}", exit as u8);
            assert!(EXIT_CODES.contains(&line), "{exit:?}");
        }
    }
}
