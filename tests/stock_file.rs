//! `scorpiox-codex-fetchtoken --auth-file`: how the stock CLI's login gets onto a machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use fake_provider::{Account, Settings};
use scorpiox_tests::process::http::Request;
use scorpiox_tests::process::{FetchToken, Plan, Team};
use serde_json::{Value, json};

fn a_machine(plan: impl FnOnce(Plan) -> Plan) -> (Team, FetchToken) {
    let team = Team::with(Settings::default(), plan);
    team.given_a_login("main");
    let machine = FetchToken::of(&team.given_a_client("laptop"));
    (team, machine)
}

fn login(machine: &FetchToken) -> Value {
    let bytes = fs::read(machine.home().join(".codex/auth.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

const FETCH: [&str; 2] = ["--auth-file", ".codex/auth.json"];

#[test]
fn it_is_written_for_its_owner_alone_and_what_to_export_is_printed() {
    let (team, machine) = a_machine(|plan| plan);
    let fetched = machine.run(&FETCH);
    assert_eq!((fetched.code, fetched.stderr.as_str()), (0, ""), "{fetched:?}");
    let expected = format!("export CODEX_REFRESH_TOKEN_URL_OVERRIDE='{}/oauth/token'\n", team.broker().url());
    assert_eq!(fetched.stdout, expected);
    let path = machine.home().join(".codex/auth.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let beside = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(beside.filter(|name| name != "auth.json").collect::<Vec<_>>(), ["auth.json.lock"]);
    let first = login(&machine);
    assert_eq!(first["tokens"]["access_token"], team.issued().access_token.as_str());
    // Another one for the same account takes its place.
    assert_eq!(machine.run(&FETCH).code, 0);
    assert_ne!(login(&machine)["tokens"]["refresh_token"], first["tokens"]["refresh_token"]);
    assert_eq!(team.admin().audit_of("stand_in.revoke").len(), 1, "the one before has ended");
}

#[test]
fn two_at_once_for_one_file_leave_one_that_renews() {
    let (team, machine) = a_machine(|plan| plan);
    let fetched: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| machine.run(&FETCH))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(fetched.iter().all(|fetched| fetched.code == 0), "{fetched:?}");
    let stand_in = &login(&machine)["tokens"]["refresh_token"];
    let body = json!({ "grant_type": "refresh_token", "refresh_token": stand_in }).to_string();
    let headers = [("content-type", "application/json")];
    let request = Request { method: "POST", target: "/oauth/token", headers: &headers, body: Some(body) };
    assert_eq!(team.broker().ask(&request).status, 200);
}

#[test]
fn what_makes_the_stock_cli_trust_the_broker_is_said_too() {
    let (team, machine) = a_machine(Plan::encrypted);
    let pinned = machine.run(&FETCH);
    assert_eq!(pinned.code, 0, "{pinned:?}");
    assert!(pinned.stdout.contains("# export CODEX_CA_CERTIFICATE=FILE"), "{pinned:?}");
    let certificate = team.data().join("tls/tls-certificate.pem");
    let certificate = certificate.to_str().unwrap();
    let machine = machine.without("CODEX_REMOTE_PIN").with("CODEX_REMOTE_CA_FILE", certificate);
    let trusted = machine.run(&FETCH);
    assert!(trusted.stdout.contains(&format!("export CODEX_CA_CERTIFICATE='{certificate}'\n")), "{trusted:?}");
}

#[test]
fn another_login_is_not_overwritten_unless_that_is_meant() {
    let (team, machine) = a_machine(|plan| plan);
    let path = machine.home().join(".codex/auth.json");
    fs::create_dir(path.parent().unwrap()).unwrap();
    let own = team.provider.login_file(&Account::numbered(2)).to_string();
    for there in [own.as_str(), "", r#"{"OPENAI_API_KEY":"sk-1"}"#] {
        fs::write(&path, there).unwrap();
        machine.run(&FETCH).assert_refused(78);
        assert_eq!(fs::read_to_string(&path).unwrap(), there);
    }
    assert_eq!(team.admin().audit_of("stand_in.issue").len(), 0, "nothing was issued in vain");
    assert_eq!(machine.run(&[FETCH[0], FETCH[1], "--force"]).code, 0);
    let text = fs::read_to_string(&path).unwrap();
    let of_another_account = text.replace(&Account::numbered(1).account_id, "0000");
    assert_ne!(text, of_another_account);
    fs::write(&path, &of_another_account).unwrap();
    let issued = || [team.admin().audit_of("stand_in.issue").len(), team.admin().audit_of("stand_in.revoke").len()];
    let [before, _] = issued();
    machine.run(&FETCH).assert_refused(78);
    assert_eq!(fs::read_to_string(&path).unwrap(), of_another_account);
    assert_eq!(issued(), [before + 1, 1], "what was issued in vain has ended");
}

#[test]
fn a_refusal_leaves_no_file() {
    let (mut team, machine) = a_machine(|plan| plan);
    team.admin().revoke("laptop").unwrap();
    machine.run(&FETCH).assert_refused(77);
    team.stop();
    machine.run(&FETCH).assert_refused(75);
    assert!(!machine.home().join(".codex").exists());
    machine.without("CODEX_REMOTE_URL").run(&FETCH).assert_refused(78);
}
