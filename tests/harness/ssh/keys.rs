//! Key pairs, made by `ssh-keygen`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A type of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// ssh-ed25519
    Ed25519,
    /// ecdsa-sha2-nistp256
    Ecdsa,
    /// ssh-rsa, 2,048 bits
    Rsa,
}

impl Kind {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Ed25519 => &["-t", "ed25519"],
            Self::Ecdsa => &["-t", "ecdsa", "-b", "256"],
            Self::Rsa => &["-t", "rsa", "-b", "2048"],
        }
    }
}

/// A private key's file and its public half.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The private key.
    pub path: PathBuf,
    /// `TYPE BASE64`
    pub public: String,
}

impl KeyPair {
    /// A new one at this path. An empty passphrase means none.
    ///
    /// # Panics
    /// When `ssh-keygen` fails.
    pub fn new(kind: Kind, path: &Path, passphrase: &str) -> Self {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-C", "", "-N", passphrase, "-f"]).arg(path).args(kind.arguments());
        let status = command.stdin(Stdio::null()).status().expect("ssh-keygen starts");
        assert!(status.success(), "ssh-keygen: {status}");
        let mut public_path = path.as_os_str().to_owned();
        public_path.push(".pub");
        let public = std::fs::read_to_string(public_path).expect("a pair has a public half");
        Self { path: path.to_owned(), public: public.trim().to_owned() }
    }
}
