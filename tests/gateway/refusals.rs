//! Who gets nothing.

use scorpiox_tests::process::http::Reply;
use serde_json::{Value, json};

use super::given_a_team;
use super::person::{Person, REDIRECT, VERIFIER, code_for, invite, post, redeem, renew, signed_in};

fn assert_invalid_grant(reply: &Reply) {
    assert_eq!((reply.status, &reply.json::<Value>()["error"]), (400, &json!("invalid_grant")), "{}", reply.text());
}

#[test]
fn a_code_in_wrong_hands_brings_nothing_and_is_spent() {
    let team = given_a_team();
    let other = VERIFIER.replace('d', "e");
    for (verifier, redirect) in [
        (other.as_str(), REDIRECT),
        (VERIFIER, "http://127.0.0.1:18456/callback"),
        (VERIFIER, "http://localhost:18455/callback"),
    ] {
        let code = code_for(&team, &invite(&team, "anna", Some("main")));
        assert_invalid_grant(&redeem(&team, &code, verifier, redirect));
        assert_invalid_grant(&redeem(&team, &code, VERIFIER, REDIRECT));
    }
    assert_invalid_grant(&redeem(&team, "unknown", VERIFIER, REDIRECT));
}

#[test]
fn a_code_that_is_redeemed_again_ends_what_came_of_it() {
    let team = given_a_team();
    let code = code_for(&team, &invite(&team, "anna", Some("main")));
    let first: Value = redeem(&team, &code, VERIFIER, REDIRECT).json();
    let stand_in = first["refresh_token"].as_str().unwrap();
    assert_eq!(renew(&team, stand_in).status, 200);
    assert_invalid_grant(&redeem(&team, &code, VERIFIER, REDIRECT));
    assert_invalid_grant(&renew(&team, stand_in));
}

#[test]
fn a_code_that_several_redeem_at_once_serves_one_at_most_and_nobody_for_long() {
    let team = given_a_team();
    let code = code_for(&team, &invite(&team, "anna", Some("main")));
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(|| redeem(&team, &code, VERIFIER, REDIRECT))).collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let (granted, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    refused.into_iter().for_each(assert_invalid_grant);
    assert!(granted.len() <= 1, "{}", granted.len());
    // Nobody knows which of them is the thief.
    for reply in granted {
        assert_invalid_grant(&renew(&team, reply.json::<Value>()["refresh_token"].as_str().unwrap()));
    }
    assert_invalid_grant(&redeem(&team, &code, VERIFIER, REDIRECT));
}

#[test]
fn a_redemption_that_leaves_something_out_is_told_what() {
    let team = given_a_team();
    let whole = [
        ("grant_type", "authorization_code"),
        ("client_id", "codex"),
        ("code", "c"),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    for missing in ["client_id", "code", "redirect_uri", "code_verifier"] {
        let fields: Vec<_> = whole.into_iter().filter(|(name, _)| *name != missing).collect();
        let reply = post(&team, "/oauth/token", &fields, &[]);
        let body: Value = reply.json();
        assert_eq!((reply.status, &body["error"]), (400, &json!("invalid_request")));
        assert!(body["error_description"].as_str().unwrap().contains(missing), "{body}");
    }
}

#[test]
fn an_invite_is_good_once_for_one_of_many_who_show_it() {
    let team = given_a_team();
    let invite = invite(&team, "anna", Some("main"));
    let people: Vec<Person<'_>> = (0..8).map(|_| Person::asked(&team, "s")).collect();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let shown: Vec<_> = people.iter().map(|person| scope.spawn(|| person.shows(&invite).status)).collect();
        shown.into_iter().map(|shown| shown.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 303 | 403)), "{statuses:?}");
}

#[test]
fn an_invite_that_was_replaced_or_whose_client_was_revoked_lets_nobody_in() {
    let team = given_a_team();
    let first = invite(&team, "anna", Some("main"));
    let second = invite(&team, "anna", None);
    assert_eq!(Person::asked(&team, "s").shows(&first).status, 403);
    team.admin().revoke("anna").unwrap();
    assert_eq!(Person::asked(&team, "s").shows(&second).status, 403);
    let again = team.admin().ask("POST", "/clients/anna/invite", Some(json!({})));
    assert_eq!(again.status, 409, "{}", again.text());
}

#[test]
fn after_ten_wrong_invites_an_address_waits_also_with_a_right_one() {
    let team = given_a_team();
    let invite = invite(&team, "anna", Some("main"));
    let person = Person::asked(&team, "s");
    for number in 0..10 {
        let wrong = if number % 2 == 0 { "BCDFG-HJKLM-NPQRS-TVWXZ" } else { "not an invite" };
        let reply = person.shows(wrong);
        assert_eq!(reply.status, 403, "{}", reply.text());
        assert!(reply.text().contains("This invite is not known here"), "{}", reply.text());
    }
    let waits = person.shows(&invite);
    assert_eq!(waits.status, 429, "{}", waits.text());
    let seconds: u64 = waits.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=900).contains(&seconds), "{seconds}");
    let refused = team.admin().audit().into_iter().filter(|entry| entry.action == "invite.refused").count();
    assert_eq!(refused, 10);
}

#[test]
fn a_client_without_a_key_is_given_none_and_invites_change_no_grant() {
    let team = given_a_team();
    signed_in(&team, "anna");
    let ask = |method, target: &str, body| team.admin().ask(method, target, Some(body));
    assert_eq!(ask("POST", "/clients/anna/rotate-key", json!({})).status, 409);
    assert_eq!(ask("POST", "/clients/anna/invite", json!({"credential": "other"})).status, 409);
    assert_eq!(ask("POST", "/clients/bert/invite", json!({})).status, 400);
    assert_eq!(ask("POST", "/clients/bert/invite", json!({"credential": "other"})).status, 404);
    assert_eq!(ask("POST", "/clients/a%20b/invite", json!({"credential": "main"})).status, 400);
    assert!(team.admin().clients().iter().all(|client| client.name == "anna"));
}

#[test]
fn a_paused_login_brings_no_token_and_the_code_stays_good() {
    let team = given_a_team();
    let code = code_for(&team, &invite(&team, "anna", Some("main")));
    let paused = team.admin().ask("POST", "/credentials/main/pause", Some(json!({"renewal_only": false})));
    assert_eq!(paused.status, 200, "{}", paused.text());
    let reply = redeem(&team, &code, VERIFIER, REDIRECT);
    assert_eq!((reply.status, &reply.json::<Value>()["error"]), (503, &json!("temporarily_unavailable")));
    assert_eq!(team.admin().ask("POST", "/credentials/main/resume", None).status, 200);
    assert_eq!(redeem(&team, &code, VERIFIER, REDIRECT).status, 200);
}
