//! A developer's machine: home, a project under git's eyes or not, and an environment.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const CONFIG: &str = env!("CARGO_BIN_EXE_scorpiox-config");
const FETCHTOKEN: &str = env!("CARGO_BIN_EXE_scorpiox-codex-fetchtoken");

/// Where the user's own settings stand.
pub(crate) const USER_FILE: &str = "home/.config/scorpiox/scorpiox-env.txt";
/// Where the project's settings stand.
pub(crate) const PROJECT_FILE: &str = "project/scorpiox-env.txt";
/// A well-formed key of nobody.
pub(crate) const CLIENT_KEY: &str = "sxk_7f3k9q2m1c0d_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8_b89088a4";

/// What a run ended with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("only text is printed");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ended {
    /// Asserts success; what was printed.
    #[track_caller]
    pub(crate) fn done(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        &self.stdout
    }

    /// Asserts success without a remark; what was printed.
    #[track_caller]
    pub(crate) fn done_quietly(&self) -> &str {
        assert_eq!(self.stderr, "", "{self:?}");
        self.done()
    }

    /// Asserts that it failed as it must: this code, nothing on stdout, one line on stderr that says this.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, says: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.contains(says), "{self:?}");
    }
}

pub(crate) struct Machine {
    root: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Machine {
    /// Nothing is configured.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["home", "project"] {
            fs::create_dir(root.path().join(directory)).unwrap();
        }
        let home = root.path().join("home").to_str().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        Self { root, environment: vec![("HOME".into(), home), ("PATH".into(), path)] }
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.environment.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Writes a file, private as a careful person has it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.path(path)).unwrap().mode() & 0o777
    }

    pub(crate) fn set_mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Names in a directory.
    pub(crate) fn names(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.path("project"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The command, to be started by the test.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(CONFIG);
        command.args(arguments);
        self.prepare(command)
    }

    /// The command, run by a shell that first does something; `"$0"` is the command.
    pub(crate) fn in_shell(&self, script: &str) -> Ended {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, CONFIG]);
        self.prepare(command).output().unwrap().into()
    }

    pub(crate) fn config(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// The command, with this on standard input.
    pub(crate) fn config_given(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        // A command that refuses before it reads closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap().into()
    }

    /// The command that everything is for.
    pub(crate) fn fetchtoken(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(FETCHTOKEN);
        command.args(arguments);
        self.prepare(command)
    }

    pub(crate) fn fetch(&self) -> Ended {
        self.fetchtoken(&["--raw"]).output().unwrap().into()
    }

    /// The command, installed at this path of the machine.
    pub(crate) fn config_installed_at(&self, path: &str, arguments: &[&str]) -> Ended {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // A second name is enough where both lie on one file system.
        fs::hard_link(CONFIG, &path).or_else(|_| fs::copy(CONFIG, &path).map(drop)).unwrap();
        let mut command = Command::new(path);
        command.args(arguments);
        self.prepare(command).output().unwrap().into()
    }

    /// Runs git in the project; `false` where there is no git.
    pub(crate) fn git(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.org"]).args(arguments);
        self.prepare(command).output().is_ok_and(|output| output.status.success())
    }
}
