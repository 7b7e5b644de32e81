//! No secret appears outside the places where it belongs: the whole life of a broker, searched byte by byte.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fake_provider::{Account, Fault, How, Settings};
use scorpiox_tests::component;
use scorpiox_tests::process::http::Request;
use scorpiox_tests::process::team::import_of;
use scorpiox_tests::process::{Client, Ended, FetchToken, Team, binaries, snapshot};
use scorpiox_wire::TokenAnswer;
use scorpiox_wire::admin::LoginFlow;
use serde_json::json;

const PASSPHRASE: &str = "seven-lighthouses-and-a-teaspoon";
const PROXY_PASSWORD: &str = "hunter-of-the-lost-proxy";

/// What must not be found, each with a name that may be shown.
#[derive(Default)]
struct Canaries(Vec<(String, Vec<u8>)>);

impl Canaries {
    fn add(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= 12, "{name} is too short to be told from chance");
        self.0.push((name.to_owned(), secret.as_bytes().to_vec()));
    }

    /// A token whole, and pieces of it, in case that a log was kind enough to shorten it.
    fn add_token(&mut self, name: &str, token: &str) {
        self.add(name, token);
        self.add(&format!("{name}, a piece"), &token[token.len() - 40..token.len() - 16]);
        self.add(&format!("{name}, its end"), &token[token.len() - 16..]);
    }

    fn add_bytes(&mut self, name: &str, bytes: &[u8]) {
        self.0.push((name.to_owned(), bytes.to_vec()));
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.add(&format!("{name}, hexadecimal"), &digits);
        self.add(&format!("{name}, base64"), STANDARD.encode(bytes).trim_end_matches('='));
        self.add(&format!("{name}, base64url"), &URL_SAFE_NO_PAD.encode(bytes));
    }

    fn search(&self, place: &str, bytes: &[u8]) -> Vec<String> {
        let found = self.0.iter().filter(|(_, secret)| contains(bytes, secret));
        found.map(|(name, _)| format!("{name} in {place}")).collect()
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let first = wanted[0];
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        rest = &rest[at..];
        if rest.starts_with(wanted) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// The 32 bytes of a key file: its line `key`, in hexadecimal.
fn key_bytes(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    let digits = text.lines().find_map(|line| line.strip_prefix("key ")).unwrap().trim();
    assert_eq!(digits.len(), 64);
    (0..64).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// A broker that logs everything it can.
fn a_talkative_team() -> Team {
    let mut team = Team::not_started(Settings::default(), |plan| {
        plan.encrypted().with("SCORPIOX_BROKER_LOG_LEVEL", "trace").with("RUST_BACKTRACE", "1")
    });
    let file = team.path("passphrase");
    fs::write(&file, PASSPHRASE).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    team.change(|plan| plan.with("SCORPIOX_BROKER_KEYS_PASSPHRASE_FILE", file.to_str().unwrap()));
    team.start();
    team
}

/// Everything that can happen to a login and a key, errors that quote secrets included.
fn live(team: &mut Team, canaries: &mut Canaries) -> Vec<Client> {
    team.given_a_device_login("main");
    let admin = team.admin();
    let browser = LoginFlow::Browser { redirect_uri: "http://localhost:1455/auth/callback".to_owned() };
    let login = admin.begin_login("browser", browser, false).unwrap();
    canaries.add("an authorization code", "ac_that-came-from-somewhere");
    admin.login_callback(&login.id, "ac_that-came-from-somewhere", "a-wrong-state").unwrap();
    let file = team.provider.login_file(&Account::numbered(2));
    admin.import(&import_of("other", &file)).unwrap();
    admin.import(&import_of("other", &file)).unwrap_err();
    let mut torn = import_of("torn", &team.provider.login_file(&Account::numbered(3)));
    torn.account_id = "another".to_owned();
    admin.import(&torn).unwrap_err();
    let not_json = r#"{"name":"x","access_token":"at-of-a-torn-body","refresh_token":"rt-of-a-torn-body""#;
    canaries.add("an access token in a torn body", "at-of-a-torn-body");
    canaries.add("a refresh token in a torn body", "rt-of-a-torn-body");
    assert_eq!(admin.ask("POST", "/credentials", Some(json!(not_json))).status, 400);

    let (laptop, desktop) = (team.given_a_client("laptop"), team.given_a_client_of("desktop", "other"));
    let token = team.fetch(&laptop.key);
    team.refuse(&laptop.key, &token.tag());
    FetchToken::of(&laptop).run(&["--raw", "--verbose"]).token();
    for wrong in [laptop.key.0.replacen("sxk", "sxl", 1), laptop.key.0[..60].to_owned(), format!("{}x", laptop.key.0)] {
        let bearer = format!("Bearer {wrong}");
        let headers = [("authorization", bearer.as_str()), ("cookie", wrong.as_str()), ("user-agent", "a/1")];
        let target = format!("/codex?key={wrong}");
        team.broker().ask(&Request { target: &target, headers: &headers, ..Request::default() });
    }
    let replaced: Client = admin.rotate_key("desktop").unwrap().into();
    admin.revoke("laptop").unwrap();

    // The provider's answers quote what was sent, or bring tokens in a body that is something else.
    let quote =
        json!({"error": {"code": "odd", "message": format!("no token {}", team.issued().refresh_token.unwrap())}});
    team.given_longer_tokens();
    admin.refresh("main").unwrap();
    for fault in [
        Fault::refresh_status(400, quote.clone()),
        Fault::refresh_status(429, quote.clone()),
        Fault::refresh_status(200, json!("not what you think")),
        Fault::refresh_status(500, quote),
    ] {
        team.provider.fault(fault);
        let _ = admin.refresh("other");
        team.given_a_login_of("other", &Account::numbered(2));
    }
    team.provider.fault(Fault::refresh(How::TruncatedJson));
    admin.refresh("other").unwrap_err();
    admin.status();
    admin.verify_audit();
    vec![laptop, desktop, replaced]
}

/// The broker's own secrets and everybody's, as they are now.
fn collect(team: &Team, clients: &[Client], canaries: &mut Canaries) {
    for (index, secret) in team.provider.oracle().secrets().iter().enumerate() {
        canaries.add_token(&format!("token {index}"), secret);
    }
    for Client { name, key, .. } in clients {
        canaries.add(&format!("the key of {name}"), &key.0[17..60]);
    }
    canaries.add("the passphrase", PASSPHRASE);
}

fn environment_and_arguments(pid: u32) -> Vec<u8> {
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap();
    [read("environ"), read("cmdline")].concat()
}

#[test]
fn no_secret_is_in_logs_files_environment_or_arguments() {
    let mut team = a_talkative_team();
    let mut canaries = Canaries::default();
    let clients = live(&mut team, &mut canaries);
    let process = environment_and_arguments(team.broker().pid());
    let log = team.broker().log();
    let printed = team.broker().stdout();
    let first = team.kill_9();
    // Killed with an answer in its rescue slot and the log of the database not yet written back.
    team.change(|plan| plan.with("SCORPIOX_FAILPOINTS", "after_rescue=kill"));
    team.start();
    team.given_longer_tokens();
    let answer = team.admin().try_ask("POST", "/credentials/main/refresh", Some(json!({})));
    assert!(answer.is_err(), "it was to be killed: {}", answer.map(|reply| reply.text()).unwrap_or_default());
    let second: Ended = team.await_end();
    collect(&team, &clients, &mut canaries);

    let mut found = canaries.search("the environment or the arguments", &process);
    for (what, text) in [
        ("the log", &log),
        ("the answer on standard output", &printed),
        ("the log until the end", &first.stderr),
        ("the log of the second life", &second.stderr),
    ] {
        found.extend(canaries.search(what, text.as_bytes()));
    }
    let files = snapshot::files(team.data());
    let names: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    for expected in ["broker.db", "broker.db-wal", "audit-spool", "high-water", "rescue/slot"] {
        assert!(names.iter().any(|name| name.contains(expected)), "{expected} is not among {names:?}");
    }
    for (path, bytes) in &files {
        found.extend(canaries.search(&path.display().to_string(), bytes));
    }
    assert_eq!(found, [""; 0]);
    assert!(first.stderr.contains("\"level\":\"TRACE\"") || first.stderr.contains("\"level\":\"DEBUG\""), "it did log");
}

#[test]
fn the_broker_s_own_keys_are_in_their_own_files_only() {
    let mut team = Team::with(Settings::default(), |plan| {
        let proxy = format!("http://u:{PROXY_PASSWORD}@127.0.0.1:9");
        plan.encrypted().with("SCORPIOX_BROKER_LOG_LEVEL", "trace").with("SCORPIOX_BROKER_PROVIDER_PROXY", &proxy)
    });
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    assert_eq!(team.ask(&laptop.key).json::<TokenAnswer>().generation, 1);
    let _ = team.admin().refresh("main");
    let mut canaries = Canaries::default();
    canaries.add("the proxy's password", PROXY_PASSWORD);
    let key_files = ["master.key", "pepper.key"];
    for name in key_files {
        canaries.add_bytes(name, &key_bytes(&team.data().join(name)));
    }
    let tls_key = fs::read_to_string(team.data().join("tls/tls-key.pem")).unwrap();
    canaries.add("the certificate's key", tls_key.lines().nth(1).unwrap());
    let ended = team.stop();
    let mut found = canaries.search("the log", ended.stderr.as_bytes());
    found.extend(canaries.search("standard output", ended.stdout.as_bytes()));
    for (path, bytes) in snapshot::files(team.data()) {
        let own = |name: &&str| path.ends_with(name);
        if !key_files.iter().any(own) && !path.ends_with("tls/tls-key.pem") {
            found.extend(canaries.search(&path.display().to_string(), &bytes));
        }
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_search_would_find_a_secret() {
    let mut canaries = Canaries::default();
    canaries.add_token("token", "rt_1_2_abcdefghijklmnopqrstuvwxyz0123456789");
    canaries.add_bytes("key", &[0xab; 32]);
    for leak in [
        "x rt_1_2_abcdefghijklmnopqrstuvwxyz0123456789 y",
        "...1_2_abcdefghijklmnopqrst...",
        "...uvwxyz0123456789",
        &"ab".repeat(32),
    ] {
        assert!(!canaries.search("a log", leak.as_bytes()).is_empty(), "{leak}");
    }
    assert!(canaries.search("a log", b"nothing to see").is_empty());
}

#[test]
fn a_crash_writes_no_core_and_nobody_else_reads_the_memory() {
    let root = rustix::process::geteuid().is_root();
    let mut team = Team::not_started(Settings::default(), |plan| plan);
    // As root, whose own files tell nothing apart, it runs as somebody else.
    let user = if root { 54_321 } else { rustix::process::geteuid().as_raw() };
    if root {
        let program = team.path("scorpiox-broker");
        fs::copy(binaries::broker(), &program).unwrap();
        let home = team.path("");
        fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).unwrap();
        chown(&home, Some(user), Some(user)).unwrap();
        team.change(|plan| plan.as_user(&program, user));
    }
    team.start();
    let pid = team.broker().pid();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    // The files of a process that may not be dumped belong to root (proc(5)).
    assert_eq!(fs::metadata(format!("/proc/{pid}/mem")).unwrap().uid(), 0);
    let other = Command::new("/bin/sh").args(["-c", &format!("cat /proc/{pid}/environ")]).output().unwrap();
    if !root {
        return assert!(!other.status.success());
    }
    let own = std::os::unix::process::CommandExt::uid(&mut Command::new("/bin/cat"), user)
        .arg(format!("/proc/{pid}/environ"))
        .output();
    match own {
        Ok(output) => assert!(!output.status.success() && output.stdout.is_empty(), "the same user reads it"),
        Err(error) => component::leave_out(&format!("no program of another user can be started: {error}")),
    }
}
