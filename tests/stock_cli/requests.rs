//! The same conversation with the stock CLI and with `sx`: what they ask the model agrees field by field, except for
//! what [`expected`] lists with its reason.
//!
//! * [`captured`]: a request as it is compared. * [`difference`]: the comparison. * [`expected`]: the table.

mod captured;
mod difference;
mod expected;

use std::fs;
use std::path::Path;

use fake_provider::{Endpoint, Fault, How, Script, Step};
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::{FetchToken, Team};
use serde_json::{Value, json};

use self::captured::Captured;
use self::difference::between;
use super::codex::Codex;
use super::{given_a_team, isolation};

const FIRST_PROMPT: &str = "Translate f";
const SECOND_PROMPT: &str = "And now?";
const FIRST_ANSWER: &str = "Translated.";
const SECOND_ANSWER: &str = "Nothing more.";
/// So often the model is asked in each of the two conversations.
const REQUESTS: usize = 5;

/// The tool by which both run a script, and its parameter.
struct Shell {
    tool: &'static str,
    parameter: &'static str,
}

const SHELL: Shell = Shell { tool: "exec_command", parameter: "cmd" };

/// What the model says: thoughts, a comment and a script; a patch; three calls that fail in different ways; an answer;
/// and in a turn of its own another one. The script has one stream: the stock CLI reads two in either order.
fn play(team: &Team, shell: &Shell) {
    let script = json!({ shell.parameter: "exec 2>&1; cat f; echo no >&2; exit 3" }).to_string();
    let patch = "*** Begin Patch\n*** Update File: f\n-one\n+eins\n*** Add File: g\n+new\n*** End Patch\n";
    let vain = "*** Begin Patch\n*** Update File: f\n-two\n+zwei\n*** End Patch\n";
    let thoughts = json!({"type": "reasoning", "id": "rs_01", "encrypted_content": "gAAAA",
        "summary": [{"type": "summary_text", "text": "**Looking**"}]});
    let answers = [
        vec![thoughts, says("commentary", "I look."), calls(shell.tool, &script, "call_01")],
        vec![patches(patch, "call_02")],
        vec![patches(vain, "call_03"), calls("no_such", "{}", "call_04"), calls(shell.tool, "{\"x", "call_05")],
        vec![says("final_answer", FIRST_ANSWER)],
        vec![says("final_answer", SECOND_ANSWER)],
    ];
    assert_eq!(answers.len(), REQUESTS);
    answers.into_iter().for_each(|items| team.provider.script(answer(items)));
    // Sent along until the turn ends.
    team.provider.fault(Fault::on(Endpoint::Responses, How::Plain).header("x-codex-turn-state", "sticky"));
}

fn says(phase: &str, text: &str) -> Value {
    let content = json!([{"type": "output_text", "text": text}]);
    json!({"type": "message", "id": "msg_01", "role": "assistant", "phase": phase, "content": content})
}

fn calls(tool: &str, arguments: &str, call_id: &str) -> Value {
    json!({"type": "function_call", "id": "fc_01", "name": tool, "arguments": arguments, "call_id": call_id})
}

fn patches(patch: &str, call_id: &str) -> Value {
    json!({"type": "custom_tool_call", "id": "ctc_01", "status": "completed", "name": "apply_patch", "input": patch,
        "call_id": call_id})
}

/// An answer of these items.
fn answer(items: Vec<Value>) -> Script {
    let mut script = Script::message("");
    let arrives = items.into_iter().enumerate().flat_map(|(index, item)| {
        let text = item["content"][0]["text"].clone();
        let delta = json!({"type": "response.output_text.delta", "output_index": index, "delta": text});
        let done = json!({"type": "response.output_item.done", "output_index": index, "item": item});
        [(!text.is_null()).then_some(delta), Some(done)].into_iter().flatten().map(Step::Event)
    });
    let last = script.steps.len() - 1;
    script.steps.splice(1..last, arrives);
    script
}

fn prepare(project: &Path) {
    fs::write(project.join("f"), "one\n").unwrap();
}

fn assert_patched(project: &Path) {
    let read = |name| fs::read_to_string(project.join(name)).unwrap();
    assert_eq!((read("f").as_str(), read("g").as_str()), ("eins\n", "new\n"));
}

/// The requests for an answer since `before` of them.
fn captured(team: &Team, before: usize, project: &Path) -> Vec<Captured> {
    let asked = team.provider.log_of(Endpoint::Responses).into_iter().skip(before);
    let project = project.canonicalize().unwrap();
    let captured: Vec<Captured> =
        asked.map(|entry| Captured::of(entry, FIRST_PROMPT, project.to_str().unwrap())).collect();
    assert_eq!(captured.len(), REQUESTS);
    captured
}

fn theirs(team: &Team) -> Vec<Captured> {
    let codex = Codex::of(team);
    prepare(codex.project());
    play(team, &SHELL);
    let first = codex.exec_with_tools(FIRST_PROMPT);
    assert_eq!(first.messages.last().map(String::as_str), Some(FIRST_ANSWER), "{first:?}");
    let second = codex.goes_on_with_tools(SECOND_PROMPT);
    assert_eq!(second.messages.last().map(String::as_str), Some(SECOND_ANSWER), "{second:?}");
    assert_patched(codex.project());
    captured(team, 0, codex.project())
}

fn ours(team: &Team) -> Vec<Captured> {
    let machine = FetchToken::of(&team.given_a_client("desk"))
        .with("CODEX_BASE_URL", &format!("{}/backend-api/codex", team.provider.url()))
        .with("MODEL", "gpt-5.5")
        .with("TERM", "xterm")
        .with("NO_COLOR", "1");
    let project = machine.home().join("project");
    fs::create_dir(&project).unwrap();
    prepare(&project);
    play(team, &SHELL);
    let mut command = machine.command_of("sx", &[]);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(&project);
    let mut terminal = Terminal::start(command);
    terminal.wait_for("> ");
    terminal.types(&format!("{FIRST_PROMPT}\r"));
    for question in ["run it?", "change these files?"] {
        terminal.wait_for(question);
        terminal.types("y\r");
    }
    terminal.wait_for(FIRST_ANSWER);
    terminal.wait_for("> ");
    terminal.types(&format!("{SECOND_PROMPT}\r"));
    terminal.wait_for(SECOND_ANSWER);
    assert_patched(&project);
    captured(team, REQUESTS, &project)
}

#[test]
fn sx_asks_the_model_what_the_stock_cli_asks_except_for_what_is_listed() {
    let name = "stock_cli::requests::sx_asks_the_model_what_the_stock_cli_asks_except_for_what_is_listed";
    if !isolation::is_inside(name) {
        return;
    }
    let team = given_a_team();
    let (theirs, ours) = (theirs(&team), ours(&team));
    let found = theirs.iter().zip(&ours).flat_map(|(theirs, ours)| between(theirs, ours)).collect();
    let surprises = expected::surprises(found);
    assert!(surprises.is_empty(), "{} surprises:\n{}", surprises.len(), surprises.join("\n"));
}
