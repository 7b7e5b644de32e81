//! The ssh source against a real OpenSSH server (C5).
//!
//! * [`hosts`]: which machine is the right one. * [`logins`]: how we log in there. * [`commands`]: what is run there, and
//!   what it says. * [`silence`]: servers that answer nothing, or too much.
//! * [`thrussh`]: the program that was built with the other library.

mod commands;
mod hosts;
mod logins;
mod silence;
mod thrussh;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use scorpiox_tests::process::FetchToken;
use scorpiox_tests::ssh::{KeyPair, Kind, Plan, Sshd, USER};

/// What the far side's command prints.
const LINE: &str = r#"{"access_token":"far-token","expires_at":4102444800,"account_id":"a1","source":"local"}"#;
const SAYS_LINE: &str =
    r#"echo '{"access_token":"far-token","expires_at":4102444800,"account_id":"a1","source":"local"}'"#;

/// A developer's machine that knows the server and may use a key there.
struct Laptop {
    machine: FetchToken,
    sshd: Sshd,
}

impl Laptop {
    /// `None` when the machine lacks what the server needs; that was said.
    fn of(plan: &Plan) -> Option<Self> {
        let sshd = Sshd::start(plan)?;
        sshd.install("scorpiox-codex-fetchtoken", SAYS_LINE);
        let machine = FetchToken::bare()
            .with("CODEX_TOKEN_SOURCE", "ssh")
            .with("CODEX_SSH_HOST", "127.0.0.1")
            .with("CODEX_SSH_PORT", &sshd.port().to_string())
            .with("CODEX_SSH_USER", USER);
        let laptop = Self { machine, sshd };
        fs::create_dir(laptop.path(".ssh")).unwrap();
        fs::write(laptop.path(".ssh/known_hosts"), laptop.sshd.known_hosts()).unwrap();
        Some(laptop)
    }

    /// With a key in its usual place that the server lets in.
    fn with_key(plan: &Plan) -> Option<Self> {
        let laptop = Self::of(plan)?;
        laptop.sshd.authorize(&laptop.key(Kind::Ed25519, ".ssh/id_ed25519", ""));
        Some(laptop)
    }

    fn with(self, variable: &str, value: &str) -> Self {
        Self { machine: self.machine.with(variable, value), sshd: self.sshd }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.machine.home().join(path)
    }

    fn key(&self, kind: Kind, path: &str, passphrase: &str) -> KeyPair {
        KeyPair::new(kind, &self.path(path), passphrase)
    }

    fn secret_file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        text_of(&path)
    }

    fn known_hosts(&self, text: &str) {
        fs::write(self.path(".ssh/known_hosts"), text).unwrap();
    }

    /// The token comes.
    fn gets_token(&self) {
        let fetched = self.machine.run(&[]);
        assert_eq!((fetched.code, fetched.stderr.as_str()), (0, ""), "{fetched:?}\n{}", self.sshd.log());
        let line: serde_json::Value = serde_json::from_str(&fetched.stdout).unwrap();
        assert_eq!((&line["access_token"], &line["source"]), (&"far-token".into(), &"ssh".into()));
        assert_eq!((&line["expires_at"], &line["account_id"]), (&4_102_444_800_i64.into(), &"a1".into()));
    }

    /// Nothing on standard output, one line with these words, this exit code.
    fn is_refused(&self, code: i32, words: &[&str]) -> String {
        let fetched = self.machine.run(&["--raw"]);
        fetched.assert_refused(code);
        for word in words {
            assert!(fetched.stderr.contains(word), "{word}: {}\n{}", fetched.stderr, self.sshd.log());
        }
        fetched.stderr
    }
}

fn text_of(path: &Path) -> String {
    path.to_str().expect("a plain name").to_owned()
}
