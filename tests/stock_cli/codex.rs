//! The stock CLI's configuration as the README gives it, and a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
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
        Self::on(FetchToken::of(&team.given_a_client("laptop")), team, &token_command(team))
    }

    /// On a machine of `team` that renews at its broker with a file that it fetched there.
    pub(super) fn with_a_file(team: &Team) -> Self {
        let machine = FetchToken::of(&team.given_a_client("laptop"));
        let certificate = team.data().join("tls/tls-certificate.pem");
        let machine = machine
            .with("CODEX_REFRESH_TOKEN_URL_OVERRIDE", &format!("{}/oauth/token", team.broker().url()))
            .with("CODEX_CA_CERTIFICATE", certificate.to_str().expect("a plain name"));
        let codex = Self::on(machine, team, "requires_openai_auth = true\n");
        let file = codex.path_of_file();
        let fetched = codex.machine.run(&["--auth-file", file.to_str().expect("a plain name")]);
        assert_eq!(fetched.code, 0, "{fetched:?}");
        codex
    }

    /// On a machine of `team` on which nobody types a key: it signs in at the broker.
    pub(super) fn that_signs_in(team: &Team) -> Self {
        let certificate = team.data().join("tls/tls-certificate.pem");
        let machine = FetchToken::of(&team.given_a_client("nobody"));
        let machine = machine.with("CODEX_CA_CERTIFICATE", certificate.to_str().expect("a plain name"));
        Self::on(machine, team, &gateway(team))
    }

    /// What it keeps of a sign-in.
    fn path_of_sign_in(&self) -> PathBuf {
        self.machine.home().join(".codex/secrets/gateway_oauth.json")
    }

    /// It must come back to the broker before the next request.
    pub(super) fn let_its_sign_in_end(&self) {
        let bytes = fs::read(self.path_of_sign_in()).expect("it is signed in");
        let mut kept: Value = serde_json::from_slice(&bytes).expect("it is JSON");
        for sign_in in kept.as_object_mut().expect("an object").values_mut() {
            sign_in["expires_at"] = 1_700_000_000.into();
        }
        fs::write(self.path_of_sign_in(), kept.to_string()).expect("a home directory can be written");
    }

    /// Its server for programs such as editors, which speak with it on its standard input.
    pub(super) fn app_server(&self) -> Child {
        self.command().arg("app-server").stdin(Stdio::piped()).spawn().expect("the stock CLI starts")
    }

    fn on(machine: FetchToken, team: &Team, credentials: &str) -> Self {
        let program = std::env::var_os(CODEX.variable).expect("the way in names it");
        let codex = Self { program: program.into(), machine, project: tempfile::tempdir().expect("a directory") };
        let home = codex.machine.home().join(".codex");
        fs::create_dir(&home).expect("a home directory can be written");
        let configuration = configuration(team, credentials);
        fs::write(home.join("config.toml"), configuration).expect("a home directory can be written");
        codex
    }

    fn path_of_file(&self) -> PathBuf {
        self.machine.home().join(".codex/auth.json")
    }

    /// Its login.
    pub(super) fn file(&self) -> Value {
        let bytes = fs::read(self.path_of_file()).expect("there is a login");
        serde_json::from_slice(&bytes).expect("it is JSON")
    }

    /// Its login from now on.
    pub(super) fn put_file(&self, file: &Value) {
        fs::write(self.path_of_file(), file.to_string()).expect("a home directory can be written");
    }

    /// Its token ended a moment ago, by its own clock and what the token says.
    pub(super) fn let_its_token_end(&self) {
        let mut file = self.file();
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        let ended = format!("{}.{}.x", part(r#"{"alg":"none"}"#), part(r#"{"exp":1700000000}"#));
        file["tokens"]["access_token"] = ended.into();
        self.put_file(&file);
    }

    /// Forgets its login.
    pub(super) fn logout(&self) {
        let output = self.command().arg("logout").output().expect("the stock CLI starts");
        assert!(output.status.success(), "{output:?}");
        assert!(!self.path_of_file().exists(), "{output:?}");
    }

    /// One prompt, one answer.
    pub(super) fn exec(&self, prompt: &str) -> Answered {
        self.begin(prompt).wait()
    }

    /// One prompt and no answer: what it said of that.
    pub(super) fn exec_in_vain(&self, prompt: &str) -> String {
        let mut running = self.begin(prompt);
        let status = running.end();
        assert!(!status.success(), "{}", running.stdout.so_far());
        format!("{}\n{}", running.stdout.whole(), running.stderr.whole())
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

fn gateway(team: &Team) -> String {
    let account = team.provider.oracle().settings().account.account_id.clone();
    let url = team.broker().url();
    format!(
        r#"http_headers = {{ "ChatGPT-Account-ID" = "{account}" }}

[model_providers.broker.gateway_oauth]
authorization_url = "{url}/oauth/authorize"
token_url = "{url}/oauth/token"
device_authorization_url = "{url}/oauth/device_authorization"
client_id = "codex"
redirect_port = 18455
credentials_store = "file"
delivery = {{ kind = "header", name = "Authorization", scheme = "Bearer" }}
"#
    )
}

fn token_command(team: &Team) -> String {
    let fetchtoken = binaries::fetchtoken();
    let account = team.provider.oracle().settings().account.account_id.clone();
    format!(
        r#"http_headers = {{ "ChatGPT-Account-ID" = "{account}" }}

[model_providers.broker.auth]
command = "{}"
args = ["--raw", "--repeat-means-refused"]
timeout_ms = 5000
refresh_interval_ms = 300000
"#,
        fetchtoken.display(),
    )
}

fn configuration(team: &Team, credentials: &str) -> String {
    format!(
        r#"model = "gpt-5.5"
model_provider = "broker"
cli_auth_credentials_store = "file"
# With a login of its own it asks its vendor for more than answers: here, too, without waiting for a network.
chatgpt_base_url = "{}/backend-api/"

[model_providers.broker]
name = "broker"
base_url = "{}/backend-api/codex"
wire_api = "responses"
supports_websockets = false
{credentials}
# Not needed for the broker: without a network its report takes five seconds to give up.
[analytics]
enabled = false
"#,
        team.provider.url(),
        team.provider.url(),
    )
}

impl Running {
    /// The address that its person is to open, once it has said so.
    pub(super) fn address_to_open(&self) -> String {
        patience::until("an address to open", || {
            let said = self.stderr.so_far();
            said.lines().find(|line| line.contains("/oauth/authorize?")).map(|line| line.trim().to_owned())
        })
    }

    fn end(&mut self) -> ExitStatus {
        let ended = patience::within(2 * patience::PATIENCE, || self.child.try_wait().expect("a child of ours"));
        ended.unwrap_or_else(|| {
            panic!("the stock CLI does not end:\n{}\n{}", self.stdout.so_far(), self.stderr.so_far())
        })
    }

    /// Until it has ended well.
    pub(super) fn wait(mut self) -> Answered {
        let status = self.end();
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
