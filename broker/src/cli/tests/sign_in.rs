//! `client invite`, `pending`, `approve`, `deny`.

use serde_json::{Value, json};

use super::harness::{Broker, NOW, Person, page};

fn waits() -> Value {
    json!({
        "user_code": "BCDF-GHJK", "address": "192.0.2.7", "agent": "program/1\u{1b}[2J",
        "asked_at": NOW - 60, "expires_at": NOW + 540,
    })
}

fn approved() -> Value {
    json!({ "sign_in": waits(), "client": "anna", "credential": "main" })
}

const APPROVE: [&str; 7] = ["client", "approve", "bcdfghjk", "--name", "anna", "--credential", "main"];
const APPROVAL: &str = r#"POST /admin/v1/sign-ins/BCDF-GHJK/approve {"name":"anna","credential":"main"}"#;

#[test]
fn an_invite_is_the_answer_and_the_rest_is_talk() {
    let issued = json!({
        "client": "anna", "credential": "main", "invite": "BCDFG-HJKLM-NPQRS-TVWXZ",
        "expires_at": NOW + 900, "origin": "https://broker.example:8443",
    });
    let broker = Broker::scripted([(200, issued.clone()), (200, issued.clone())]);
    let seen = broker.runs(&["client", "invite", "anna", "--credential", "main"]);
    assert_eq!((seen.code, seen.stdout.as_str()), (0, "BCDFG-HJKLM-NPQRS-TVWXZ\n"));
    assert!(seen.stderr.contains("once") && !seen.stderr.contains("BCDFG"), "{}", seen.stderr);
    let seen = broker.runs(&["client", "invite", "anna", "--json"]);
    assert_eq!(seen.json(), issued);
    assert_eq!(
        broker.asked(),
        [
            r#"POST /admin/v1/clients/anna/invite {"credential":"main"}"#,
            r#"POST /admin/v1/clients/anna/invite {"credential":null}"#
        ]
    );
}

#[test]
fn a_person_sees_what_asks_before_it_is_let_in() {
    let broker = Broker::scripted([(200, page([waits()])), (200, approved())]);
    let seen = broker.serves(&Person::answering("y\n"), &APPROVE);
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(seen.stderr.contains("192.0.2.7") && seen.stderr.contains("program/1"), "{}", seen.stderr);
    assert!(!seen.stderr.contains("\u{1b}[2J"), "a program's text steers no terminal: {}", seen.stderr);
    assert_eq!(broker.asked()[1], APPROVAL);
}

#[test]
fn what_nobody_confirms_is_not_let_in() {
    let refused = Broker::scripted([(200, page([waits()]))]);
    assert_eq!(refused.serves(&Person::answering("n\n"), &APPROVE).code, 1);
    let alone = Broker::scripted([(200, page([waits()]))]);
    let seen = alone.runs(&APPROVE);
    assert_eq!(seen.code, 2, "{seen:?}");
    assert!(seen.stderr.contains("--yes"), "{}", seen.stderr);
    assert_eq!((refused.asked().len(), alone.asked().len()), (1, 1));
    let broker = Broker::scripted([(200, page([waits()])), (200, approved())]);
    assert_eq!(broker.runs(&[&APPROVE[..], &["--yes"]].concat()).code, 0);
    assert_eq!(broker.asked()[1], APPROVAL);
}

#[test]
fn a_code_that_nobody_shows_is_told_before_anything_is_asked() {
    let broker = Broker::scripted([(200, page([waits()]))]);
    let seen = broker.runs(&["client", "approve", "ZZZZ-ZZZZ", "--name", "anna", "--yes"]);
    assert_eq!(seen.code, 1, "{seen:?}");
    assert!(seen.stderr.contains("client pending"), "{}", seen.stderr);
    assert_eq!(broker.runs(&["client", "approve", "ABCD", "--name", "anna"]).code, 2);
    assert_eq!(broker.asked().len(), 1);
}

#[test]
fn waiting_programs_are_listed_and_sent_away() {
    let broker = Broker::scripted([(200, page([waits()])), (200, waits())]);
    let seen = broker.runs(&["client", "pending"]);
    assert!(seen.stdout.contains("BCDF-GHJK") && seen.stdout.contains("192.0.2.7"), "{}", seen.stdout);
    assert_eq!(broker.runs(&["client", "deny", "BCDF-GHJK"]).code, 0);
    assert_eq!(broker.asked()[1], "POST /admin/v1/sign-ins/BCDF-GHJK/deny");
}
