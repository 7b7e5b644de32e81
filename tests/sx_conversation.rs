//! A conversation with `sx` at a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use fake_provider::{Endpoint, Fault, How, Script, Step};
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::{FetchToken, Team};
use serde_json::{Value, json};

fn begin() -> (Team, FetchToken, Terminal) {
    begin_with(&[])
}

fn begin_with(arguments: &[&str]) -> (Team, FetchToken, Terminal) {
    begin_on(arguments, |_| {})
}

fn begin_on(arguments: &[&str], prepare: impl FnOnce(&FetchToken)) -> (Team, FetchToken, Terminal) {
    let (team, machine) = Team::with_a_project();
    prepare(&machine);
    let mut terminal = Terminal::start(machine.sx_in_the_project(arguments));
    terminal.wait_for("model gpt-5.5, effort its own");
    terminal.wait_for("> ");
    (team, machine, terminal)
}

/// What was said, without what stands in front of the conversation.
fn texts(body: &Value) -> Vec<String> {
    let items = body["input"].as_array().unwrap().iter();
    let texts = items.map(|item| item["content"][0]["text"].as_str().unwrap_or_default().to_owned());
    texts.filter(|text| !text.starts_with("<environment_context>")).collect()
}

#[test]
fn a_conversation_goes_on_over_several_prompts() {
    let (team, _machine, mut terminal) = begin();
    team.provider.script(Script::message("Forty-two."));
    terminal.types("How many?\r");
    terminal.wait_for("Forty-two.");
    terminal.wait_for("[gpt-5.5  in 42, cached 0  out 7, thought 0  context 100 % left]");
    terminal.types("Sure?\r");
    terminal.wait_for("Hello from the fake provider.");
    terminal.wait_for("> ");
    let bodies = team.questions();
    assert_eq!(texts(&bodies[1]), ["How many?", "Forty-two.", "Sure?"]);
    assert_eq!(bodies[0]["prompt_cache_key"], bodies[1]["prompt_cache_key"]);
    terminal.types("/clear\r");
    terminal.wait_for("a new conversation");
    terminal.types("And now?\r");
    terminal.wait_for("Hello");
    terminal.wait_for("> ");
    assert_eq!(texts(&team.questions()[2]), ["And now?"]);
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
    terminal.wait_for("This");
    terminal.interrupts();
    terminal.wait_for("stopped; the conversation goes on from here");
    terminal.types("Shorter\r");
    terminal.wait_for("Hello from the fake provider.");
    let said = texts(&team.questions()[1]);
    assert_eq!((said[0].as_str(), said.last().map(String::as_str)), ("Tell me", Some("Shorter")));
    assert!(said[1].contains("interrupted"), "{said:?}");
    // Before the prompt, the terminal's driver would take the key for the end of a line.
    terminal.wait_for("> ");
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
    assert_eq!(texts(&team.questions()[1]), ["Two"]);
}

#[test]
fn commands_of_the_person_do_not_reach_the_model() {
    let (team, _machine, mut terminal) = begin();
    for (command, answer) in [
        ("/help", "/reasoning_effort"),
        ("/model", "low medium high xhigh"),
        ("/reasoning_effort max", "effort xhigh"),
        ("/usage", "7 days    [#"),
        ("/frobnicate", "there is no /frobnicate"),
        ("/model haiku", "gpt-5.5 answers"),
    ] {
        terminal.types(&format!("{command}\r"));
        terminal.wait_for(answer);
    }
    assert!(team.questions().is_empty());
    terminal.types("Think\r");
    terminal.wait_for("Hello from the fake provider.");
    let body = &team.questions()[0];
    assert_eq!(body["reasoning"], json!({"effort": "xhigh", "summary": "auto"}));
}

#[test]
fn without_a_terminal_there_is_no_conversation() {
    let (_team, machine, _terminal) = begin();
    let refused = machine.run_program("sx", &[]);
    refused.assert_refused(64);
    assert!(refused.stderr.contains("-p PROMPT"), "{refused:?}");
}

