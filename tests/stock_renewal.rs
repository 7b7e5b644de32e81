//! Stock clients renew at the broker with stand-ins, as they would at their own vendor's token endpoint.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fake_provider::{Account, Fault, Settings};
use scorpiox_tests::process::http::Request;
use scorpiox_tests::process::team::import_of;
use scorpiox_tests::process::{Client, Database, Key, Plan, Reply, Team};
use scorpiox_wire::stock::{AuthFile, Granted};
use scorpiox_wire::{Code, Secret};
use serde_json::{Value, json};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A refusal may renew a token of any age.
fn at_once(plan: Plan) -> Plan {
    plan.with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", "0s")
}

fn a_team(plan: impl FnOnce(Plan) -> Plan) -> (Team, Client) {
    let team = Team::with(Settings::default(), plan);
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    (team, laptop)
}

fn download(team: &Team, key: &Key) -> AuthFile {
    let reply = team.ask_with(key, "/codex/auth.json", &[]);
    assert_eq!((reply.status, reply.header("cache-control")), (200, Some("no-store")), "{}", reply.text());
    reply.json()
}

fn post(team: &Team, target: &str, content_type: &str, body: &str) -> Reply {
    let headers = [("content-type", content_type)];
    team.broker().ask(&Request { method: "POST", target, headers: &headers, body: Some(body.to_owned()) })
}

/// As the stock CLI asks; 0.145 gives no reason.
fn renew(team: &Team, stand_in: &Secret, reason: Option<&str>) -> Reply {
    let mut body = json!({"client_id": "app_x", "grant_type": "refresh_token", "refresh_token": stand_in.expose()});
    if let Some(reason) = reason {
        body["refresh_reason"] = reason.into();
    }
    post(team, "/oauth/token", JSON, &body.to_string())
}

