//! The stock Codex CLI with a file of the broker's, which it renews there: over TLS, with nothing else of ours.

use scorpiox_tests::process::Team;
use serde_json::Value;

use super::codex::Codex;
use super::{assert_one_careful_rotation, conversation, generation, given_a_team, isolation};

/// The tests of this file by name, which run again where there is nothing but loopback.
macro_rules! inside {
    ($name:ident) => {
        if !isolation::is_inside(concat!("stock_cli::renewal::", stringify!($name))) {
            return;
        }
    };
}

fn stand_in(file: &Value) -> String {
    file["tokens"]["refresh_token"].as_str().expect("a stand-in").to_owned()
}

/// What the broker wrote down about stand-ins.
fn deeds(team: &Team) -> Vec<String> {
    let entries = team.admin().audit();
    let actions = entries.into_iter().map(|entry| entry.action);
    actions.filter(|action| action.starts_with("stand_in.")).collect()
}

#[test]
fn it_renews_at_the_broker_when_its_token_ends() {
    inside!(it_renews_at_the_broker_when_its_token_ends);
    let team = given_a_team();
    let codex = Codex::with_a_file(&team);
    assert_eq!(codex.exec("say hello").messages, ["Hello from the fake provider."]);
    let first = codex.file();
    codex.let_its_token_end();
    let answered = codex.exec("and again");
    assert_eq!(answered.messages, ["Hello from the fake provider."], "{answered:?}");
    let renewed = codex.file();
    assert_eq!(renewed["tokens"]["access_token"], first["tokens"]["access_token"], "the broker's is good still");
    assert_eq!(renewed["tokens"]["account_id"], first["tokens"]["account_id"]);
    assert_eq!(conversation(&team), [(1, Some(200)), (1, Some(200))]);
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn a_refusal_costs_one_rotation_and_not_the_turn() {
    inside!(a_refusal_costs_one_rotation_and_not_the_turn);
    let team = given_a_team();
    let codex = Codex::with_a_file(&team);
    let before = stand_in(&codex.file());
    assert!(team.provider.refuse_access(generation(1)));
    let answered = codex.exec("say hello");
    assert_eq!(answered.messages, ["Hello from the fake provider."], "{answered:?}");
    assert_eq!(conversation(&team).last(), Some(&(2, Some(200))));
    assert_one_careful_rotation(&team);
    let after = stand_in(&codex.file());
    assert!(after.starts_with("sxr_") && after != before, "a new token comes with a new stand-in");
}

#[test]
fn eight_at_once_with_one_file_cost_one_rotation_and_all_live_on() {
    inside!(eight_at_once_with_one_file_cost_one_rotation_and_all_live_on);
    let team = given_a_team();
    let codex = Codex::with_a_file(&team);
    assert!(team.provider.refuse_access(generation(1)));
    let running: Vec<_> = (0..8).map(|number| codex.begin(&format!("say hello {number}"))).collect();
    for run in running {
        let answered = run.wait();
        assert_eq!(answered.messages, ["Hello from the fake provider."], "{answered:?}");
    }
    assert_one_careful_rotation(&team);
    codex.let_its_token_end();
    assert_eq!(codex.exec("and again").messages.len(), 1);
    assert_eq!(deeds(&team), ["stand_in.issue"]);
}

#[test]
fn logging_out_ends_the_stand_in_and_nothing_else() {
    inside!(logging_out_ends_the_stand_in_and_nothing_else);
    let team = given_a_team();
    let codex = Codex::with_a_file(&team);
    let copy = codex.file();
    codex.logout();
    assert_eq!(deeds(&team), ["stand_in.issue", "stand_in.revoke"]);
    assert_eq!(team.provider.violations(), Vec::<String>::new());
    assert_eq!(team.admin().credential("main").generation, 1);
    // A copy of the file is worth what is left of its token.
    codex.put_file(&copy);
    codex.let_its_token_end();
    let said = codex.exec_in_vain("say hello");
    assert!(said.contains("refresh token was revoked"), "{said}");
}

#[test]
fn a_revoked_client_renews_nothing() {
    inside!(a_revoked_client_renews_nothing);
    let team = given_a_team();
    let codex = Codex::with_a_file(&team);
    team.admin().revoke("laptop").expect("a client is revoked");
    codex.let_its_token_end();
    let said = codex.exec_in_vain("say hello");
    assert!(said.contains("refresh token was revoked"), "{said}");
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn a_broker_that_is_away_is_not_noticed_and_one_that_comes_back_is_found() {
    inside!(a_broker_that_is_away_is_not_noticed_and_one_that_comes_back_is_found);
    let mut team = given_a_team();
    let codex = Codex::with_a_file(&team);
    let address = team.broker().address().to_string();
    team.stop();
    assert_eq!(codex.exec("say hello").messages, ["Hello from the fake provider."]);
    team.change(|plan| plan.with("SCORPIOX_BROKER_LISTEN", &address));
    team.start();
    codex.let_its_token_end();
    assert_eq!(codex.exec("once more").messages, ["Hello from the fake provider."]);
    assert_eq!(team.provider.refresh_count(), 0);
}
