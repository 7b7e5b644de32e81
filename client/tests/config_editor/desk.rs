//! A user's files, and the editor started among them.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::Command;

use scorpiox_wire::{ClientKey, Secret};

use crate::terminal::Terminal;

/// A well-formed client key.
pub(crate) fn key() -> String {
    ClientKey::compose("000000000001", &Secret::new("A".repeat(43))).unwrap().expose().to_owned()
}

pub(crate) struct Desk {
    root: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Desk {
    /// A home, a project with a `.git`, and a terminal that shows everything. The zone is UTC.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["home/.config/scorpiox", "project/.git"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let home = root.path().join("home").to_str().unwrap().to_owned();
        let environment = [("HOME", home.as_str()), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("TZ", "UTC")];
        Self { root, environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.environment.retain(|(set, _)| set != name);
        self.environment.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn user_file(&self) -> PathBuf {
        self.root.path().join("home/.config/scorpiox/scorpiox-env.txt")
    }

    pub(crate) fn project_file(&self) -> PathBuf {
        self.root.path().join("project/scorpiox-env.txt")
    }

    /// Writes the user's settings, readable by others as an editor would leave them.
    pub(crate) fn user(self, text: &str) -> Self {
        fs::write(self.user_file(), text).unwrap();
        fs::set_permissions(self.user_file(), fs::Permissions::from_mode(0o644)).unwrap();
        self
    }

    pub(crate) fn project(self, text: &str) -> Self {
        fs::write(self.project_file(), text).unwrap();
        self
    }

    pub(crate) fn user_text(&self) -> String {
        fs::read_to_string(self.user_file()).unwrap_or_default()
    }

    pub(crate) fn user_mode(&self) -> u32 {
        fs::metadata(self.user_file()).unwrap().mode() & 0o777
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scorpiox-config"));
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.root.path().join("project"));
        command
    }

    /// Opens the editor on a terminal of 80 by 24.
    pub(crate) fn open(&self) -> Terminal {
        Terminal::start(&self.command(), 80, 24)
    }
}
