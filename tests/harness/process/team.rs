//! A provider, a broker, and what a team does with them.

use std::path::{Path, PathBuf};

use fake_provider::{Account, Endpoint, FakeProvider, Settings, Tokens};
use scorpiox_wire::admin::{CredentialView, ImportRequest, LoginFlow, LoginState};
use scorpiox_wire::{Secret, TokenAnswer, TokenTag};
use serde_json::Value;
use tempfile::TempDir;

use super::admin::Admin;
use super::broker::{Broker, Ended, Plan};
use super::client::{Client, Key};
use super::fetchtoken::FetchToken;
use super::http::{Reply, Request};

/// A team with its own broker and provider.
#[derive(Debug)]
pub struct Team {
    /// The judge.
    pub provider: FakeProvider,
    plan: Plan,
    broker: Option<Broker>,
    directory: TempDir,
}

impl Default for Team {
    fn default() -> Self {
        Self::new()
    }
}

impl Team {
    /// With a provider that behaves, over plain HTTP.
    pub fn new() -> Self {
        Self::with(Settings::default(), |plan| plan)
    }

    /// With a provider like this and a broker with other settings.
    pub fn with(settings: Settings, plan: impl FnOnce(Plan) -> Plan) -> Self {
        let mut team = Self::not_started(settings, plan);
        team.start();
        team
    }

    /// With a login, and a machine whose `sx` asks the provider.
    pub fn with_a_developer(plan: impl FnOnce(Plan) -> Plan) -> (Self, FetchToken) {
        let team = Self::with(Settings::default(), plan);
        team.given_a_login("main");
        let backend = format!("{}/backend-api/codex", team.provider.url());
        let machine = FetchToken::of(&team.given_a_client("laptop"));
        (team, machine.with("CODEX_BASE_URL", &backend).with("MODEL", "gpt-5.5"))
    }

    /// With a developer at a plain terminal, who has a project.
    pub fn with_a_project() -> (Self, FetchToken) {
        let (team, machine) = Self::with_a_developer(|plan| plan);
        std::fs::create_dir(machine.project()).expect("a directory for the project");
        (team, machine.at_a_plain_terminal())
    }

    /// With nothing running but the provider.
    pub fn not_started(settings: Settings, plan: impl FnOnce(Plan) -> Plan) -> Self {
        let provider = FakeProvider::start(settings);
        // Not the default place if that is long: a Unix socket's path has an end.
        let directory = tempfile::Builder::new().prefix("sx").tempdir().expect("a temporary directory");
        let plan = plan(Plan::new(&directory.path().join("data"), &provider.url()));
        Self { provider, plan, broker: None, directory }
    }

    /// The bodies of all questions to the model, oldest first.
    ///
    /// # Panics
    /// When one of them is no JSON.
    pub fn questions(&self) -> Vec<Value> {
        let asked = self.provider.log_of(Endpoint::Responses).into_iter();
        asked.map(|entry| entry.conversation.expect("a question is JSON")).collect()
    }

    /// The running broker.
    ///
    /// # Panics
    /// When none runs.
    pub fn broker(&self) -> &Broker {
        self.broker.as_ref().expect("a broker that runs")
    }

    /// The administrator.
    pub fn admin(&self) -> Admin {
        self.broker().admin()
    }

    /// Whether a broker runs.
    pub fn is_running(&self) -> bool {
        self.broker.is_some()
    }

    /// Starts one that refuses, and returns what it said.
    ///
    /// # Panics
    /// When it ends well.
    pub fn start_in_vain(&self) -> Ended {
        let ended = self.plan.run_to_end();
        assert!(ended.status.code().is_some_and(|code| code != 0), "{ended:?}");
        ended
    }

    /// How the broker is started.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Changes how the broker will be started next time.
    pub fn change(&mut self, change: impl FnOnce(Plan) -> Plan) {
        self.plan = change(self.plan.clone());
    }

    /// The broker's data directory.
    pub fn data(&self) -> &Path {
        self.plan.data()
    }

    /// A place for other files, gone at the end.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts the broker.
    pub fn start(&mut self) {
        self.broker = Some(self.plan.start());
    }

    /// SIGKILL.
    pub fn kill_9(&mut self) -> Ended {
        self.broker.take().expect("a broker that runs").kill_9()
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) -> Ended {
        let broker = self.broker.take().expect("a broker that runs");
        broker.terminate();
        broker.wait()
    }

