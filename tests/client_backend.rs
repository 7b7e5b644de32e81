//! What the backend says of limits and models, asked with a token of a real broker.

use std::fs;
use std::time::Duration;

use fake_provider::{Endpoint, Fault, How, Settings};
use scorpiox_tests::process::fetchtoken::Fetched;
use scorpiox_tests::process::{FetchToken, Plan, Team};
use serde_json::{Value, json};

const USAGE: &str = "scorpiox-codex-usage";
const MODELS: &str = "scorpiox-codex-models";

/// A team with a login, and a machine whose backend is the provider.
fn a_team(plan: impl FnOnce(Plan) -> Plan) -> (Team, FetchToken) {
    let team = Team::with(Settings::default(), plan);
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    let backend = format!("{}/backend-api/codex", team.provider.url());
    (team, FetchToken::of(&laptop).with("CODEX_BASE_URL", &backend).with("TZ", "UTC"))
}

fn at_once(plan: Plan) -> Plan {
    plan.with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", "0s")
}

fn good(fetched: &Fetched) -> &str {
    assert_eq!((fetched.code, fetched.stderr.as_str()), (0, ""), "{fetched:?}");
    &fetched.stdout
}

fn json_of(fetched: &Fetched) -> Value {
    serde_json::from_str(good(fetched)).unwrap()
}

#[test]
fn usage_is_a_line_per_window_or_one_line_of_json() {
    let (team, machine) = a_team(|plan| plan);
    let window = |percent, seconds| json!({"used_percent": percent, "limit_window_seconds": seconds, "reset_at": 1});
    team.provider.oracle().settings_mut().usage = Some(json!({
        "plan_type": "plus",
        "rate_limit": {"primary_window": window(4, 604_800), "secondary_window": window(55, 18_000)},
        "credits": null,
    }));
    let expected = "plan      plus\n\
        5 hours   [###########.........]  55 %  resets now\n\
        7 days    [#...................]   4 %  resets now\n";
    assert_eq!(good(&machine.run_program(USAGE, &[])), expected);
    assert_eq!(good(&machine.run(&["--usage"])), expected);
    let line = json_of(&machine.run_program(USAGE, &["--json"]));
    assert_eq!(line["limits"][0]["windows"][0], json!({"seconds": 18000, "used_percent": 55.0, "resets_at": 1}));
    assert_eq!((&line["schema"], &line["credits"]), (&json!(1), &Value::Null));
    assert_eq!(json_of(&machine.run(&["--usage", "--json"])), line);
    let asked = team.provider.log_of(Endpoint::Usage);
    assert_eq!(asked.len(), 4);
    let received = &asked[0].received;
    assert_eq!(received["chatgpt-account-id"], team.issued().account.account_id);
    assert_eq!((received["originator"].as_str(), received.contains_key("version")), ("scorpiox", true));
    assert!(received["user-agent"].starts_with("scorpiox/"), "{received:?}");
}

#[test]
fn a_refused_token_is_renewed_once_and_nobody_notices() {
    let (team, machine) = a_team(at_once);
    machine.run(&["--raw"]).token();
    let newest = *team.provider.oracle().newest().last().unwrap();
    assert!(team.provider.refuse_access(newest));
    assert_eq!(json_of(&machine.run_program(USAGE, &["--json"]))["plan"], team.issued().account.plan_type);
    let statuses: Vec<_> = team.provider.log_of(Endpoint::Usage).iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(401), Some(200)]);
    assert_eq!((team.provider.refresh_count(), team.provider.violations().len()), (1, 0));
}

#[test]
fn a_login_that_stays_refused_is_a_persons_matter_after_two_requests() {
    let (team, machine) = a_team(at_once);
    let refused = json!({"error": {"message": "signed out", "code": "token_invalidated"}});
    team.provider.fault(Fault::on(Endpoint::Usage, How::Status { status: 401, body: refused }).times(9));
    let failed = machine.run_program(USAGE, &[]);
    failed.assert_refused(69);
    assert!(failed.stderr.contains("signed out"), "{failed:?}");
    assert_eq!((team.provider.log_of(Endpoint::Usage).len(), team.provider.refresh_count()), (2, 1));
}

#[test]
fn every_fault_of_the_backend_has_its_exit_code_and_one_line() {
    let (team, machine) = a_team(|plan| plan);
    let slow = json!({"error": {"message": "Slow down.", "code": "slow_down"}});
    let cases = [
        (How::Status { status: 429, body: slow }, 75, "429: Slow down."),
        (How::Status { status: 500, body: Value::Null }, 75, "500"),
        (How::Status { status: 400, body: json!({"detail": "requires a newer version"}) }, 78, "CODEX_CLIENT_VERSION"),
        (How::Html { status: 403 }, 75, "403"),
        (How::Html { status: 200 }, 75, "not about usage"),
        (How::Garbage, 75, "not UTF-8"),
        (How::TruncatedJson, 75, "not about usage"),
        (How::CutBefore { reset: true }, 75, "cannot reach 127.0.0.1"),
        (How::CutAfter { reset: false, body_bytes: Some(10) }, 75, "cannot reach 127.0.0.1"),
        (How::Oversize { bytes: 5 * 1024 * 1024 }, 75, "too long"),
        (How::Redirect { status: 307, location: "http://127.0.0.1:1/".into() }, 78, "a redirect is never followed"),
    ];
    for (how, code, words) in cases {
        team.provider.fault(Fault::on(Endpoint::Usage, how.clone()));
        let failed = machine.run_program(USAGE, &["--json"]);
        failed.assert_refused(code);
        assert!(failed.stderr.contains(words), "{how:?}: {failed:?}");
    }
    assert_eq!(team.provider.refresh_count(), 0, "none of these is about the token");
}

