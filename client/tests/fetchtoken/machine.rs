//! A developer's machine: home, project, cache, environment, and time that the test moves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use scorpiox_wire::{ClientKey, Secret};

use crate::stub_broker::StubBroker;

const BINARY: &str = env!("CARGO_BIN_EXE_scorpiox-codex-fetchtoken");

/// A well-formed key; its secret part is one letter.
pub(crate) fn key(id: &str, letter: char) -> String {
    ClientKey::compose(id, &Secret::new(letter.to_string().repeat(43))).unwrap().expose().to_owned()
}

/// What a run ended with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("only text is printed");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Asserts that it failed as it must: this code, nothing on stdout, one line on stderr that says this.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32, says: &str) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.contains(says), "{self:?}");
    }

    /// Asserts that several sources failed: this code, nothing on stdout, and a line for each with its name.
    #[track_caller]
    pub(crate) fn failed_in_turn(&self, code: i32, lines: &[(&str, &str)]) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), lines.len(), "{self:?}");
        for (line, (source, says)) in self.stderr.lines().zip(lines) {
            assert!(line.starts_with(&format!("scorpiox-codex-fetchtoken: {source}: ")), "{self:?}");
            assert!(line.contains(says), "{self:?}");
        }
    }

    /// Asserts that it printed the bare token of this generation.
    #[track_caller]
    pub(crate) fn gave(&self, generation: u64) {
        let expected = format!("{}\n", crate::stub_broker::token_text(generation));
        assert_eq!((self.code, self.stdout.as_str()), (Some(0), expected.as_str()), "{self:?}");
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
        Self { root, environment: vec![("HOME".into(), home)] }
    }

    /// Configured in the environment for this broker.
    pub(crate) fn for_broker(broker: &StubBroker) -> Self {
        Self::new()
            .with("CODEX_TOKEN_SOURCE", "remote")
            .with("CODEX_REMOTE_URL", broker.url())
            .with("TOKEN_HTTP_API_KEY", key("000000000001", 'A'))
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.environment.retain(|(set, _)| set != name);
        self.environment.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Writes the user's own settings file.
    pub(crate) fn settings_file(&self, text: impl AsRef<[u8]>) {
        let folder = self.path("home/.config/scorpiox");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("scorpiox-env.txt"), text).unwrap();
    }

    /// Writes the settings file of the project in which the command runs.
    pub(crate) fn project_file(&self, text: impl AsRef<[u8]>) {
        fs::write(self.path("project/scorpiox-env.txt"), text).unwrap();
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.path("project"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The command, to be started by the test.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments);
        self.prepare(command)
    }

    /// The command, run by a shell that first does something; `"$0"` is the command.
    pub(crate) fn in_shell(&self, script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script, BINARY]);
        self.prepare(command)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        end(self.command(arguments))
    }

    pub(crate) fn raw(&self) -> Ended {
        self.run(&["--raw"])
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.path("home/.cache/scorpiox")
    }

    /// Names in the cache directory, by their ending.
    pub(crate) fn cached(&self, ending: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.cache()) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).filter(|path| name_of(path).contains(ending)).collect()
    }

    /// Makes everything that is kept older by so many seconds.
    pub(crate) fn let_seconds_pass(&self, seconds: i64) {
        for ending in [".token", ".failed", ".parent-"] {
            for path in self.cached(ending) {
                let text = fs::read_to_string(&path).unwrap();
                fs::write(&path, shifted(&text, -seconds * 1000)).unwrap();
            }
        }
    }
}

pub(crate) fn end(mut command: Command) -> Ended {
    Ended::of(command.output().unwrap())
}

/// Ends it within the five seconds that the stock client gives its command, or not at all.
pub(crate) fn finish_in_time(mut child: Child) -> Ended {
    for _ in 0..480 {
        if child.try_wait().unwrap().is_some() {
            return finish(child);
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("still running after five seconds");
}

pub(crate) fn finish(child: Child) -> Ended {
    Ended::of(child.wait_with_output().unwrap())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Adds to every number that is a time in milliseconds: thirteen digits.
fn shifted(text: &str, by_ms: i64) -> String {
    let mut result = String::new();
    let mut digits = String::new();
    for character in text.chars().chain(['\n']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        match digits.parse::<i64>() {
            Ok(time) if digits.len() == 13 => result.push_str(&(time + by_ms).to_string()),
            _ => result.push_str(&digits),
        }
        digits.clear();
        result.push(character);
    }
    result.truncate(result.len() - 1);
    result
}
