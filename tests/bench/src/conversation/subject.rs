//! The two commands, each on a machine of its own with a token at hand.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use fake_provider::{Account, FakeProvider, Tokens};

use super::front::Front;
use super::terminal::{self, Run};

const PROMPT: &str = "How many?";

/// A command that asks one thing.
pub(super) struct Subject {
    program: PathBuf,
    arguments: &'static [&'static str],
    environment: Vec<(&'static str, String)>,
    directory: PathBuf,
}

impl Subject {
    /// `sx -p` with a login of `scorpiox-codex-login`.
    pub(super) fn sx(program: &Path, top: &Path, front: &Front, provider: &FakeProvider) -> anyhow::Result<Self> {
        let (home, mut subject) = Self::at(program, top, "ours", &["-p", PROMPT])?;
        let folder = home.join(".config/scorpiox");
        fs::create_dir_all(&folder)?;
        let file = folder.join("codex-auth.json");
        fs::write(&file, provider.login_file(&Account::default()).to_string())?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        let backend = format!("{}/backend-api/codex", front.url());
        subject.environment.extend([("CODEX_BASE_URL", backend), ("MODEL", "gpt-5.5".to_owned())]);
        Ok(subject)
    }

    /// The stock CLI's `exec` with a token in its environment: the cheapest of its ways to one.
    pub(super) fn stock(program: &Path, top: &Path, front: &Front, tokens: &Tokens) -> anyhow::Result<Self> {
        let (home, mut subject) = Self::at(program, top, "stock", &["exec", "--skip-git-repo-check", PROMPT])?;
        fs::create_dir(home.join(".codex"))?;
        fs::write(home.join(".codex/config.toml"), configuration(front))?;
        subject.environment.push(("TOKEN", tokens.access_token.clone()));
        Ok(subject)
    }

    fn at(program: &Path, top: &Path, name: &str, arguments: &'static [&str]) -> anyhow::Result<(PathBuf, Self)> {
        let home = top.join(name);
        let directory = home.join("project");
        fs::create_dir_all(&directory)?;
        let path = std::env::var("PATH").unwrap_or_default();
        let environment = vec![("HOME", home.display().to_string()), ("PATH", path), ("TERM", "xterm".to_owned())];
        Ok((home, Self { program: program.to_owned(), arguments, environment, directory }))
    }

    /// Runs it once, until the terminal shows `text` and it has ended well.
    pub(super) fn run(&self, front: &Front, text: &str) -> anyhow::Result<Run> {
        let mut command = Command::new(&self.program);
        command.args(self.arguments).env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.directory);
        terminal::run(&mut command, front, text)
    }
}

fn configuration(front: &Front) -> String {
    format!(
        r#"model = "gpt-5.5"
model_provider = "bench"

[model_providers.bench]
name = "bench"
base_url = "{}/backend-api/codex"
wire_api = "responses"
env_key = "TOKEN"
supports_websockets = false

# Without a network its report takes five seconds to give up.
[analytics]
enabled = false
"#,
        front.url()
    )
}
