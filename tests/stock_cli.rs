//! The stock Codex CLI, unmodified, over a provider of its own whose token command is ours.
//!
//! It calls out to its vendor's servers on its own, so everything here (provider, broker, CLI) runs in a network
//! namespace that has nothing but loopback.
//!
//! * [`installed`]: programs from npm. * [`isolation`]: the namespace. * [`codex`]: its configuration, and a run.
//! * [`renewal`]: with a file of the broker's in place of the token command.
//! * [`gateway`]: signed in at the broker by browser, and by device code.
//! * [`requests`]: what it asks the model, beside what `sx` asks.

mod codex;
mod gateway;
pub(crate) mod installed;
pub(crate) mod isolation;
mod renewal;
mod requests;

use fake_provider::{Endpoint, Fate, Fault, Hold, How, LogEntry, Script, Serial, Settings};
use scorpiox_tests::process::Team;
use serde_json::json;

use codex::Codex;

/// Any token may be renewed because of a refusal: a test does not wait a minute.
const MINIMUM_TOKEN_AGE: &str = "0s";

fn given_a_team() -> Team {
    let plan = |plan: scorpiox_tests::process::Plan| {
        plan.encrypted().with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", MINIMUM_TOKEN_AGE)
    };
    let team = Team::with(Settings::default(), plan);
    team.given_a_login("main");
    team
}

fn generation(number: u32) -> Serial {
    Serial { family: 1, generation: number }
}

/// Generations with which the model was asked, and how it was answered.
fn conversation(team: &Team) -> Vec<(u32, Option<u16>)> {
    let log = team.provider.log();
    let asked = log.iter().filter(|entry| entry.endpoint == Endpoint::Responses);
    asked.map(|entry| (bearer(entry), entry.status)).collect()
}

fn bearer(entry: &LogEntry) -> u32 {
    match &entry.access_token {
        Some(fake_provider::TokenRef::Issued(serial)) => serial.generation,
        other => panic!("entry {} carried {other:?}", entry.id.0),
    }
}

fn assert_one_careful_rotation(team: &Team) {
    assert_eq!(team.provider.refresh_count(), 1);
    assert_eq!(team.provider.violations(), Vec::<String>::new());
}

#[test]
fn it_answers_with_a_token_of_the_broker_and_the_account_header() {
    if !isolation::is_inside("stock_cli::it_answers_with_a_token_of_the_broker_and_the_account_header") {
        return;
    }
    let team = given_a_team();
    let codex = Codex::of(&team);
    let answered = codex.exec("say hello");
    assert_eq!(answered.messages, ["Hello from the fake provider."], "{answered:?}");
    assert_eq!(conversation(&team), [(1, Some(200))]);
    let log = team.provider.log();
    let account = team.provider.oracle().settings().account.account_id.clone();
    for entry in log.iter().filter(|entry| entry.endpoint == Endpoint::Responses) {
        assert_eq!(entry.received.get("chatgpt-account-id"), Some(&account));
    }
    assert_eq!(team.provider.refresh_count(), 0);
}

#[test]
fn its_next_run_goes_on_with_the_next_generation_after_a_refusal_for_good() {
    if !isolation::is_inside("stock_cli::its_next_run_goes_on_with_the_next_generation_after_a_refusal_for_good") {
        return;
    }
    let team = given_a_team();
    let codex = Codex::of(&team);
    assert_eq!(codex.exec("say hello").messages.len(), 1);
    assert!(team.provider.refuse_access(generation(1)));
    team.provider.script(Script::message("Still here."));
    let answered = codex.exec("and again");
    assert_eq!(answered.messages, ["Still here."], "{answered:?}");
    assert_eq!(conversation(&team).last(), Some(&(2, Some(200))));
    assert_one_careful_rotation(&team);
    let third = codex.exec("once more");
    assert_eq!(third.messages, ["Hello from the fake provider."], "{third:?}");
    assert_one_careful_rotation(&team);
}

#[test]
fn a_refusal_in_mid_turn_costs_one_renewal_and_not_the_turn() {
    if !isolation::is_inside("stock_cli::a_refusal_in_mid_turn_costs_one_renewal_and_not_the_turn") {
        return;
    }
    let team = given_a_team();
    let codex = Codex::of(&team);
    // A tool that touches nothing, so that the turn goes on with a second request …
    let plan = json!({"plan": [{"step": "look", "status": "in_progress"}]});
    team.provider.script(Script::function_call("update_plan", &plan, "call_01"));
    team.provider.script(Script::message("Done."));
    // … which meets a token that has just been refused for good.
    let second = Fault::on(Endpoint::Responses, How::Plain).after(1).hold(Hold::BeforeDeciding);
    team.provider.fault(second);
    let running = codex.begin("make a plan");
    team.provider.wait_for_held(1);
    assert!(team.provider.refuse_access(generation(1)));
    team.provider.release();
    let answered = running.wait();
    assert_eq!(answered.messages.last().map(String::as_str), Some("Done."), "{answered:?}");
    assert_eq!(conversation(&team), [(1, Some(200)), (1, Some(401)), (2, Some(200))]);
    assert!(team.provider.log().iter().all(|entry| entry.fate == Fate::Delivered), "{:#?}", team.provider.log());
    assert_one_careful_rotation(&team);
}
