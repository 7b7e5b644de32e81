//! The stock CLI's configuration as the README gives it, and a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use scorpiox_tests::process::output::Collected;
use scorpiox_tests::process::{FetchToken, Team, binaries, patience};
use serde_json::Value;
use tempfile::TempDir;

use super::installed::CODEX;

/// Its word for that.
const WITHOUT_QUESTIONS: &str = "--dangerously-bypass-approvals-and-sandbox";

/// A developer's machine with the stock CLI on it, and a client key of its own.
pub(super) struct Codex {
    program: PathBuf,
    machine: FetchToken,
    project: TempDir,
}

/// What a run said.
#[derive(Debug)]
pub(super) struct Answered {
    /// The assistant's messages.
    pub(super) messages: Vec<String>,
    #[expect(dead_code, reason = "shown when a test fails")]
    events: String,
    #[expect(dead_code, reason = "shown when a test fails")]
    talk: String,
}

/// A run under way.
pub(super) struct Running {
    child: Child,
    stdout: Collected,
    stderr: Collected,
}

impl Codex {
    /// On a machine of `team`, configured for its broker and provider.
    pub(super) fn of(team: &Team) -> Self {
        let program = std::env::var_os(CODEX.variable).expect("the way in names it");
        let machine = FetchToken::of(&team.given_a_client("laptop"));
        let codex = Self { program: program.into(), machine, project: tempfile::tempdir().expect("a directory") };
        let home = codex.machine.home().join(".codex");
        fs::create_dir(&home).expect("a home directory can be written");
        fs::write(home.join("config.toml"), configuration(team)).expect("a home directory can be written");
        codex
    }

    /// One prompt, one answer.
    pub(super) fn exec(&self, prompt: &str) -> Answered {
        self.begin(prompt).wait()
    }

    /// The same, not waiting for its end.
    pub(super) fn begin(&self, prompt: &str) -> Running {
        self.start(&["--sandbox", "read-only", prompt])
    }

    /// One prompt, one answer; its tools run at once and unconfined.
    pub(super) fn exec_with_tools(&self, prompt: &str) -> Answered {
        self.start(&[WITHOUT_QUESTIONS, prompt]).wait()
    }

    /// The same, going on with the conversation before.
    pub(super) fn goes_on_with_tools(&self, prompt: &str) -> Answered {
        self.start(&[WITHOUT_QUESTIONS, "resume", "--last", prompt]).wait()
    }

    /// Where it runs.
    pub(super) fn project(&self) -> &Path {
        self.project.path()
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command();
        command.args(["exec", "--json", "--skip-git-repo-check"]).args(arguments);
        let mut child = command.spawn().expect("the stock CLI starts");
        let stdout = Collected::from(child.stdout.take().expect("piped"));
        let stderr = Collected::from(child.stderr.take().expect("piped"));
        Running { child, stdout, stderr }
    }

    fn command(&self) -> Command {
        // It hands its whole environment to the token command, so these are the settings of both.
        let ours = self.machine.command(&[]);
        let mut command = Command::new(&self.program);
        command.env_clear().envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(self.project.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn configuration(team: &Team) -> String {
    let fetchtoken = binaries::fetchtoken();
    let account = team.provider.oracle().settings().account.account_id.clone();
    format!(
        r#"model = "gpt-5.5"
model_provider = "broker"

[model_providers.broker]
name = "broker"
base_url = "{}/backend-api/codex"
wire_api = "responses"
supports_websockets = false
http_headers = {{ "ChatGPT-Account-ID" = "{account}" }}

[model_providers.broker.auth]
command = "{}"
args = ["--raw", "--repeat-means-refused"]
timeout_ms = 5000
refresh_interval_ms = 300000

# Not needed for the broker: without a network its report takes five seconds to give up.
[analytics]
enabled = false
"#,
        team.provider.url(),
        fetchtoken.display(),
    )
}

impl Running {
    /// Until it has ended well.
    pub(super) fn wait(mut self) -> Answered {
        let ended = patience::within(2 * patience::PATIENCE, || self.child.try_wait().expect("a child of ours"));
        let Some(status) = ended else {
            panic!("the stock CLI does not end:\n{}\n{}", self.stdout.so_far(), self.stderr.so_far());
        };
        let (events, talk) = (self.stdout.whole(), self.stderr.whole());
        assert!(status.success(), "the stock CLI ended with {status}:\n{events}\n{talk}");
        let items = events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let messages = items.filter(|event| event["item"]["type"] == "agent_message");
        let messages = messages.filter_map(|event| Some(event["item"]["text"].as_str()?.to_owned())).collect();
        Answered { messages, events, talk }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
