//! The stock Codex CLI with the broker as its OAuth server: no key and no file of ours is on its machine.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use scorpiox_tests::process::Team;
use scorpiox_tests::process::http::{Connection, Request};
use serde_json::{Value, json};

use super::codex::Codex;
use super::{conversation, given_a_team, isolation};
use crate::gateway::person::{Person, hidden, invite};

/// As a browser that is sent back to the program.
fn open(address: &str) -> u16 {
    let target = address.strip_prefix("http://127.0.0.1:18455").expect("back to the program");
    let stream = TcpStream::connect("127.0.0.1:18455").expect("the program listens");
    Connection::over(stream).ask(&Request { target, ..Request::default() }).expect("an answer").status
}

/// A person follows what the program printed and shows an invite.
fn sign_in(team: &Team, address: &str, invite: &str) {
    let target = address.strip_prefix(team.broker().url()).expect("a page of the broker");
    let person = Person { team, form: hidden(&team.broker().get(target)) };
    let answer = person.shows(invite);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(open(answer.header("location").expect("the way back")), 200);
}

#[test]
fn a_person_signs_it_in_and_it_goes_on_until_its_client_is_revoked() {
    if !isolation::is_inside("stock_cli::gateway::a_person_signs_it_in_and_it_goes_on_until_its_client_is_revoked") {
        return;
    }
    let team = given_a_team();
    let codex = Codex::that_signs_in(&team);
    let invite = invite(&team, "anna", Some("main"));
    let running = codex.begin("say hello");
    sign_in(&team, &running.address_to_open(), &invite);
    let answered = running.wait();
    assert_eq!(answered.messages, ["Hello from the fake provider."], "{answered:?}");
    codex.let_its_sign_in_end();
    let answered = codex.exec("and again");
    assert_eq!(answered.messages, ["Hello from the fake provider."], "{answered:?}");
    assert_eq!(conversation(&team), [(1, Some(200)), (1, Some(200))]);

    team.admin().revoke("anna").unwrap();
    codex.let_its_sign_in_end();
    // It asks its person to sign in once more.
    codex.begin("once more").address_to_open();
    assert_eq!(conversation(&team).len(), 2, "nothing went out without a token");
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn an_administrator_lets_it_in_by_the_code_that_it_shows() {
    if !isolation::is_inside("stock_cli::gateway::an_administrator_lets_it_in_by_the_code_that_it_shows") {
        return;
    }
    let team = given_a_team();
    let codex = Codex::that_signs_in(&team);
    let mut server = codex.app_server();
    let mut input = server.stdin.take().expect("piped");
    let mut output = BufReader::new(server.stdout.take().expect("piped")).lines();
    let mut tell = |message: Value| writeln!(input, "{message}").expect("it listens");
    let mut until = |found: &dyn Fn(&Value) -> bool| -> Value {
        let lines = output.by_ref().map(|line| line.expect("it speaks"));
        let mut messages = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        messages.find(|message| found(message)).expect("it says so before it ends")
    };
    let client = json!({"name": "editor", "title": null, "version": "1"});
    let capabilities = json!({"experimentalApi": true});
    tell(json!({"id": 1, "method": "initialize", "params": {"clientInfo": client, "capabilities": capabilities}}));
    until(&|message| message["id"] == 1);
    tell(json!({"method": "initialized"}));
    tell(json!({"id": 2, "method": "account/gatewayOAuth/login", "params": {"deviceAuth": true}}));
    let shown = until(&|message| message["id"] == 2);
    let code = shown["result"]["prompt"]["userCode"].as_str().unwrap_or_else(|| panic!("{shown}")).to_owned();
    let approval = json!({"name": "anna", "credential": "main"});
    let approved = team.admin().ask("POST", &format!("/sign-ins/{code}/approve"), Some(approval));
    assert_eq!(approved.status, 200, "{}", approved.text());
    let changed = |message: &Value| message["method"] == "account/gatewayOAuth/changed";
    let ended = until(&|message| {
        changed(message) && matches!(message["params"]["status"].as_str(), Some("succeeded" | "failed"))
    });
    assert_eq!(ended["params"]["status"], "succeeded", "{ended}");
    let _ = server.kill();
    let _ = server.wait();
    let answered = codex.exec("say hello");
    assert_eq!(answered.messages, ["Hello from the fake provider."], "{answered:?}");
}
