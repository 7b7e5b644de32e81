//! A conversation with `sx` at a terminal.

use fake_provider::{Endpoint, Fault, How, Script, Settings, Step};
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::{FetchToken, Team};
use serde_json::{Value, json};

fn begin() -> (Team, FetchToken, Terminal) {
    let team = Team::with(Settings::default(), |plan| plan);
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    let backend = format!("{}/backend-api/codex", team.provider.url());
    let machine = FetchToken::of(&laptop).with("CODEX_BASE_URL", &backend).with("MODEL", "gpt-5.5");
    let machine = machine.with("TERM", "xterm").with("NO_COLOR", "1").with("TZ", "UTC");
    let mut terminal = Terminal::start(machine.command_of("sx", &[]));
    terminal.wait_for("model gpt-5.5, effort its own");
    terminal.wait_for("> ");
    (team, machine, terminal)
}

fn asked(team: &Team) -> Vec<Value> {
    team.provider.log_of(Endpoint::Responses).into_iter().map(|entry| entry.conversation.unwrap()).collect()
}

fn texts(body: &Value) -> Vec<String> {
    let items = body["input"].as_array().unwrap().iter();
    items.map(|item| item["content"][0]["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_conversation_goes_on_over_several_prompts() {
    let (team, _machine, mut terminal) = begin();
    team.provider.script(Script::message("Forty-two."));
    terminal.types("How many?\r");
    terminal.wait_for("Forty-two.");
    terminal.wait_for("[gpt-5.5  in 42 (cached 0)  out 7 (thought 0)  context 100 % left]");
    terminal.types("Sure?\r");
    terminal.wait_for("Hello from the fake provider.");
    terminal.wait_for("> ");
    let bodies = asked(&team);
    assert_eq!(texts(&bodies[1]), ["How many?", "Forty-two.", "Sure?"]);
    assert_eq!(bodies[0]["prompt_cache_key"], bodies[1]["prompt_cache_key"]);
    terminal.types("/clear\r");
    terminal.wait_for("a new conversation");
    terminal.types("And now?\r");
    terminal.wait_for("Hello");
    terminal.wait_for("> ");
    assert_eq!(texts(&asked(&team)[2]), ["And now?"]);
    terminal.types("/quit\r");
    assert_eq!(terminal.ends(), Some(0));
}

#[test]
fn one_interruption_stops_the_answer_and_the_conversation_goes_on() {
    let (team, _machine, mut terminal) = begin();
    let mut endless = Script::message("This takes long.");
    endless.steps.insert(3, Step::DelayMs(120_000));
    team.provider.script(endless);
    terminal.types("Tell me\r");
    terminal.wait_for("This tak");
    terminal.interrupts();
    terminal.wait_for("stopped; the conversation goes on from here");
    terminal.types("Shorter\r");
    terminal.wait_for("Hello from the fake provider.");
    let said = texts(&asked(&team)[1]);
    assert_eq!((said[0].as_str(), said.last().map(String::as_str)), ("Tell me", Some("Shorter")));
    assert!(said[1].contains("interrupted"), "{said:?}");
    terminal.types("\u{4}");
    assert_eq!(terminal.ends(), Some(0));
}

#[test]
fn a_failed_turn_leaves_the_conversation_as_it_was() {
    let (team, _machine, mut terminal) = begin();
    let body = json!({"detail": "no such model\u{1b}[2J"});
    team.provider.fault(Fault::on(Endpoint::Responses, How::Status { status: 400, body }));
    terminal.types("One\r");
    terminal.wait_for("no such model?[2J");
    terminal.types("Two\r");
    terminal.wait_for("Hello from the fake provider.");
    assert_eq!(texts(&asked(&team)[1]), ["Two"]);
}

#[test]
fn commands_of_the_person_do_not_reach_the_model() {
    let (team, _machine, mut terminal) = begin();
    for (command, answer) in [
        ("/help", "/reasoning_effort"),
        ("/model", "low medium high xhigh"),
        ("/reasoning_effort max", "effort xhigh"),
        ("/usage", "7 days    [#"),
        ("/undo", "there is no /undo"),
        ("/model haiku", "gpt-5.5 answers"),
    ] {
        terminal.types(&format!("{command}\r"));
        terminal.wait_for(answer);
    }
    assert!(asked(&team).is_empty());
    terminal.types("Think\r");
    terminal.wait_for("Hello from the fake provider.");
    let body = &asked(&team)[0];
    assert_eq!(body["reasoning"], json!({"effort": "xhigh", "summary": "auto"}));
}

#[test]
fn without_a_terminal_there_is_no_conversation() {
    let (_team, machine, _terminal) = begin();
    let refused = machine.run_program("sx", &[]);
    refused.assert_refused(64);
    assert!(refused.stderr.contains("-p PROMPT"), "{refused:?}");
}