fn script(text: &str) -> Script {
    Script::function_call("shell_command", &json!({ "command": text }), "call_1")
}

/// What the model was told last.
fn told(team: &Team) -> String {
    let body = team.questions().pop().unwrap();
    let output = &body["input"].as_array().unwrap().last().unwrap()["output"];
    output.as_str().unwrap().to_owned()
}

#[test]
fn a_script_is_shown_as_it_is_and_runs_only_after_a_yes() {
    let (team, machine, mut terminal) = begin();
    let proof = machine.project().join("proof");
    for (answer, runs) in [("n", false), ("y", true)] {
        team.provider.script(script("echo ran > proof\necho out\u{1b}]0;"));
        terminal.types("Do it\r");
        terminal.wait_for("  echo ran > proof");
        terminal.wait_for("  echo out\\u{1b}]0;");
        terminal.wait_for("run it? (yes, no, always)");
        terminal.types("maybe\r");
        terminal.wait_for("run it? (yes, no, always)");
        assert!(!proof.exists());
        terminal.types(&format!("{answer}\r"));
        terminal.wait_for("Hello from the fake provider.");
        terminal.wait_for("> ");
        assert_eq!(proof.exists(), runs);
        assert_eq!(told(&team).starts_with("Exit code: 0\n"), runs, "{}", told(&team));
    }
    assert_eq!(team.questions().len(), 4);
}

#[test]
fn what_was_always_allowed_is_not_asked_again_and_nothing_else_is() {
    let (team, _machine, mut terminal) = begin();
    team.provider.script(script("true"));
    terminal.types("Do it\r");
    terminal.wait_for("run it?");
    terminal.types("a\r");
    terminal.wait_for("context");
    team.provider.script(script("true"));
    terminal.types("Again\r");
    terminal.wait_for("Hello from the fake provider.");
    terminal.wait_for("context");
    team.provider.script(script("true "));
    terminal.types("Once more\r");
    terminal.wait_for("run it?");
    terminal.types("n\r");
    terminal.wait_for("context");
    assert_eq!(told(&team), "exec command rejected by user");
}

#[test]
fn a_patch_is_shown_line_by_line_and_applied_after_a_yes() {
    let (team, machine, mut terminal) = begin();
    let file = machine.project().join("f");
    fs::write(&file, "one\ntwo\n").unwrap();
    let patch = "*** Begin Patch\n*** Update File: f\n one\n-two\n+zwei\n*** End Patch\n";
    let item = json!({"type": "custom_tool_call", "call_id": "call_1", "name": "apply_patch", "input": patch});
    let done = json!({"type": "response.output_item.done", "output_index": 0, "item": item});
    let mut script = Script::message("x");
    script.steps.splice(1..5, [Step::Event(done)]);
    team.provider.script(script);
    terminal.types("Translate\r");
    terminal.wait_for("- two");
    terminal.wait_for("+ zwei");
    terminal.wait_for("change these files? (yes, no)");
    assert_eq!(fs::read_to_string(&file).unwrap(), "one\ntwo\n");
    terminal.types("y\r");
    terminal.wait_for("Hello from the fake provider.");
    assert_eq!(fs::read_to_string(&file).unwrap(), "one\nzwei\n");
    assert_eq!(told(&team), "Success. Updated the following files:\nM f\n");
}

#[test]
fn a_patch_that_the_model_gives_to_its_shell_is_asked_for_as_a_patch() {
    let (team, machine, mut terminal) = begin();
    let file = machine.project().join("f");
    fs::write(&file, "one\n").unwrap();
    let patch = "*** Begin Patch\n*** Update File: f\n-one\n+eins\n*** End Patch";
    team.provider.script(script(&format!("apply_patch <<'EOF'\n{patch}\nEOF")));
    terminal.types("Translate\r");
    terminal.wait_for("+ eins");
    terminal.wait_for("change these files? (yes, no)");
    terminal.types("y\r");
    terminal.wait_for("Hello from the fake provider.");
    assert_eq!(fs::read_to_string(&file).unwrap(), "eins\n");
    assert_eq!(told(&team), "Success. Updated the following files:\nM f\n");
}

