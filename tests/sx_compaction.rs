//! Conversations that become too long: a summary takes their place, and they go on.

use fake_provider::{Endpoint, Fault, How, Script, Step};
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::{FetchToken, Team};
use serde_json::{Value, json};

const NOTES: &str = "These are the notes.";
/// How a summary begins.
const BEGINNING: &str = "[This conversation became too long";

fn a_team() -> (Team, FetchToken) {
    let (team, machine) = Team::with_a_developer(|plan| plan);
    (team, machine.at_a_plain_terminal())
}

/// A conversation that is compacted at so many tokens.
fn begin_with(threshold: &str) -> (Team, FetchToken, Terminal) {
    let (team, machine) = Team::with_a_project();
    let machine = machine.with("CONTEXT_CLEAR_THRESHOLD", threshold);
    let mut terminal = Terminal::start(machine.sx_in_the_project(&[]));
    terminal.wait_for("model gpt-5.5, effort its own");
    terminal.wait_for("> ");
    (team, machine, terminal)
}

/// The same answer, of which the backend says that so many tokens are in use.
fn with_total(mut script: Script, total_tokens: u64) -> Script {
    let Some(Step::Event(completed)) = script.steps.last_mut() else { panic!("an answer has an end") };
    completed["response"]["usage"]["total_tokens"] = json!(total_tokens);
    script
}

/// An answer of some 5,000 tokens.
fn long_answer() -> Script {
    Script::message(&"word\n".repeat(4_000))
}

fn too_long() -> Fault {
    let body = json!({"error": {"code": "context_length_exceeded", "message": "It does not fit."}});
    Fault::on(Endpoint::Responses, How::Status { status: 400, body })
}

/// What was said, without what stands in front of the conversation.
fn texts(body: &Value) -> Vec<String> {
    let items = body["input"].as_array().unwrap().iter().skip(1);
    items.map(|item| item["content"][0]["text"].as_str().unwrap_or_default().to_owned()).collect()
}

fn ask(terminal: &mut Terminal, prompt: &str, answer: &str) {
    terminal.types(&format!("{prompt}\r"));
    terminal.wait_for(answer);
    terminal.wait_for("% left]");
    terminal.wait_for("> ");
}

#[test]
fn a_conversation_at_its_limit_is_compacted_before_the_next_turn() {
    let (team, _machine, mut terminal) = begin_with("5000");
    team.provider.script(with_total(long_answer(), 6_000));
    team.provider.script(Script::message(NOTES));
    ask(&mut terminal, "One", "word");
    terminal.types("Two\r");
    terminal.wait_for("the conversation has 6001 tokens, at 5000 it is compacted");
    let between = terminal.wait_for("compacted: from 6001 to about ");
    assert!(!between.contains("notes"), "the summary is no answer: {between}");
    terminal.wait_for("Hello from the fake provider.");

    let bodies = team.questions();
    assert_eq!(bodies.len(), 3);
    let summarise = texts(&bodies[1]);
    assert_eq!((summarise.len(), summarise[0].as_str()), (3, "One"));
    assert!(summarise[1].starts_with("word") && summarise[2].contains("Write the notes"), "{}", summarise[2]);
    assert_eq!((&bodies[1]["tools"], &bodies[1]["input"][0]), (&json!([]), &bodies[0]["input"][0]));
    let after = texts(&bodies[2]);
    assert_eq!((after.len(), after[0].as_str(), after[2].as_str()), (3, "One", "Two"));
    assert!(after[1].starts_with(BEGINNING) && after[1].contains(NOTES), "{}", after[1]);
    let named = after[1].split("can be read word for word in ").nth(1).unwrap().split(',').next().unwrap();
    let earlier = std::fs::read_to_string(named).unwrap();
    assert!(earlier.contains("> One") && earlier.matches("word").count() == 4_000, "{earlier}");
    assert_eq!(bodies[2]["input"][0], bodies[0]["input"][0], "what stands in front stands there anew");
    assert!(bodies[2]["tools"].as_array().unwrap().len() > 1);
}

