//! A real `ssh-agent`, which ends with the test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::keys::KeyPair;
use crate::process::patience;

/// An agent of one's own.
#[derive(Debug)]
pub struct Agent {
    process: Child,
    socket: PathBuf,
}

impl Agent {
    /// Starts one with its socket in this directory.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(directory: &Path) -> Self {
        let socket = directory.join("agent");
        let mut command = Command::new("ssh-agent");
        command.arg("-D").arg("-a").arg(&socket).stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.spawn().expect("ssh-agent starts");
        patience::until("the agent's socket", || socket.exists().then_some(()));
        Self { process, socket }
    }

    /// Gives it a key that has no passphrase.
    ///
    /// # Panics
    /// When it does not take it.
    pub fn add(&self, key: &KeyPair) {
        let mut command = Command::new("ssh-add");
        command.arg("-q").arg(&key.path).env("SSH_AUTH_SOCK", &self.socket).stdin(Stdio::null());
        assert!(command.status().expect("ssh-add starts").success());
    }

    /// For `SSH_AUTH_SOCK`.
    ///
    /// # Panics
    /// Never: temporary directories have plain names.
    pub fn socket(&self) -> &str {
        self.socket.to_str().expect("a plain name")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