#[test]
fn without_a_token_the_backend_is_not_asked() {
    let (team, machine) = a_team(|plan| plan);
    team.admin().revoke("laptop").unwrap();
    for program in [USAGE, MODELS] {
        machine.run_program(program, &[]).assert_refused(77);
    }
    assert!(team.provider.log_of(Endpoint::Usage).is_empty() && team.provider.log_of(Endpoint::Models).is_empty());
}

/// Makes the catalogue that is kept an hour older.
fn age_the_catalogue(machine: &FetchToken) {
    let path = machine.cache().join("models.json");
    let mut kept: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    kept["obtained_ms"] = json!(kept["obtained_ms"].as_i64().unwrap() - 3_600_000);
    fs::write(&path, kept.to_string()).unwrap();
}

#[test]
fn the_catalogue_is_kept_confirmed_and_served_when_the_endpoint_is_away() {
    let (team, machine) = a_team(|plan| plan);
    let body = json!({"models": [{"slug": "gpt-x", "description": "\u{9b}31m", "visibility": "list"}]});
    team.provider.oracle().settings_mut().models = Some(body.clone());
    let first = machine.run_program(MODELS, &[]);
    assert_eq!(json_of(&first), body);
    assert!(!first.stdout.contains('\u{9b}'));
    assert_eq!(json_of(&machine.run(&["--models"])), body);
    let statuses = || team.provider.log_of(Endpoint::Models).iter().map(|entry| entry.status).collect::<Vec<_>>();
    assert_eq!(statuses(), [Some(200)], "asked a moment ago");
    age_the_catalogue(&machine);
    assert_eq!(json_of(&machine.run_program(MODELS, &[])), body);
    assert_eq!(statuses(), [Some(200), Some(304)]);
    for how in
        [How::Status { status: 500, body: Value::Null }, How::Html { status: 200 }, How::CutBefore { reset: false }]
    {
        age_the_catalogue(&machine);
        team.provider.fault(Fault::on(Endpoint::Models, how.clone()));
        let stale = machine.run_program(MODELS, &[]);
        assert_eq!((stale.code, serde_json::from_str(&stale.stdout).ok()), (0, Some(body.clone())), "{stale:?}");
        assert!(stale.stderr.contains("this catalogue is 60 min old"), "{stale:?}");
        machine.run_program(MODELS, &[]);
    }
    team.provider.oracle().settings_mut().models = Some(json!({"models": []}));
    age_the_catalogue(&machine);
    assert_eq!(json_of(&machine.run_program(MODELS, &[])), json!({"models": []}), "a new one takes its place");
}

#[test]
fn another_client_version_has_a_catalogue_of_its_own() {
    let (team, machine) = a_team(|plan| plan);
    good(&machine.run_program(MODELS, &[]));
    let newer = machine.with("CODEX_CLIENT_VERSION", "9.9.9");
    good(&newer.run_program(MODELS, &[]));
    let asked = team.provider.log_of(Endpoint::Models);
    assert_eq!((asked.len(), asked[1].received["version"].as_str()), (2, "9.9.9"));
    assert!(!asked[1].received.contains_key("if-none-match"));
}

#[test]
fn an_endpoint_that_says_nothing_is_given_up_after_five_seconds() {
    let (team, machine) = a_team(|plan| plan);
    let mute = || Fault::on(Endpoint::Models, How::Plain).delay(Duration::from_secs(60));
    team.provider.fault(mute());
    let failed = machine.run_program(MODELS, &[]);
    failed.assert_refused(75);
    assert!(failed.stderr.contains("did not answer in time"), "{failed:?}");
}

#[test]
fn a_settings_file_cannot_say_where_the_token_goes() {
    let (team, machine) = a_team(|plan| plan);
    let machine = machine.without("CODEX_BASE_URL").with("CODEX_BASE_URL", "http://backend.example/codex");
    machine.run_program(USAGE, &[]).assert_refused(78);
    let elsewhere = FetchToken::of(&team.given_a_client("desktop")).with("HTTPS_PROXY", "http://127.0.0.1:9");
    fs::create_dir(elsewhere.home().join(".git")).unwrap();
    let file = format!("CODEX_BASE_URL={}/backend-api/codex\n", team.provider.url());
    fs::write(elsewhere.home().join("scorpiox-env.txt"), file).unwrap();
    // The proxy leads nowhere, so the usual address is not reached either.
    let failed = elsewhere.run_program(USAGE, &[]);
    assert_eq!((failed.code, failed.stdout.as_str()), (75, ""), "{failed:?}");
    assert!(failed.stderr.contains("CODEX_BASE_URL") && failed.stderr.contains("chatgpt.com"), "{failed:?}");
    assert!(team.provider.log_of(Endpoint::Usage).is_empty());
}