#[test]
fn a_turn_is_compacted_between_two_of_its_requests() {
    let (team, _machine, mut terminal) = begin_with("5000");
    let plan = json!({"explanation": "word ".repeat(4_000), "plan": [{"step": "Look", "status": "in_progress"}]});
    team.provider.script(with_total(Script::function_call("update_plan", &plan, "call_1"), 6_000));
    team.provider.script(Script::message(NOTES));
    team.provider.script(with_total(Script::message("All done."), 700));
    ask(&mut terminal, "Begin", "All done.");
    ask(&mut terminal, "And?", "Hello from the fake provider.");

    let bodies = team.questions();
    let kinds = |body: &Value| -> Vec<String> {
        body["input"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&bodies[1]), ["message", "message", "function_call", "function_call_output", "message"]);
    let after = texts(&bodies[2]);
    assert_eq!((after.len(), after[0].as_str()), (2, "Begin"));
    assert!(after[1].starts_with(BEGINNING), "{}", after[1]);
    let last = texts(&bodies[3]);
    assert_eq!((last.len(), last[2].as_str(), last[3].as_str()), (4, "All done.", "And?"));
}

#[test]
fn what_does_not_fit_is_compacted_once_and_asked_again() {
    let (team, _machine, mut terminal) = begin_with("190000");
    team.provider.script(long_answer());
    ask(&mut terminal, "One", "word");
    team.provider.script(Script::message(NOTES));
    // The turn does not fit, and neither does the first question for a summary.
    team.provider.fault(too_long());
    team.provider.fault(too_long());
    ask(&mut terminal, "Two", "Hello from the fake provider.");
    let bodies = team.questions();
    let lengths: Vec<_> = bodies.iter().map(|body| texts(body).len()).collect();
    assert_eq!(lengths, [1, 3, 3, 2, 3], "of the question for a summary the oldest item was left out");
    let last = texts(bodies.last().unwrap());
    assert!(last[1].contains(NOTES), "{last:?}");
    assert_eq!((last[0].as_str(), last[2].as_str()), ("One", "Two"));
}

#[test]
fn what_never_fits_ends_and_leaves_the_conversation_as_it_was() {
    let (team, _machine, mut terminal) = begin_with("190000");
    ask(&mut terminal, "One", "Hello from the fake provider.");
    // The turn, the question for a summary, and that question about half of it.
    (0..3).for_each(|_| team.provider.fault(too_long()));
    terminal.types("Two\r");
    terminal.wait_for("not compacted: ");
    terminal.wait_for("It does not fit.");
    terminal.wait_for("> ");
    assert_eq!(team.questions().len(), 4);
    ask(&mut terminal, "Three", "Hello from the fake provider.");
    assert_eq!(texts(team.questions().last().unwrap()), ["One", "Hello from the fake provider.", "Three"]);
}

#[test]
fn the_person_may_ask_for_it_and_say_what_matters() {
    let (team, _machine, mut terminal) = begin_with("190000");
    terminal.types("/compact\r");
    terminal.wait_for("not compacted: nothing has been said that could be compacted");
    team.provider.script(long_answer());
    ask(&mut terminal, "One", "word");
    team.provider.script(Script::message(NOTES));
    terminal.types("/compact the numbers of the bug reports\r");
    terminal.wait_for("compacting the conversation of about ");
    terminal.wait_for("compacted: from ");
    terminal.wait_for("> ");
    let question = texts(team.questions().last().unwrap()).pop().unwrap();
    assert!(question.ends_with("the numbers of the bug reports"), "{question}");
    ask(&mut terminal, "Two", "Hello from the fake provider.");
    let last = texts(team.questions().last().unwrap());
    assert_eq!((last.len(), last[0].as_str(), last[2].as_str()), (3, "One", "Two"));
}

/// What the model can read where it was told that it can.
fn earlier_named_in(text: &str) -> String {
    let named = text.split("can be read word for word in ").nth(1).unwrap().split(',').next().unwrap();
    std::fs::read_to_string(named).unwrap()
}

fn compact(team: &Team, terminal: &mut Terminal) {
    team.provider.script(Script::message(NOTES));
    terminal.types("/compact\r");
    terminal.wait_for("compacted: from ");
    terminal.wait_for("> ");
}

