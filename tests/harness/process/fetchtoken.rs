//! `scorpiox-codex-fetchtoken` on a machine of its own: a home directory and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::binaries;
use super::client::Client;

/// A developer's machine.
#[derive(Debug)]
pub struct FetchToken {
    program: PathBuf,
    home: TempDir,
    environment: BTreeMap<String, String>,
}

/// What a run of the command brought.
#[derive(Debug)]
pub struct Fetched {
    /// Exit code.
    pub code: i32,
    /// The answer.
    pub stdout: String,
    /// The talk.
    pub stderr: String,
}

impl FetchToken {
    /// With no settings but a home directory.
    pub fn bare() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let path = home.path().to_str().expect("a plain name").to_owned();
        Self { program: binaries::fetchtoken(), home, environment: BTreeMap::new() }.with("HOME", &path)
    }

    /// With the settings that `client add` prints.
    pub fn of(client: &Client) -> Self {
        let machine = Self::bare()
            .with("CODEX_TOKEN_SOURCE", "remote")
            .with("CODEX_REMOTE_URL", &client.url)
            .with("TOKEN_HTTP_API_KEY", &client.key.0);
        match &client.pin {
            Some(pin) => machine.with("CODEX_REMOTE_PIN", pin),
            None => machine,
        }
    }

    /// With a program that was built in another way.
    pub fn with_program(mut self, program: &Path) -> Self {
        program.clone_into(&mut self.program);
        self
    }

    /// What it is told of the terminal: a plain one, in English and without colour.
    pub fn at_a_plain_terminal(self) -> Self {
        self.with("TERM", "xterm").with("NO_COLOR", "1").with("TZ", "UTC")
    }

    /// One more variable.
    pub fn with(mut self, variable: &str, value: &str) -> Self {
        self.environment.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// Without a variable.
    pub fn without(mut self, variable: &str) -> Self {
        self.environment.remove(variable);
        self
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The directory of a project: the home directory is none.
    pub fn project(&self) -> PathBuf {
        self.home().join("project")
    }

    /// `sx` in the project's directory.
    pub fn sx_in_the_project(&self, arguments: &[&str]) -> Command {
        let mut command = self.command_of("sx", arguments);
        command.current_dir(self.project());
        command
    }

    /// Where it keeps tokens.
    pub fn cache(&self) -> std::path::PathBuf {
        self.home.path().join(".cache/scorpiox")
    }

    /// The command, not started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_at(&self.program, arguments)
    }

    /// Another of our programs on the same machine, not started.
    pub fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        self.command_at(&binaries::program(program), arguments)
    }

    fn command_at(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(&self.environment).current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, arguments: &[&str]) -> Fetched {
        self.command(arguments).output().expect("the command starts").into()
    }

    /// Runs another of our programs to its end.
    pub fn run_program(&self, program: &str, arguments: &[&str]) -> Fetched {
        self.command_of(program, arguments).output().expect("the command starts").into()
    }
}

impl From<Output> for Fetched {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Fetched {
    /// The token that was printed, by either form of output.
    ///
    /// # Panics
    /// When none was.
    pub fn token(&self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        match serde_json::from_str::<serde_json::Value>(&self.stdout) {
            Ok(line) => line["access_token"].as_str().expect("a token").to_owned(),
            Err(_) => self.stdout.trim_end().to_owned(),
        }
    }

    /// Nothing on standard output, one line of reason, this exit code.
    ///
    /// # Panics
    /// When it is otherwise.
    pub fn assert_refused(&self, code: i32) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
    }
}
