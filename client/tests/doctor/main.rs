//! `scorpiox-config doctor`, run as a process against a stand-in for the broker.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../fetchtoken/stub_broker.rs"]
#[expect(dead_code, reason = "it can do more than is needed here")]
mod stub_broker;

use std::fs;
use std::process::Command;

use scorpiox_wire::{ClientKey, Secret};
use serde_json::Value;

use crate::stub_broker::{StubBroker, problem, response, token, token_text};

fn key() -> String {
    ClientKey::compose("000000000001", &Secret::new("A".repeat(43))).unwrap().expose().to_owned()
}

struct Machine {
    root: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

struct Ended {
    code: Option<i32>,
    text: String,
}

impl Machine {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["home/.config/scorpiox", "home/.codex", "project/.git"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        Self { root, environment: Vec::new() }
    }

    /// The broker is set up in the environment, and these sources are chosen.
    fn with_broker(sources: &str, broker: &StubBroker) -> Self {
        let machine = Self::new().with("CODEX_TOKEN_SOURCE", sources);
        machine.with("CODEX_REMOTE_URL", &broker.url()).with("TOKEN_HTTP_API_KEY", &key())
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn file(self, path: &str, text: &str) -> Self {
        fs::write(self.root.path().join(path), text).unwrap();
        self
    }

    fn doctor(&self, arguments: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scorpiox-config"));
        command.arg("doctor").args(arguments).env_clear().env("HOME", self.root.path().join("home")).env("TZ", "UTC");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = command.current_dir(self.root.path().join("project")).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr, "", "everything is part of the answer");
        Ended { code: output.status.code(), text: String::from_utf8(output.stdout).unwrap() }
    }
}

impl Ended {
    /// Asserts the exit code, and that a line begins and ends so.
    #[track_caller]
    fn says(&self, code: i32, begins: &str, contains: &str) -> &Self {
        let found = self.text.lines().any(|line| line.starts_with(begins) && line.contains(contains));
        assert!(self.code == Some(code) && found, "{:?}\n{}", self.code, self.text);
        self
    }
}

#[test]
fn a_chosen_source_that_works_ends_well_and_shows_no_token() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::with_broker("remote", &broker);
    let ended = machine.doctor(&[]);
    ended.says(0, "ok    settings  files: 0, no mistakes", "").says(
        0,
        "ok    remote",
        "account a1, plan unknown, ends ",
    );
    assert_eq!(ended.text.lines().count(), 2, "{}", ended.text);
    let json = machine.doctor(&["--json"]);
    let report: Value = serde_json::from_str(&json.text).unwrap();
    assert_eq!((&report["schema"], &report["exit_code"]), (&Value::from(1), &Value::from(0)));
    assert_eq!(report["checks"][1]["token"]["account_id"], "a1");
    for text in [ended.text, json.text] {
        assert!(!text.contains(&token_text(7)) && !text.contains(&key()), "{text}");
    }
    let asked = broker.asked();
    assert!(asked.iter().filter(|asked| asked.target() == "/codex").count() == 2, "no cache answers: {asked:?}");
    let with_key = asked.iter().filter(|asked| asked.authorization.is_some());
    assert!(with_key.clone().all(|asked| asked.target() == "/codex"), "the time of day needs no key: {asked:?}");
}

#[test]
fn the_first_chosen_source_that_fails_decides_the_end() {
    let broker = StubBroker::start(|_, _| problem(401, "unauthorized", ""));
    let ended = Machine::with_broker("remote,local", &broker).doctor(&[]);
    ended.says(77, "FAIL  remote", "chosen (1 of 2): what happened (unauthorized) - what to do");
    ended.says(77, "FAIL  local", "chosen (2 of 2): ").says(77, "FAIL  local", "does not exist - log in");
    let gone = Machine::new().with("CODEX_TOKEN_SOURCE", "remote").with("CODEX_REMOTE_URL", "http://127.0.0.1:1/codex");
    gone.with("TOKEN_HTTP_API_KEY", &key()).doctor(&[]).says(75, "FAIL  remote", "cannot reach 127.0.0.1");
    Machine::new().with("CODEX_TOKEN_SOURCE", "remote").doctor(&[]).says(78, "FAIL  remote", "no address of a broker");
    Machine::new().with("CODEX_TOKEN_SOURCE", "nonsense").doctor(&[]).says(78, "FAIL  settings", "expected local");
}

#[test]
fn a_source_that_is_set_up_and_not_chosen_is_looked_at_too() {
    let broker = StubBroker::start(|_, _| problem(403, "forbidden", ""));
    let login = r#"{"auth_mode":"chatgpt","tokens":{"access_token":"opaque-token","account_id":"mine"}}"#;
    let machine = Machine::with_broker("local", &broker).file("home/.codex/auth.json", login);
    let ended = machine.doctor(&[]);
    ended.says(0, "ok    local", "chosen: gives a token; account mine");
    ended.says(0, "warn  remote", "not chosen, and gives no token: what happened");
    assert!(!ended.text.contains("ssh") && !ended.text.contains("opaque"), "{}", ended.text);
}

#[test]
fn a_project_that_nobody_trusts_sends_nothing_anywhere() {
    let broker = StubBroker::start(|_, _| token(7));
    let theirs = format!("CODEX_TOKEN_SOURCE=remote\nCODEX_REMOTE_URL={}\n", broker.url());
    let machine = Machine::new().with("TOKEN_HTTP_API_KEY", &key()).file("project/scorpiox-env.txt", &theirs);
    machine.doctor(&[]).says(78, "FAIL  settings", "is not trusted - read it, then: scorpiox-config trust ");
    assert_eq!(broker.count(), 0);
}

#[test]
fn a_clock_that_differs_from_the_brokers_is_told() {
    let broker = StubBroker::start(|_, asked| match asked.target() {
        "/healthz" => response(200, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "{}"),
        _ => token(7),
    });
    let ended = Machine::with_broker("remote", &broker).doctor(&[]);
    ended.says(0, "warn  clock", "s ahead of the broker's - set it");
}

#[test]
fn mistakes_in_files_and_in_the_stock_clis_configuration_are_told() {
    let broker = StubBroker::start(|_, _| token(7));
    let machine = Machine::with_broker("remote", &broker)
        .file("home/.config/scorpiox/scorpiox-env.txt", "CODEX_REMOTE_ULR=x\n")
        .file("home/.codex/config.toml", "command = \"scorpiox-codex-fetchtoken\"\nargs = [\"--raw\"]\n");
    let ended = machine.doctor(&[]);
    ended.says(0, "warn  settings", "line 1: unknown setting CODEX_REMOTE_ULR");
    ended.says(0, "warn  stock CLI", "without --repeat-means-refused - set args");
    machine.file("home/.config/scorpiox/scorpiox-env.txt", "no equals\n").doctor(&[]).says(
        78,
        "FAIL  settings",
        "line 1: expected KEY=VALUE",
    );
}