#[test]
fn after_a_second_compaction_and_after_a_resume_all_that_was_said_can_be_read() {
    let (team, machine, mut terminal) = begin_with("190000");
    team.provider.script(long_answer());
    ask(&mut terminal, "One", "word");
    compact(&team, &mut terminal);
    team.provider.script(long_answer());
    ask(&mut terminal, "Two", "word");
    compact(&team, &mut terminal);
    ask(&mut terminal, "Three", "Hello from the fake provider.");
    let last = texts(team.questions().last().unwrap());
    let earlier = earlier_named_in(&last[2]);
    assert_eq!((last.len(), earlier.matches("word\n").count()), (4, 8_000), "{last:?}");
    assert!(!earlier.contains("Cut off"));
    terminal.types("/quit\r");
    terminal.wait_for("sx --resume ");
    assert_eq!(terminal.ends(), Some(0));

    let mut command = machine.command_of("sx", &["--continue"]);
    command.current_dir(machine.home().join("project"));
    let mut terminal = Terminal::start(command);
    terminal.wait_for("going on with ");
    terminal.wait_for("> ");
    ask(&mut terminal, "Four", "Hello from the fake provider.");
    let resumed = texts(team.questions().last().unwrap());
    let note = &resumed[resumed.len() - 2];
    assert!(note.contains("is gone"), "{note}");
    let earlier = earlier_named_in(note);
    assert!(earlier.contains("> Three") && earlier.matches("word\n").count() == 8_000, "{earlier}");
    ask(&mut terminal, "Five", "Hello from the fake provider.");
    let after = texts(team.questions().last().unwrap());
    assert_eq!(after.iter().filter(|text| text.contains("is gone")).count(), 1, "it is said once");
}

#[test]
fn a_summary_that_is_no_shorter_is_not_taken() {
    let (team, _machine, mut terminal) = begin_with("190000");
    ask(&mut terminal, "One", "Hello from the fake provider.");
    terminal.types("/compact\r");
    terminal.wait_for("not compacted: the summary is no shorter than what it would stand for");
    ask(&mut terminal, "Two", "Hello from the fake provider.");
    assert_eq!(texts(team.questions().last().unwrap()), ["One", "Hello from the fake provider.", "Two"]);
}

#[test]
fn a_compaction_that_is_stopped_changes_nothing() {
    let (team, _machine, mut terminal) = begin_with("190000");
    ask(&mut terminal, "One", "Hello from the fake provider.");
    let mut endless = Script::message(NOTES);
    endless.steps.insert(3, Step::DelayMs(120_000));
    team.provider.script(endless);
    terminal.types("/compact\r");
    terminal.wait_for("compacting the conversation");
    scorpiox_tests::process::patience::until("the question", || (team.questions().len() == 2).then_some(()));
    terminal.interrupts();
    terminal.wait_for("stopped; the conversation is as it was");
    ask(&mut terminal, "Two", "Hello from the fake provider.");
    assert_eq!(texts(team.questions().last().unwrap()), ["One", "Hello from the fake provider.", "Two"]);
}

#[test]
fn a_compaction_that_fails_is_said_and_the_turn_goes_on() {
    let (team, _machine, mut terminal) = begin_with("5000");
    team.provider.script(with_total(long_answer(), 6_000));
    ask(&mut terminal, "One", "word");
    let body = json!({"detail": "no summaries today"});
    team.provider.fault(Fault::on(Endpoint::Responses, How::Status { status: 400, body }));
    terminal.types("Two\r");
    terminal.wait_for("not compacted: the backend answers 400: no summaries today");
    terminal.wait_for("Hello from the fake provider.");
    terminal.wait_for("> ");
    let last = texts(team.questions().last().unwrap());
    assert_eq!((last.len(), last[0].as_str(), last[2].as_str()), (3, "One", "Two"));
}

#[test]
fn a_threshold_below_everything_does_not_compact_for_ever() {
    let (team, _machine, mut terminal) = begin_with("1000");
    team.provider.script(with_total(Script::message("Short."), 6_000));
    ask(&mut terminal, "One", "Short.");
    team.provider.script(with_total(Script::message("Shorter."), 6_010));
    terminal.types("Two\r");
    terminal.wait_for("the conversation has 6001 tokens, more than 1000, and compacting it would save next to nothing");
    terminal.wait_for("Shorter.");
    terminal.wait_for("> ");
    terminal.types("Three\r");
    let between = terminal.wait_for("Hello from the fake provider.");
    assert!(!between.contains("compact"), "it is said once: {between}");
    assert_eq!(team.questions().len(), 3);
}

#[test]
fn a_threshold_that_is_none_is_refused() {
    let (_team, machine) = a_team();
    let refused = machine.with("CONTEXT_CLEAR_THRESHOLD", "12").run_program("sx", &["-p", "x"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (78, ""));
    assert!(refused.stderr.contains("expected a number from 1000"), "{refused:?}");
}
