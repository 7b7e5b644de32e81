//! A conversation with tools when things go wrong: answers that break off or are refused in mid-turn (C8), a model and
//! tools that mean no good to the terminal (C11), a sandbox that is not there (C13).

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use fake_provider::{Endpoint, Script, Step};
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::{FetchToken, Plan, Team, binaries};
use serde_json::{Value, json};

/// Sequences that set titles, links and the clipboard, clear, reset, or are long; in both their forms; and characters
/// that turn text round.
const HOSTILE: &str = "a\u{1b}]52;c;aGk=\u{7}b\u{1b}]8;;http://x.example\u{1b}\\c\u{1b}[2Jd\u{1b}ce\u{1b}Pq\u{1b}\\f\
    \u{9b}2Jg\u{9d}0;title\u{9c}h\u{202e}i\u{2066}j\u{85}the end";

struct Desk {
    team: Team,
    machine: FetchToken,
    terminal: Terminal,
}

impl Desk {
    fn begin() -> Self {
        Self::begin_with(|machine| machine.command_of("sx", &[]))
    }

    fn begin_with(command: impl FnOnce(&FetchToken) -> Command) -> Self {
        let at_once = |plan: Plan| plan.with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", "0s");
        let (team, machine) = Team::with_a_developer(at_once);
        let machine = machine.with("TERM", "xterm").with("NO_COLOR", "1");
        let project = machine.home().join("project");
        fs::create_dir(&project).unwrap();
        let mut command = command(&machine);
        command.current_dir(project);
        let mut terminal = Terminal::start(command);
        terminal.wait_for("> ");
        Self { team, machine, terminal }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.machine.home().join("project").join(name)
    }

    /// The model wants this script, and says that it is done.
    fn given_a_script(&self, script: &str) {
        self.team.provider.script(wants(script));
        self.team.provider.script(Script::message("Done with it."));
    }

    /// What the model was asked, oldest first.
    fn asked(&self) -> Vec<(Option<u16>, Value)> {
        let log = self.team.provider.log_of(Endpoint::Responses).into_iter();
        log.map(|entry| (entry.status, entry.conversation.unwrap())).collect()
    }
}

fn wants(script: &str) -> Script {
    Script::function_call("shell_command", &json!({ "command": script }), "call_1")
}

fn assert_harmless(shown: &str) {
    for sequence in ["\u{1b}]", "\u{1b}P", "\u{1b}c", "\u{1b}_", "\u{1b}^", "[2J", "52;c", "title"] {
        assert!(!shown.contains(sequence), "{sequence:?} in {shown:?}");
    }
    let obeyed = |c: char| matches!(c, '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!shown.contains(obeyed), "{shown:?}");
}

#[test]
fn nothing_runs_from_an_answer_that_breaks_off() {
    let mut desk = Desk::begin();
    // The call is there in full, but not the end of the answer.
    let mut broken = wants("touch ran");
    broken.steps.pop();
    broken.steps.push(Step::Cut);
    desk.team.provider.script(broken);
    desk.team.provider.script(Script::message("I have thought better of it."));
    desk.terminal.types("Do it\r");
    let between = desk.terminal.wait_for("thought better of it.");
    assert!(!between.contains("run it?"), "{between}");
    assert!(!desk.file("ran").exists());
    let asked = desk.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].1["input"], asked[1].1["input"], "the same question again");
}

#[test]
fn a_refusal_in_mid_turn_repeats_the_question_and_not_the_script() {
    let mut desk = Desk::begin();
    desk.given_a_script("echo ran >> ran");
    desk.terminal.types("Do it\r");
    desk.terminal.wait_for("run it?");
    let newest = *desk.team.provider.oracle().newest().last().unwrap();
    assert!(desk.team.provider.refuse_access(newest));
    desk.terminal.types("y\r");
    desk.terminal.wait_for("Done with it.");
    assert_eq!(fs::read_to_string(desk.file("ran")).unwrap(), "ran\n", "once");
    let statuses: Vec<_> = desk.asked().iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [Some(200), Some(401), Some(200)]);
    assert_eq!((desk.team.provider.refresh_count(), desk.team.provider.violations().len()), (1, 0));
}