    /// Waits for the end that something else caused.
    pub fn await_end(&mut self) -> Ended {
        self.broker.take().expect("a broker that runs").wait()
    }

    /// SIGTERM and a new start.
    pub fn restart(&mut self) {
        let ended = self.stop();
        assert!(ended.status.success(), "{}", ended.stderr);
        self.start();
    }

    /// A login of the provider's usual account, taken over.
    pub fn given_a_login(&self, name: &str) -> CredentialView {
        let account = self.provider.oracle().settings().account.clone();
        self.given_a_login_of(name, &account)
    }

    /// A login of this account.
    pub fn given_a_login_of(&self, name: &str, account: &Account) -> CredentialView {
        // It was used for a minute elsewhere; see below.
        let usual = self.provider.oracle().settings().access_token_life_s;
        let file = self.login_that_lasts(usual - 60, account);
        let request = import_of(name, &file);
        self.admin().import(&request).expect("a good login is taken over")
    }

    /// The tokens issued from now on last longer: one that ends in the very second of its predecessor, as two renewals
    /// in one second bring it, is suspect to the broker (matrix R11).
    pub fn given_longer_tokens(&self) {
        self.provider.oracle().settings_mut().access_token_life_s += 100;
    }

    /// A login whose access token has ended already; the tokens of its next generations live as long as usual.
    pub fn given_an_expired_login(&self, name: &str) -> CredentialView {
        let file = self.login_that_lasts(-10, &Account::default());
        self.admin().import(&import_of(name, &file)).expect("a good login is taken over")
    }

    /// A stock `auth.json` whose access token lasts so many seconds.
    pub fn login_that_lasts(&self, seconds: i64, account: &Account) -> Value {
        let usual = std::mem::replace(&mut self.provider.oracle().settings_mut().access_token_life_s, seconds);
        let file = self.provider.login_file(account);
        self.provider.oracle().settings_mut().access_token_life_s = usual;
        file
    }

    /// A login by device code, which the provider approves by itself.
    pub fn given_a_device_login(&self, name: &str) -> CredentialView {
        let admin = self.admin();
        let login = admin.begin_login(name, LoginFlow::Device, false).expect("a login begins");
        match admin.await_login(&login.id) {
            LoginState::Done { credential } => *credential,
            other => panic!("the login ended as {other:?}"),
        }
    }

    /// The newest tokens of the newest login, as the provider has them.
    ///
    /// # Panics
    /// When nobody has logged in, or the last login has ended.
    pub fn issued(&self) -> Tokens {
        let oracle = self.provider.oracle();
        let newest = *oracle.newest().last().expect("a login that lives");
        oracle.tokens(newest).expect("what is newest was issued").clone()
    }

    /// A client of `main`.
    pub fn given_a_client(&self, name: &str) -> Client {
        self.given_a_client_of(name, "main")
    }

    /// A client of this credential.
    pub fn given_a_client_of(&self, name: &str, credential: &str) -> Client {
        self.admin().create_client(name, credential).expect("a client is made").into()
    }

    /// `GET /codex`, whatever comes.
    pub fn ask(&self, key: &Key) -> Reply {
        self.ask_with(key, "/codex", &[])
    }

    /// The same with another target or more headers.
    pub fn ask_with(&self, key: &Key, target: &str, headers: &[(&str, &str)]) -> Reply {
        let bearer = key.bearer();
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        self.broker().ask(&Request { target, headers: &all, ..Request::default() })
    }

    /// `GET /codex`, and a token comes.
    pub fn fetch(&self, key: &Key) -> TokenAnswer {
        let reply = self.ask(key);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// `GET /codex?refused=TAG`, whatever comes.
    pub fn refuse(&self, key: &Key, tag: &TokenTag) -> Reply {
        self.ask_with(key, &format!("/codex?refused={tag}"), &[])
    }
}

/// The request that takes over a stock `auth.json`.
pub fn import_of(name: &str, file: &Value) -> ImportRequest {
    let tokens = &file["tokens"];
    let secret = |field: &str| Secret::new(tokens[field].as_str().unwrap_or_default());
    ImportRequest {
        name: name.to_owned(),
        access_token: secret("access_token"),
        refresh_token: secret("refresh_token"),
        id_token: secret("id_token"),
        account_id: tokens["account_id"].as_str().unwrap_or_default().to_owned(),
        replace_account: false,
    }
}
