//! A developer's machine with a login of its own: a home directory, the login server, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fake_provider::{Account, Certificate, FakeProvider, Listening, Settings, Tokens};
use serde_json::Value;
use tempfile::TempDir;

use super::binaries;
use super::fetchtoken::Fetched;

/// When the tokens of a login that is put there were obtained: long enough ago for anything.
const LONG_AGO: &str = "2023-11-14T22:13:20Z";

/// A machine and the login server that it knows.
#[derive(Debug)]
pub struct Laptop {
    /// The login server.
    pub provider: FakeProvider,
    home: TempDir,
    environment: BTreeMap<String, String>,
}

impl Laptop {
    /// Nobody is logged in.
    pub fn new(settings: Settings) -> Self {
        Self::at(FakeProvider::start(settings))
    }

    /// The same, with a login server whose certificate is trusted only through `SSL_CERT_FILE`.
    pub fn encrypted(settings: Settings) -> Self {
        let certificate = Certificate::self_signed(&["127.0.0.1"]).expect("a name");
        let trusted = certificate.chain_pem.clone();
        let listening = Listening { certificate: Some(certificate), ..Listening::default() };
        let laptop = Self::at(FakeProvider::start_with(settings, listening).expect("a free port on loopback"));
        let path = laptop.path("ca.pem");
        fs::write(&path, trusted).expect("a file of ours");
        laptop.with("SSL_CERT_FILE", path.to_str().expect("a plain name"))
    }

    fn at(provider: FakeProvider) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let directory = home.path().to_str().expect("a plain name").to_owned();
        let issuer = provider.url();
        let environment = BTreeMap::from([("HOME".to_owned(), directory), ("CODEX_ISSUER".to_owned(), issuer)]);
        Self { provider, home, environment }
    }

    /// With a login of ours whose token lives so many seconds; what is renewed lives long.
    pub fn logged_in(life_s: i64) -> (Self, Tokens) {
        let laptop = Self::new(Settings::default());
        let tokens = laptop.put_login(&laptop.file(), life_s);
        (laptop, tokens)
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

    /// Puts a login into a file, with a member that nobody knows.
    pub fn put_login(&self, path: &Path, life_s: i64) -> Tokens {
        let usual = std::mem::replace(&mut self.provider.oracle().settings_mut().access_token_life_s, life_s);
        let mut file = self.provider.login_file(&Account::default());
        self.provider.oracle().settings_mut().access_token_life_s = usual;
        file["last_refresh"] = LONG_AGO.into();
        file["of_another_program"] = serde_json::json!({"kept": [1, 2]});
        fs::create_dir_all(path.parent().expect("a file is in a directory")).expect("a directory of ours");
        fs::write(path, file.to_string()).expect("a file of ours");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a file of ours");
        self.tokens()
    }

    /// A path below the home directory.
    pub fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    /// Where our login is.
    pub fn file(&self) -> PathBuf {
        self.path(".config/scorpiox/codex-auth.json")
    }

    /// Our login's file as JSON.
    pub fn auth(&self) -> Value {
        serde_json::from_slice(&fs::read(self.file()).expect("there is a login")).expect("it is JSON")
    }

    /// The newest tokens of the newest login.
    pub fn tokens(&self) -> Tokens {
        let oracle = self.provider.oracle();
        let newest = *oracle.newest().last().expect("somebody logged in");
        oracle.tokens(newest).expect("the newest exist").clone()
    }

    /// A program of ours, not started.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binaries::program(program));
        command.args(arguments).env_clear().envs(&self.environment).current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Fetched {
        self.command(program, arguments).output().expect("the command starts").into()
    }

    /// Starts it.
    pub fn start(&self, program: &str, arguments: &[&str]) -> Child {
        self.command(program, arguments).spawn().expect("the command starts")
    }

    /// The bare token.
    pub fn fetch(&self) -> Fetched {
        self.run("scorpiox-codex-fetchtoken", &["--raw"])
    }

    /// Renews by hand.
    pub fn renew(&self) -> Fetched {
        self.run("scorpiox-codex-refreshtoken", &["--force"])
    }

    /// Makes what is on record of a renewal older.
    pub fn let_seconds_pass_on_record(&self, seconds: i64) {
        let path = self.path(".config/scorpiox/codex-auth.json.renewal");
        let mut record: Value = serde_json::from_slice(&fs::read(&path).expect("a record")).expect("it is JSON");
        let since = record["since_ms"].as_i64().expect("a doubt has a beginning");
        record["since_ms"] = (since - seconds * 1000).into();
        fs::write(&path, record.to_string()).expect("a file of ours");
    }
}