#[test]
fn arguments_that_are_none_are_told_to_the_model_and_nothing_runs() {
    let mut desk = Desk::begin();
    for arguments in ["{\"command\":\"touch ran", "{}", "[]", "{\"command\":7}", ""] {
        let item = json!({"type": "function_call", "name": "shell_command", "call_id": "c", "arguments": arguments});
        let mut script = wants("true");
        script.steps[1] = Step::Event(json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
        desk.team.provider.script(script);
        desk.team.provider.script(Script::message("I see."));
        desk.terminal.types("Do it\r");
        let between = desk.terminal.wait_for("I see.");
        assert!(!between.contains("run it?"), "{arguments:?}: {between}");
        desk.terminal.wait_for("> ");
        let told = desk.asked().pop().unwrap().1["input"].as_array().unwrap().last().unwrap()["output"].clone();
        assert!(told.as_str().unwrap().starts_with("failed to parse function arguments: "), "{arguments:?}: {told}");
    }
    assert!(!desk.file("ran").exists());
}

#[test]
fn what_a_model_says_cannot_move_the_terminal_however_it_is_cut() {
    let mut desk = Desk::begin();
    let deltas = HOSTILE.chars().map(|c| {
        let delta = json!({"type": "response.output_text.delta", "output_index": 0, "delta": c.to_string()});
        Step::Event(delta)
    });
    let mut script = Script::message("x");
    script.steps.splice(2..4, deltas);
    desk.team.provider.script(script);
    desk.team.provider.script(Script::message("Harmless again."));
    desk.terminal.types("Speak\r");
    let shown = desk.terminal.wait_for("the end") + &desk.terminal.wait_for("> ");
    desk.terminal.types("And now?\r");
    assert_harmless(&(shown + &desk.terminal.wait_for("Harmless again.")));
}

#[test]
fn what_a_script_prints_cannot_move_the_terminal_nor_fill_it() {
    let mut desk = Desk::begin();
    fs::write(desk.file("hostile"), HOSTILE).unwrap();
    fs::write(desk.file("long"), "x".repeat(1024 * 1024)).unwrap();
    desk.given_a_script("cat hostile; echo; cat long; echo; echo the end");
    desk.terminal.types("Show me\r");
    desk.terminal.wait_for("run it?");
    desk.terminal.types("y\r");
    let shown = desk.terminal.wait_for("Done with it.");
    assert_harmless(&shown);
    assert!(shown.contains("the end") && shown.len() < 128 * 1024, "{} bytes", shown.len());
}

#[test]
fn the_question_shows_what_will_run_and_nothing_that_hides_it() {
    let mut desk = Desk::begin();
    desk.given_a_script("true # \u{202e}\u{1b}[2K\r\u{9b}1A\u{200b}rm x");
    desk.terminal.types("Do it\r");
    let shown = desk.terminal.wait_for("run it?");
    assert!(shown.contains("true # \\u{202e}\\u{1b}[2K\\r\\u{9b}1A\\u{200b}rm x"), "{shown:?}");
    assert_harmless(&shown);
    desk.terminal.types("n\r");
    desk.terminal.wait_for("Done with it.");
}

#[test]
fn without_what_confines_them_scripts_do_not_run_unasked() {
    // Alone in its directory, without the program that holds what it runs.
    let mut desk = Desk::begin_with(|machine| {
        let alone = machine.home().join("sx");
        fs::copy(binaries::program("sx"), &alone).unwrap();
        let usual = machine.command_of("sx", &["--approvals", "full-auto"]);
        let mut command = Command::new(alone);
        command.args(usual.get_args()).env_clear();
        command.envs(usual.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    });
    desk.given_a_script("touch ran");
    desk.terminal.types("Do it\r");
    desk.terminal.wait_for("Done with it.");
    assert!(!desk.file("ran").exists());
    let told = desk.asked()[1].1["input"].as_array().unwrap().last().unwrap()["output"].clone();
    assert!(told.as_str().unwrap().starts_with("commands cannot be run here"), "{told}");
}
