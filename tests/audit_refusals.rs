//! What an administrator, or somebody who would like to be one, was refused is in the audit too, in few lines.

use fake_provider::Settings;
use scorpiox_tests::process::network::Network;
use scorpiox_tests::process::{Team, patience};
use scorpiox_wire::admin::{AdminKeyIssued, LoginFlow};
use scorpiox_wire::{Code, Secret};
use serde_json::json;

#[test]
fn a_change_that_was_refused_is_a_line_with_the_code_of_the_refusal() {
    let team = Team::new();
    team.given_a_login("main");
    team.given_a_client("laptop");
    let admin = team.admin();
    let client = json!({ "name": "laptop", "credential": "main" });
    assert_eq!(admin.ask("POST", "/clients", Some(client.clone())).problem().code, Code::Conflict);
    assert_eq!(admin.ask("DELETE", "/credentials/other", None).problem().code, Code::NotFound);
    let import =
        json!({ "name": "third", "access_token": "a", "account_id": "b", "refresh_token": "", "id_token": "" });
    assert_eq!(admin.ask("POST", "/credentials", Some(import)).problem().code, Code::BadRequest);
    assert_eq!(admin.ask("POST", "/clients", Some(json!({ "name": "x", "what": 1 }))).problem().code, Code::BadRequest);
    // What an operation says itself is said once.
    let elsewhere = LoginFlow::Browser { redirect_uri: "http://10.0.0.1:1455/auth/callback".to_owned() };
    assert_eq!(admin.begin_login("third", elsewhere, false).unwrap_err().code, Code::BadRequest);
    // The same request once more, under its name: nothing new was asked for.
    for _ in 0..2 {
        assert_eq!(admin.ask_once("k1", "POST", "/clients", Some(client.clone())).problem().code, Code::Conflict);
    }
    assert_eq!(admin.ask("GET", "/credentials/other", None).problem().code, Code::NotFound);
    let refused = admin.audit().into_iter().filter(|entry| entry.outcome != "ok");
    let refused: Vec<_> = refused
        .inspect(|entry| assert!(entry.actor.starts_with("admin:uid=") && !entry.request_id.is_empty(), "{entry:?}"))
        .map(|entry| format!("{} {} {}", entry.action, entry.object, entry.outcome))
        .collect();
    let expected = [
        "client.create client:laptop conflict",
        "credential.remove credential:other not_found",
        "credential.import credential:third bad_request",
        "client.create client:x bad_request",
        "login.begin credential:third bad_request",
        "client.create client:laptop conflict",
    ];
    assert_eq!(refused, expected);
}

#[test]
fn an_administrator_without_the_scope_and_a_stranger_are_a_line_each_minute_and_the_others_are_counted() {
    let mut team = Team::with(Settings::default(), |plan| plan.with("SCORPIOX_BROKER_ADMIN_LISTEN", "127.0.0.1:0"));
    let network = Network::of(team.broker());
    let body = json!({ "name": "dashboard", "scopes": ["read"] });
    let issued: AdminKeyIssued = team.admin().ask("POST", "/admin-keys", Some(body)).json();
    let unknown = given_no_longer(&team);
    for _ in 0..5 {
        let reply = network.ask("DELETE", "/credentials/main", Some(issued.key.expose()), None);
        assert_eq!(reply.problem().code, Code::Forbidden);
    }
    for _ in 0..3 {
        assert_eq!(network.ask("GET", "/status", Some(unknown.expose()), None).problem().code, Code::Unauthorized);
    }
    let told = |team: &Team| -> Vec<String> {
        let lines = team.admin().audit_of("admin.denied").into_iter();
        lines
            .inspect(|line| assert!(line.address == "127.0.0.1" && !line.request_id.is_empty(), "{line:?}"))
            .map(|line| format!("{} {} {} {}", line.actor, line.object, line.outcome, line.detail))
            .collect()
    };
    // Nobody waited for them.
    let first = patience::until("the first refusal of each", || Some(told(&team)).filter(|told| told.len() >= 2));
    let expected = [
        "admin-key:dashboard DELETE /admin/v1/credentials/{name} forbidden ",
        "admin:(unknown) GET /admin/v1/status unauthorized ",
    ];
    assert_eq!(first, expected);
    team.restart();
    let after = told(&team);
    assert_eq!(after[..2], expected);
    let counted = [
        "admin-key:dashboard DELETE /admin/v1/credentials/{name} forbidden 4 more were refused",
        "admin:(unknown) GET /admin/v1/status unauthorized 2 more were refused",
    ];
    assert_eq!(after[2..], counted);
}

/// An admin key that was revoked.
fn given_no_longer(team: &Team) -> Secret {
    let body = json!({ "name": "gone", "scopes": ["everything"] });
    let issued: AdminKeyIssued = team.admin().ask("POST", "/admin-keys", Some(body)).json();
    assert_eq!(team.admin().ask("DELETE", "/admin-keys/gone", None).status, 200);
    issued.key
}
