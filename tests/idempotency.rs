//! A change that is asked for twice under one name is made once, whatever happens in between.

use std::thread;

use fake_provider::{Fault, Hold, How};
use scorpiox_tests::process::admin::Admin;
use scorpiox_tests::process::{Database, Team, patience};
use scorpiox_wire::Code;
use serde_json::{Value, json};

fn laptop() -> Option<Value> {
    Some(json!({"name": "laptop", "credential": "main"}))
}

#[test]
fn a_repeated_change_gets_the_first_answer_also_from_a_broker_that_was_killed() {
    let mut team = Team::new();
    team.given_a_login("main");
    let first = team.admin().ask_once("k1", "POST", "/clients", laptop());
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None));
    team.kill_9();
    team.start();
    let again = team.admin().ask_once("k1", "POST", "/clients", laptop());
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(again.body, first.body, "the key is told once more");
    assert_eq!(again.header("cache-control"), Some("no-store"));
    assert_eq!(team.admin().audit_of("client.create").len(), 1);
    // A refusal is an answer too; without a name it is asked anew.
    for key in ["k2", "k2"] {
        assert_eq!(team.admin().ask_once(key, "POST", "/clients", laptop()).problem().code, Code::Conflict);
    }
}

#[test]
fn the_name_of_a_change_is_good_for_that_change_only() {
    let team = Team::new();
    team.given_a_login("main");
    let admin = team.admin();
    assert_eq!(admin.ask_once("k1", "POST", "/credentials/main/pause", Some(json!({}))).status, 200);
    for (target, body) in [("/credentials/main/pause", json!({"renewal_only": true})), ("/clients", json!({}))] {
        let problem = admin.ask_once("k1", "POST", target, Some(body)).problem();
        assert_eq!(problem.code, Code::IdempotencyMismatch, "{problem:?}");
    }
    for bad in ["", "a b", &"k".repeat(256)] {
        let problem = admin.ask_once(bad, "POST", "/credentials/main/resume", None).problem();
        assert_eq!(problem.code, Code::BadRequest, "{problem:?}");
    }
    // Looking needs no name and takes none.
    assert_eq!(admin.ask_once("k1", "GET", "/credentials/main", None).header("idempotency-replayed"), None);
}

#[test]
fn a_change_that_is_being_made_is_not_begun_again_and_its_repeat_hears_what_came_of_it() {
    let team = Team::new();
    team.given_a_login("main");
    team.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    let refresh = || team.admin().ask_once("k1", "POST", "/credentials/main/refresh", Some(json!({})));
    thread::scope(|scope| {
        let first = scope.spawn(refresh);
        team.provider.wait_for_held(1);
        assert_eq!(refresh().problem().code, Code::InProgress);
        team.provider.release();
        let first = first.join().unwrap();
        assert_eq!((first.status, refresh().body == first.body), (200, true));
    });
    assert_eq!(team.admin().credential("main").generation, 2);
}

#[test]
fn whoever_hung_up_is_told_by_the_repeat() {
    let team = Team::new();
    team.given_a_login("main");
    team.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    let refresh = |admin: Admin| admin.ask_once("k1", "POST", "/credentials/main/refresh", Some(json!({})));
    let waiting = team.admin().begin_once("k1", "POST", "/credentials/main/refresh", Some(json!({})));
    team.provider.wait_for_held(1);
    drop(waiting);
    team.provider.release();
    let answer = patience::until("the first request's answer", || {
        let answer = refresh(team.admin());
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(answer.header("idempotency-replayed"), Some("true"));
    assert_eq!(team.admin().credential("main").generation, 2);
}

#[test]
fn a_revocation_without_a_name_holds_when_its_connection_was_reset() {
    let mut team = Team::new();
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    assert_eq!(team.ask(&laptop.key).status, 200);
    let mut database = Database::of(team.data());
    database.lock();
    let asking = team.admin().begin_to_reset("POST", "/clients/laptop/revoke", Some(json!({})));
    patience::until("the shut gate", || (team.ask(&laptop.key).status == 401).then_some(()));
    drop(asking);
    database.unlock();
    drop(database);
    patience::until("the revocation in the audit", || {
        (team.admin().audit_of("client.revoke").len() == 1).then_some(())
    });
    team.restart();
    assert_eq!(team.ask(&laptop.key).status, 401);
}

#[test]
fn a_renewal_without_a_name_is_written_down_when_its_connection_was_reset() {
    let team = Team::new();
    team.given_a_login("main");
    team.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    let asking = team.admin().begin_to_reset("POST", "/credentials/main/refresh", Some(json!({})));
    team.provider.wait_for_held(1);
    drop(asking);
    team.provider.release();
    patience::until("its line", || (team.admin().audit_of("credential.refresh").len() == 1).then_some(()));
}

#[test]
fn a_broker_that_was_killed_in_between_says_that_it_is_unknown() {
    let mut team = Team::new();
    team.given_a_login("main");
    team.provider.fault(Fault::refresh(How::Plain).hold(Hold::BeforeAnswering));
    let _waiting = team.admin().begin_once("k1", "POST", "/credentials/main/refresh", Some(json!({})));
    team.provider.wait_for_held(1);
    team.kill_9();
    team.provider.release();
    team.start();
    let problem = team.admin().ask_once("k1", "POST", "/credentials/main/refresh", Some(json!({}))).problem();
    assert_eq!(problem.code, Code::OutcomeUnknown, "{problem:?}");
}

#[test]
fn a_name_is_free_again_when_nothing_was_done() {
    let team = Team::new();
    team.given_a_login("main");
    let busy = How::Status { status: 429, body: Value::Null };
    team.provider.fault(Fault::refresh(busy));
    let refresh = || team.admin().ask_once("k1", "POST", "/credentials/main/refresh", Some(json!({})));
    assert_eq!(refresh().status, 503);
    let again = refresh();
    assert_eq!(again.header("idempotency-replayed"), None, "{}", again.text());
}