#[test]
fn who_only_wants_to_read_is_not_asked() {
    let (team, machine, mut terminal) = begin_with(&["--approvals", "read-only"]);
    team.provider.script(script("touch proof"));
    terminal.types("Do it\r");
    let between = terminal.wait_for("Hello from the fake provider.");
    assert!(!between.contains("run it?"), "{between}");
    assert_eq!(told(&team), "not allowed: the session is read-only");
    assert!(!machine.project().join("proof").exists());
}

#[test]
fn an_interruption_ends_the_script_with_all_that_it_started() {
    let (team, machine, mut terminal) = begin();
    let survivor = machine.project().join("survivor");
    team.provider.script(script("touch begun; (sleep 3; touch survivor) & sleep 300"));
    terminal.types("Do it\r");
    terminal.wait_for("run it?");
    terminal.types("y\r");
    scorpiox_tests::process::patience::until("the script", || machine.project().join("begun").exists().then_some(()));
    terminal.interrupts();
    terminal.wait_for("stopped; the conversation goes on from here");
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert!(!survivor.exists());
    terminal.types("And?\r");
    terminal.wait_for("Hello from the fake provider.");
    let input = team.questions().pop().unwrap()["input"].clone();
    let outputs: Vec<&str> = input.as_array().unwrap().iter().filter_map(|item| item["output"].as_str()).collect();
    assert!(outputs.len() == 1 && outputs[0].contains("aborted by user"), "{outputs:?}");
}

#[test]
fn what_was_typed_before_the_question_is_no_answer_to_it() {
    let (team, machine, mut terminal) = begin();
    let proof = machine.project().join("proof");
    let mut slow = script("touch proof");
    slow.steps.insert(1, Step::DelayMs(1_500));
    team.provider.script(slow);
    terminal.types("Do it\r");
    team.provider.wait_until(|oracle| oracle.log().iter().any(|entry| entry.endpoint == Endpoint::Responses));
    terminal.types("y\ry\r");
    terminal.wait_for("run it?");
    terminal.types("n\r");
    terminal.wait_for("Hello from the fake provider.");
    assert_eq!(told(&team), "exec command rejected by user");
    assert!(!proof.exists());
}

#[test]
fn a_function_of_the_person_is_offered_checked_and_runs_after_a_yes() {
    let (team, _machine, mut terminal) = begin_on(&[], |machine| {
        let folder = machine.home().join(".config/scorpiox/functions");
        fs::create_dir_all(&folder).unwrap();
        let parameters = json!({"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"],
            "additionalProperties": false});
        let description = json!({"description": "Says a word.", "parameters": parameters});
        fs::write(folder.join("say.json"), description.to_string()).unwrap();
        fs::write(folder.join("say"), "#!/bin/sh\necho \"said $(cat)\"\n").unwrap();
        fs::set_permissions(folder.join("say"), fs::Permissions::from_mode(0o755)).unwrap();
    });
    team.provider.script(Script::function_call("say", &json!({"word": 1}), "call_1"));
    terminal.types("Say it\r");
    terminal.wait_for("Hello from the fake provider.");
    terminal.wait_for("> ");
    assert_eq!(told(&team), "failed to parse function arguments: word has the wrong type");
    team.provider.script(Script::function_call("say", &json!({"word": "a b"}), "call_2"));
    terminal.types("Again\r");
    terminal.wait_for("say <<< '{\"word\":\"a b\"}'");
    terminal.wait_for("run it? (yes, no, always)");
    terminal.types("y\r");
    terminal.wait_for("Hello from the fake provider.");
    assert!(told(&team).ends_with("Output:\nsaid {\"word\":\"a b\"}\n"), "{}", told(&team));
    let offered = team.questions()[0]["tools"].as_array().unwrap().clone();
    assert!(offered.iter().any(|tool| tool["name"] == "say" && tool["strict"] == true), "{offered:?}");
}
