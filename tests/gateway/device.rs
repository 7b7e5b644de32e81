//! A program without a browser asks, and somebody decides.

use scorpiox_tests::process::Team;
use scorpiox_tests::process::http::Reply;
use serde_json::{Value, json};

use super::given_a_team;
use super::person::{hidden, invite, post, renew};

/// What the program was told.
pub(super) fn ask(team: &Team) -> Value {
    let asked = post(team, "/oauth/device_authorization", &[("client_id", "codex")], &[("user-agent", "program/1")]);
    assert_eq!(asked.status, 200, "{}", asked.text());
    asked.json()
}

/// It asks how it stands.
pub(super) fn poll(team: &Team, asked: &Value) -> Reply {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", asked["device_code"].as_str().unwrap()),
        ("client_id", "codex"),
    ];
    post(team, "/oauth/token", &fields, &[])
}

fn word(reply: &Reply) -> String {
    assert_eq!(reply.status, 400, "{}", reply.text());
    reply.json::<Value>()["error"].as_str().unwrap().to_owned()
}

fn code(asked: &Value) -> &str {
    asked["user_code"].as_str().unwrap()
}

/// A person types the code and an invite into the page.
fn types(team: &Team, code: &str, invite: &str) -> Reply {
    let form = hidden(&team.broker().get(&format!("/oauth/device?user_code={code}")));
    post(team, "/oauth/device", &[("request", &form), ("user_code", code), ("invite", invite)], &[])
}

#[test]
fn an_administrator_sees_who_asks_and_lets_it_in() {
    let team = given_a_team();
    let asked = ask(&team);
    assert_eq!((&asked["expires_in"], &asked["interval"]), (&json!(600), &json!(5)));
    assert_eq!(asked["verification_uri"], format!("{}/oauth/device", team.broker().url()));
    assert_eq!(word(&poll(&team, &asked)), "authorization_pending");
    let waiting: Value = team.admin().ask("GET", "/sign-ins", None).json();
    assert_eq!(waiting["items"][0]["user_code"], asked["user_code"]);
    assert_eq!(
        (&waiting["items"][0]["address"], &waiting["items"][0]["agent"]),
        (&json!("127.0.0.1"), &json!("program/1"))
    );
    let approval = json!({"name": "anna", "credential": "main"});
    let approve = format!("/sign-ins/{}/approve", code(&asked));
    assert_eq!(team.admin().ask("POST", &approve, Some(approval.clone())).status, 200);
    assert_eq!(team.admin().ask("POST", &approve, Some(approval)).status, 404, "it no longer waits");
    // It asks sooner than it was told to, so the good news waits too.
    assert_eq!(word(&poll(&team, &asked)), "slow_down");
}

#[test]
fn a_person_lets_it_in_with_an_invite_and_it_is_a_client_like_any_other() {
    let team = given_a_team();
    let invite = invite(&team, "anna", Some("main"));
    let asked = ask(&team);
    let page = types(&team, &code(&asked).to_lowercase(), &invite);
    assert_eq!(page.status, 200, "{}", page.text());
    let granted = poll(&team, &asked);
    assert_eq!(granted.status, 200, "{}", granted.text());
    let granted: Value = granted.json();
    assert_eq!(granted["access_token"], team.issued().access_token);
    assert_eq!(renew(&team, granted["refresh_token"].as_str().unwrap()).status, 200);
    assert_eq!(word(&poll(&team, &asked)), "expired_token", "it was told once");
}

#[test]
fn of_many_that_poll_with_one_code_at_once_one_is_let_in() {
    let team = given_a_team();
    let invite = invite(&team, "anna", Some("main"));
    let asked = ask(&team);
    assert_eq!(types(&team, code(&asked), &invite).status, 200);
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let polled: Vec<_> = (0..8).map(|_| scope.spawn(|| poll(&team, &asked))).collect();
        polled.into_iter().map(|polled| polled.join().unwrap()).collect()
    });
    let (granted, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(granted.len(), 1);
    for reply in refused {
        assert!(matches!(word(reply).as_str(), "slow_down" | "authorization_pending" | "expired_token"));
    }
    assert_eq!(team.admin().audit_of("stand_in.issue").len(), 1);
    assert_eq!(renew(&team, granted[0].json::<Value>()["refresh_token"].as_str().unwrap()).status, 200);
}

#[test]
fn a_wrong_code_costs_no_invite_and_the_page_does_not_tell_which_was_wrong() {
    let team = given_a_team();
    let invite = invite(&team, "anna", Some("main"));
    let asked = ask(&team);
    let wrong_code = types(&team, "BCDF-GHJK", &invite);
    let wrong_invite = types(&team, code(&asked), "BCDFG-HJKLM-NPQRS-TVWXZ");
    assert_eq!((wrong_code.status, wrong_invite.status), (403, 403));
    let sentence = "This code or this invite is not known here, or no longer.";
    assert!(wrong_code.text().contains(sentence) && wrong_invite.text().contains(sentence));
    assert_eq!(types(&team, code(&asked), &invite).status, 200);
    assert_eq!(types(&team, code(&asked), &invite).status, 403, "both are used");
}

#[test]
fn a_program_that_was_sent_away_gets_nothing() {
    let team = given_a_team();
    let asked = ask(&team);
    assert_eq!(team.admin().ask("POST", &format!("/sign-ins/{}/deny", code(&asked)), None).status, 200);
    assert_eq!(word(&poll(&team, &asked)), "access_denied");
    let nobody = team.admin().ask("POST", "/sign-ins/BCDF-GHJK/deny", None);
    assert_eq!(nobody.status, 404, "{}", nobody.text());
    assert_eq!(team.admin().ask("POST", "/sign-ins/1234/deny", None).status, 400);
}

#[test]
fn a_client_that_is_revoked_between_the_approval_and_its_token_gets_none() {
    let team = given_a_team();
    let asked = ask(&team);
    let approval = json!({"name": "anna", "credential": "main"});
    let approved = team.admin().ask("POST", &format!("/sign-ins/{}/approve", code(&asked)), Some(approval));
    assert_eq!(approved.status, 200, "{}", approved.text());
    team.admin().revoke("anna").unwrap();
    assert_eq!(word(&poll(&team, &asked)), "access_denied");
}

#[test]
fn an_eleventh_program_of_one_address_waits_for_the_others() {
    let team = given_a_team();
    for _ in 0..10 {
        ask(&team);
    }
    let full = post(&team, "/oauth/device_authorization", &[("client_id", "codex")], &[]);
    assert_eq!((full.status, full.header("retry-after")), (429, Some("600")), "{}", full.text());
    let other = post(&team, "/oauth/device_authorization", &[("client_id", "other")], &[]);
    assert_eq!(word(&other), "invalid_client");
}
