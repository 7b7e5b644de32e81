//! What a confined command may do: pure.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a confined command may do. All paths are absolute and canonical.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The project's directory, in which commands run.
    pub workspace: PathBuf,
    /// Whether they may change what is in it.
    pub access: Access,
    /// A directory of the session's own, always writable; `TMPDIR` names it.
    pub temporary: PathBuf,
    /// Files and directories whose contents nothing in the sandbox may read or change. They need not exist.
    pub hidden: Vec<PathBuf>,
    /// Files and directories that may be read although they lie in something hidden.
    pub opened: Vec<PathBuf>,
    /// Files and directories in the workspace that may be read and not be changed. They need not exist.
    pub read_only: Vec<PathBuf>,
    /// Whether there is a network.
    pub network: Network,
    /// Bounds on what a command may use up.
    pub limits: Limits,
}

/// What may be done with the files of the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// They may be read.
    Read,
    /// They may be read and changed.
    Write,
}

/// Whether a command may speak with other machines, this one's services included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// No sockets at all.
    Refused,
    /// IPv4 and IPv6. Unix sockets stay closed: behind them are agents with keys, and services that run as root.
    Allowed,
}

/// Bounds on what one command with all its children may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processes and threads at one time.
    pub processes: u64,
    /// The longest file that may be written, in bytes.
    pub file_bytes: u64,
}

impl Default for Limits {
    /// 2,048 processes and 16 GiB: more than a build needs, less than what stops the machine.
    fn default() -> Self {
        Self { processes: 2048, file_bytes: 16 << 30 }
    }
}

impl Policy {
    /// What is hidden and lies in the workspace.
    pub fn hidden_inside(&self) -> impl Iterator<Item = &Path> {
        inside(&self.hidden, &self.workspace)
    }

    /// What may only be read and lies in the workspace, without what is hidden as well.
    pub fn read_only_inside(&self) -> impl Iterator<Item = &Path> {
        let hidden = |path: &Path| self.hidden.iter().any(|hidden| path.starts_with(hidden));
        inside(&self.read_only, &self.workspace).filter(move |path| !hidden(path))
    }

    /// Whether the workspace itself is hidden: then nothing can run in it.
    pub fn hides_the_workspace(&self) -> bool {
        self.hidden.iter().any(|hidden| self.workspace.starts_with(hidden))
    }
}

fn inside<'a>(paths: &'a [PathBuf], directory: &'a Path) -> impl Iterator<Item = &'a Path> {
    paths.iter().map(PathBuf::as_path).filter(move |path| path.starts_with(directory))
}
