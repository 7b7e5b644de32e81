//! What `sx` and its launcher say to each other: one JSON line each way over the launcher's standard input, a socket.
//! When `sx` closes its end or dies, however it dies, the launcher ends everything that it started.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::policy::{Limits, Policy};

/// The longest line, in bytes: a command line with a script in it.
const LONGEST_LINE: u64 = 4 << 20;

/// What is to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it runs.
    pub directory: PathBuf,
    /// A file that becomes its standard input; without one that is empty.
    pub input: Option<PathBuf>,
    /// What holds it.
    pub boundary: Boundary,
    /// When it is ended, counted from its start; not before its time when `None`.
    pub timeout_ms: Option<u64>,
}

/// What holds a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// A policy, and how it is enforced.
    Sandbox {
        /// What the command may do.
        policy: Box<Policy>,
        /// How it is held to that.
        isolation: Isolation,
        /// Covers a hidden file: a file that cannot be read.
        blank_file: PathBuf,
        /// Covers a hidden directory.
        blank_directory: PathBuf,
    },
    /// Nothing but bounds, after a person was asked. The end of all its processes is looked after all the same.
    Open {
        /// Bounds on what it may use up.
        limits: Limits,
    },
}

impl Boundary {
    /// Bounds on what the command may use up.
    pub fn limits(&self) -> Limits {
        match self {
            Self::Sandbox { policy, .. } => policy.limits,
            Self::Open { limits } => *limits,
        }
    }
}

/// How a command is held to its policy. Landlock and seccomp hold it in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// With namespaces of its own for processes, mounts and network: the end of the first process is the end of all.
    Namespaces,
    /// Without: where the kernel lets users make none. Then nothing can be made or removed directly in a directory
    /// that holds something hidden or protected, thus in the top directory of a project with a `.git`.
    Landlock,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// The command ended by itself.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// A signal ended it.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// Its time was up.
    TimeIsUp {
        /// After so long.
        after_ms: u64,
    },
    /// It had more processes than it may have, and was ended.
    TooManyProcesses,
    /// It was never started.
    NotStarted {
        /// The reason, for people and for the model.
        why: String,
    },
}

/// Writes a line.
pub fn say(mut to: impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line).map_err(io::Error::other)?;
    text.push(b'\n');
    to.write_all(&text)
}

/// Reads a line; an end before it is an error.
pub fn hear<T: DeserializeOwned>(from: impl Read) -> io::Result<T> {
    let mut line = Vec::new();
    BufReader::new(from.take(LONGEST_LINE)).read_until(b'\n', &mut line)?;
    if line.last() != Some(&b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&line).map_err(io::Error::other)
}
