//! A connection to an ssh server, whichever library makes it.
//!
//! ```text
//! open → the judge looks at the host's key → log_in (one attempt after the other) → run (one command after the other)
//! ```
//!
//! Everything blocks, and ends with [`Trouble::TooSlow`] at the deadline.

use std::path::Path;

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::key_file::KeyFile;
use super::known_hosts::{HostName, KnownKeys, Verdict};
use super::public_key::PublicKey;
use super::trouble::Trouble;

/// The most that a command may say on standard output, in bytes. A credential has about five thousand.
pub const MOST_OUTPUT: usize = 64 * 1024;
/// The most that is kept of its standard error, in bytes.
pub const MOST_TALK: usize = 4 * 1024;

/// Decides whether a host is the right one.
#[derive(Debug)]
pub struct Judge {
    /// The name under which its key is known.
    pub name: HostName,
    /// What is known.
    pub known: KnownKeys,
}

impl Judge {
    /// An error unless the key is known to be this host's. `None` stands for something that is no plain key.
    pub fn check(&self, shown: Option<PublicKey>) -> Result<(), Trouble> {
        let shown = shown.ok_or_else(|| Trouble::NoCommonGround("it shows a host key that is no plain key".into()))?;
        match self.known.judge(&shown) {
            Verdict::Known => Ok(()),
            verdict @ (Verdict::Unknown | Verdict::Changed(_) | Verdict::OtherTypes(_) | Verdict::Revoked(_)) => {
                Err(Trouble::HostKey { shown, verdict })
            }
        }
    }
}

/// A way to log in that a server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `publickey`
    PublicKey,
    /// `password`
    Password,
    /// `keyboard-interactive`
    KeyboardInteractive,
}

impl Method {
    /// Its name in the protocol (RFC 4252, RFC 4256).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PublicKey => "publickey",
            Self::Password => "password",
            Self::KeyboardInteractive => "keyboard-interactive",
        }
    }
}

/// One attempt to log in.
#[derive(Debug)]
pub enum Attempt<'a> {
    /// With a key that the agent holds.
    AgentKey(&'a PublicKey),
    /// With a private key, opened by this passphrase if it is encrypted.
    KeyFile(&'a KeyFile, Option<&'a Secret>),
    /// With the password.
    Password(&'a Secret),
    /// With the password as the answer to a single hidden question.
    KeyboardInteractive(&'a Secret),
}

/// What an attempt to log in led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// We are in.
    Welcome,
    /// The server did not take it, or wants more; what it takes now, if it said so.
    Refused(Option<Vec<Method>>),
    /// Nothing was sent, and why.
    NotMade(String),
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// Its whole output; may hold a token.
    pub stdout: Zeroizing<Vec<u8>>,
    /// The beginning of its talk.
    pub stderr: Vec<u8>,
    /// Its exit status.
    pub exit: u32,
}

/// A connection to a host whose key was found good.
pub trait Session {
    /// The ways to log in; asks the server where the library can. [`Reply::Welcome`] when it wants none.
    fn methods(&mut self, user: &str) -> Result<Reply, Trouble>;
    /// The public keys that the agent at this socket holds, plain ones only.
    fn agent_keys(&mut self, socket: &Path) -> Result<Vec<PublicKey>, Trouble>;
    /// One attempt.
    fn log_in(&mut self, user: &str, attempt: &Attempt<'_>) -> Result<Reply, Trouble>;
    /// Runs a command to its end.
    fn run(&mut self, command: &str) -> Result<Ran, Trouble>;
}

/// Output as it comes in, bounded.
#[derive(Debug)]
pub struct Gathered {
    stdout: Zeroizing<Vec<u8>>,
    stderr: Vec<u8>,
    exit: Option<u32>,
    signal: Option<String>,
}

impl Default for Gathered {
    fn default() -> Self {
        // All at once: a vector that grows leaves copies of a token behind.
        Self { stdout: Zeroizing::new(Vec::with_capacity(MOST_OUTPUT)), stderr: Vec::new(), exit: None, signal: None }
    }
}

impl Gathered {
    /// More of standard output.
    pub fn stdout(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        if self.stdout.len() + bytes.len() > MOST_OUTPUT {
            return Err(Trouble::TooMuchOutput);
        }
        self.stdout.extend_from_slice(bytes);
        Ok(())
    }

    /// More of standard error; what is too much is dropped.
    pub fn stderr(&mut self, bytes: &[u8]) {
        let room = MOST_TALK - self.stderr.len();
        self.stderr.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// The command ended by itself.
    pub fn exit(&mut self, status: u32) {
        self.exit = Some(status);
    }

    /// The command was killed.
    pub fn signal(&mut self, name: String) {
        self.signal = Some(name);
    }

    /// All of it. Without an exit status nobody knows whether it is all.
    pub fn finish(self) -> Result<Ran, Trouble> {
        match self.exit {
            Some(exit) => Ok(Ran { stdout: self.stdout, stderr: self.stderr, exit }),
            None => Err(Trouble::NoExitStatus { signal: self.signal }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_counts_only_with_an_exit_status_and_within_its_bound() {
        let mut gathered = Gathered::default();
        gathered.stdout(&vec![b'x'; MOST_OUTPUT]).unwrap();
        gathered.stderr(&vec![b'y'; MOST_TALK + 1]);
        assert!(matches!(gathered.stdout(b"x"), Err(Trouble::TooMuchOutput)));
        gathered.exit(0);
        let ran = gathered.finish().unwrap();
        assert_eq!((ran.stdout.len(), ran.stderr.len(), ran.exit), (MOST_OUTPUT, MOST_TALK, 0));

        let mut cut = Gathered::default();
        cut.stdout(b"{}").unwrap();
        cut.signal("KILL".into());
        assert!(matches!(cut.finish(), Err(Trouble::NoExitStatus { signal: Some(name) }) if name == "KILL"));
    }
}