fn renewed(team: &Team, stand_in: &Secret, reason: &str) -> Granted {
    let reply = renew(team, stand_in, Some(reason));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

const ENDING: &str = "proactive_expiry";
const REFUSED: &str = "unauthorized_recovery";

/// The status and the code that the stock CLI reads.
fn verdict(reply: &Reply) -> (u16, String) {
    let body: Value = reply.json();
    let code = body["error"]["code"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned();
    assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    assert!(!reply.text().contains("eyJ") && !reply.text().contains("sxr_"), "{body}");
    (reply.status, code)
}

fn deeds(team: &Team) -> Vec<String> {
    let actions = team.admin().audit().into_iter().map(|entry| entry.action);
    actions.filter(|action| action.starts_with("stand_in.")).collect()
}

#[test]
fn the_file_has_the_stock_shape_and_nothing_that_could_end_the_login() {
    let (team, laptop) = a_team(|plan| plan);
    let reply = team.ask_with(&laptop.key, "/codex/auth.json", &[]);
    let file: AuthFile = reply.json();
    let issued = team.issued();
    assert_eq!((file.auth_mode.as_str(), &file.api_key), ("chatgpt", &None));
    assert!(reply.text().contains(r#""OPENAI_API_KEY":null"#));
    assert_eq!(file.tokens.access_token.expose(), issued.access_token);
    assert_eq!(file.tokens.account_id, issued.account.account_id);
    assert!(file.tokens.refresh_token.expose().starts_with("sxr_"));
    for secret in [issued.refresh_token.as_ref().unwrap(), &issued.id_token] {
        assert!(!reply.text().contains(secret.as_str()), "the provider's own is in it");
    }
    let claims = file.tokens.id_token.expose().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["https://api.openai.com/auth"]["chatgpt_account_id"], issued.account.account_id.as_str());
    assert_eq!(claims["email"], issued.account.email.as_str());
    let stranger = team.broker().get("/codex/auth.json");
    assert_eq!(stranger.problem().code, Code::Unauthorized);
}

#[test]
fn it_answers_json_and_forms_with_every_member_and_ignores_what_it_does_not_know() {
    let (team, laptop) = a_team(|plan| plan);
    let file = download(&team, &laptop.key);
    let stand_in = file.tokens.refresh_token.expose();
    let json = json!({"grant_type": "refresh_token", "refresh_token": stand_in, "refresh_reason": ENDING,
                      "scope": "openid", "later": {"deep": 1}});
    let form = format!("grant_type=refresh_token&refresh_token={stand_in}&refresh_reason={ENDING}&client_id=x");
    for (content_type, body) in [(JSON, json.to_string()), (FORM, form)] {
        let reply = post(&team, "/oauth/token", content_type, &body);
        let members: BTreeSet<String> =
            reply.json::<serde_json::Map<String, Value>>().into_iter().map(|(name, _)| name).collect();
        let expected = ["access_token", "token_type", "expires_in", "refresh_token", "id_token"];
        assert_eq!(members, expected.map(str::to_owned).into());
        let granted: Granted = reply.json();
        assert_eq!(granted.access_token, file.tokens.access_token);
        assert_eq!((granted.token_type.as_str(), granted.expires_in > 360), ("Bearer", true));
        assert_eq!(granted.refresh_token, file.tokens.refresh_token, "the same token needs no other stand-in today");
        assert_eq!((reply.header("cache-control"), reply.header("pragma")), (Some("no-store"), Some("no-cache")));
    }
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn what_it_cannot_take_is_refused_in_the_shape_that_the_asker_reads() {
    let (team, _) = a_team(|plan| plan);
    for (content_type, body, status, code) in [
        (JSON, "{}", 400, "invalid_request"),
        (JSON, "[]", 400, "invalid_request"),
        (JSON, r#"{"grant_type":"refresh_token"}"#, 400, "invalid_request"),
        (JSON, r#"{"grant_type":"password","username":"x"}"#, 400, "unsupported_grant_type"),
        (JSON, r#"{"grant_type":"refresh_token","refresh_token":"rt_1"}"#, 401, "refresh_token_invalidated"),
    ] {
        assert_eq!(verdict(&post(&team, "/oauth/token", content_type, body)), (status, code.to_owned()), "{body}");
    }
    for (content_type, body, code) in [
        (FORM, "", "invalid_request"),
        (FORM, "grant_type=refresh_token&grant_type=refresh_token", "invalid_request"),
        (FORM, "grant_type=password", "unsupported_grant_type"),
        (FORM, "grant_type=refresh_token&refresh_token=rt_1", "invalid_grant"),
        ("text/plain", "grant_type=refresh_token", "invalid_request"),
    ] {
        let reply = post(&team, "/oauth/token", content_type, body);
        assert_eq!((reply.status, reply.json::<Value>()["error"].as_str()), (400, Some(code)), "{body}");
    }
    assert_eq!(team.broker().get("/oauth/token").problem().code, Code::MethodNotAllowed);
}

#[test]
fn a_storm_of_refusals_costs_one_rotation_and_everybody_gets_the_same() {
    let (team, laptop) = a_team(at_once);
    let first = download(&team, &laptop.key).tokens.refresh_token;
    let answers: Vec<Granted> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..20).map(|_| scope.spawn(|| renewed(&team, &first, REFUSED))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let late = renewed(&team, &first, REFUSED);
    let distinct: BTreeSet<(&str, &str)> =
        answers.iter().chain([&late]).map(|it| (it.access_token.expose(), it.refresh_token.expose())).collect();
    assert_eq!(distinct.len(), 1, "who comes late refuses a token that is gone already");
    assert_ne!(late.refresh_token, first);
    assert_eq!((team.provider.refresh_count(), team.provider.violations()), (1, vec![]));
    assert_eq!(renewed(&team, &late.refresh_token, ENDING).access_token, late.access_token);
}

#[test]
fn without_a_reason_a_token_that_lasts_counts_as_refused_and_one_that_is_too_young_is_given_again() {
    let (team, laptop) = a_team(at_once);
    let first = download(&team, &laptop.key).tokens;
    let second: Granted = renew(&team, &first.refresh_token, None).json();
    assert_ne!(second.access_token, first.access_token);
    assert_eq!(team.provider.refresh_count(), 1);
    let (team, laptop) = a_team(|plan| plan);
    let first = download(&team, &laptop.key).tokens;
    let again: Granted = renew(&team, &first.refresh_token, None).json();
    assert_eq!(again.access_token, first.access_token, "it did not say that this one was refused");
    let insists = renew(&team, &first.refresh_token, Some(REFUSED));
    assert_eq!(verdict(&insists), (503, "temporarily_unavailable".to_owned()));
    assert!(insists.header("retry-after").is_some());
    assert_eq!(team.provider.refresh_count(), 0);
}

/// The credential's token lasts so many seconds and is not renewed for the time being.
fn given_little_left(team: &Team, seconds: i64) {
    team.admin().pause_renewal("main").unwrap();
    let file = team.login_that_lasts(seconds, &Account::numbered(1));
    team.admin().import(&import_of("main", &file)).unwrap();
}

#[test]
fn under_six_minutes_only_if_none_better_can_be_had_and_under_five_never() {
    let (team, laptop) = a_team(at_once);
    let stand_in = download(&team, &laptop.key).tokens.refresh_token;
    given_little_left(&team, 359);
    let granted = renewed(&team, &stand_in, ENDING);
    assert!((301..360).contains(&granted.expires_in), "{}", granted.expires_in);
    given_little_left(&team, 290);
    let reply = renew(&team, &granted.refresh_token, Some(ENDING));
    assert_eq!(verdict(&reply), (503, "temporarily_unavailable".to_owned()));
    assert!(reply.header("retry-after").is_some() && reply.text().contains("'main'"), "{}", reply.text());
    assert_eq!(team.ask_with(&laptop.key, "/codex/auth.json", &[]).problem().code, Code::BackingOff);
    assert_eq!(team.ask(&laptop.key).status, 200, "who can say that it needs no more may have it");
    assert_eq!(team.provider.refresh_count(), 0);
    team.admin().resume("main").unwrap();
    let granted = renewed(&team, &granted.refresh_token, ENDING);
    assert!(granted.expires_in > 3600, "{}", granted.expires_in);
    assert_eq!(team.provider.refresh_count(), 1);
}

#[test]
fn a_login_that_ended_is_no_verdict_on_the_stand_in() {
    let (team, laptop) = a_team(at_once);
    let stand_in = download(&team, &laptop.key).tokens.refresh_token;
    team.provider.fault(Fault::refresh_code(401, "refresh_token_expired"));
    let reply = renew(&team, &stand_in, Some(REFUSED));
    assert_eq!(verdict(&reply), (503, "temporarily_unavailable".to_owned()));
    assert!(reply.text().contains("scorpiox-broker login --name main"), "{}", reply.text());
    team.given_a_login("main");
    let granted = renewed(&team, &stand_in, REFUSED);
    assert_eq!(granted.access_token.expose(), team.issued().access_token);
}

#[test]
fn revoking_a_client_or_changing_its_key_ends_its_stand_ins_at_once() {
    let (mut team, laptop) = a_team(|plan| plan);
    let desktop = team.given_a_client("desktop");
    let spare = team.given_a_client("spare");
    let [one, other, lasting] = [&laptop, &desktop, &spare].map(|it| download(&team, &it.key).tokens.refresh_token);
    team.admin().revoke("laptop").unwrap();
    team.admin().rotate_key("desktop").unwrap();
    let dead = (401, "refresh_token_invalidated".to_owned());
    for stand_in in [&one, &other] {
        assert_eq!(verdict(&renew(&team, stand_in, Some(ENDING))), dead);
        let form = format!("grant_type=refresh_token&refresh_token={}", stand_in.expose());
        let reply = post(&team, "/oauth/token", FORM, &form);
        assert_eq!((reply.status, &reply.json::<Value>()["error"]), (400, &json!("invalid_grant")));
    }
    team.restart();
    for stand_in in [&one, &other] {
        assert_eq!(verdict(&renew(&team, stand_in, Some(ENDING))), dead, "also after a restart");
    }
    renewed(&team, &lasting, ENDING);
}

/// A moment of the one family lies so much further back, as if it had gone on like this.
fn aged(team: &mut Team, moment: &str, seconds: u32) {
    team.stop();
    let earlier = format!("json_extract(lineage, '{moment}') - {seconds}");
    let statement = format!("UPDATE stand_ins SET lineage = json_set(lineage, '{moment}', {earlier})");
    assert_eq!(Database::of(team.data()).execute(&statement), 1);
    team.start();
}

#[test]
fn it_changes_after_a_day_and_the_one_before_is_good_for_another_hour() {
    let (mut team, laptop) = a_team(|plan| plan);
    let first = download(&team, &laptop.key).tokens.refresh_token;
    assert_eq!(renewed(&team, &first, ENDING).refresh_token, first);
    aged(&mut team, "$.newest.since", 24 * 60 * 60);
    let second = renewed(&team, &first, ENDING).refresh_token;
    assert_ne!(second, first);
    assert_eq!(renewed(&team, &second, ENDING).refresh_token, second);
    aged(&mut team, "$.replaced[0].since", 60 * 60 - 120);
    assert_eq!(renewed(&team, &first, ENDING).refresh_token, second, "another process of the same file");
    aged(&mut team, "$.replaced[0].since", 120);
    assert_eq!(verdict(&renew(&team, &first, Some(ENDING))), (401, "refresh_token_reused".to_owned()));
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn a_stand_in_that_was_replaced_long_ago_ends_its_family_and_is_written_down() {
    let (team, laptop) = a_team(at_once);
    let copied = download(&team, &laptop.key).tokens.refresh_token;
    let mut newest = copied.clone();
    for _ in 0..10 {
        team.given_longer_tokens();
        newest = renewed(&team, &newest, ENDING).refresh_token;
        team.admin().refresh("main").unwrap();
    }
    renewed(&team, &newest, ENDING);
    assert_eq!(verdict(&renew(&team, &copied, Some(ENDING))), (401, "refresh_token_reused".to_owned()));
    let dead = (401, "refresh_token_invalidated".to_owned());
    assert_eq!(verdict(&renew(&team, &newest, Some(ENDING))), dead, "both holders are out");
    assert_eq!(deeds(&team), ["stand_in.issue", "stand_in.reused"]);
    assert_eq!(team.fetch(&laptop.key).generation, 11, "the login itself and the key are as they were");
}

#[test]
fn logging_out_ends_the_stand_in_only_and_never_fails() {
    let (team, laptop) = a_team(|plan| plan);
    let [one, other] = [(); 2].map(|()| download(&team, &laptop.key).tokens.refresh_token);
    let forged = format!("{}A", &one.expose()[..one.expose().len() - 1]);
    for body in [json!({"token": "rt_1"}), json!({"token": forged}), json!({}), json!([]), json!({"token": 7})] {
        assert_eq!(post(&team, "/oauth/revoke", JSON, &body.to_string()).status, 200, "{body}");
    }
    renewed(&team, &one, ENDING);
    let form = format!("token={}&token_type_hint=refresh_token", one.expose());
    for _ in 0..2 {
        assert_eq!(post(&team, "/oauth/revoke", FORM, &form).status, 200);
    }
    assert_eq!(verdict(&renew(&team, &one, Some(ENDING))).0, 401);
    renewed(&team, &other, ENDING);
    assert_eq!(deeds(&team), ["stand_in.issue", "stand_in.issue", "stand_in.revoke"]);
    assert_eq!(team.fetch(&laptop.key).generation, 1);
    assert_eq!((team.provider.refresh_count(), team.provider.violations()), (0, vec![]));
}

#[test]
fn they_outlive_a_restart_and_a_client_has_sixteen_at_most() {
    let (mut team, laptop) = a_team(|plan| plan);
    let desktop = download(&team, &team.given_a_client("desktop").key).tokens.refresh_token;
    let all: Vec<Secret> = (0..17).map(|_| download(&team, &laptop.key).tokens.refresh_token).collect();
    let living = |team: &Team| all.iter().filter(|it| renew(team, it, Some(ENDING)).status == 200).count();
    assert_eq!(living(&team), 16);
    team.restart();
    assert_eq!(living(&team), 16);
    renewed(&team, &desktop, ENDING);
}

#[test]
fn dead_ones_cost_the_database_nothing() {
    // Without a limit: each of them is looked at.
    let (team, laptop) = a_team(|plan| plan.with("SCORPIOX_BROKER_LIMITS_FAILURES_PER_MINUTE", "0"));
    let dead = download(&team, &laptop.key).tokens.refresh_token;
    team.admin().revoke("laptop").unwrap();
    let body = format!("grant_type=refresh_token&refresh_token={}", dead.expose());
    let headers = [("content-type", FORM)];
    let request = Request { method: "POST", target: "/oauth/token", headers: &headers, body: Some(body) };
    let mut connection = team.broker().connect().unwrap();
    assert_eq!(connection.ask(&request).unwrap().status, 400);
    let written = || std::fs::metadata(team.data().join("broker.db-wal")).unwrap().len();
    let before = (written(), team.admin().audit().len());
    for _ in 0..10_000 {
        assert_eq!(connection.ask(&request).unwrap().status, 400);
    }
    assert_eq!((written(), team.admin().audit().len()), before);
}
