//! `/undo` and `/diff` in a conversation: what a turn changed, by a patch and by a script, is shown and taken back.

use std::fs;

use fake_provider::{Endpoint, Script};
use scorpiox_tests::process::terminal::Terminal;
use scorpiox_tests::process::{FetchToken, Team};
use serde_json::json;

fn begin() -> (Team, FetchToken, Terminal) {
    let (team, machine) = Team::with_a_project();
    fs::write(machine.project().join("a.txt"), "one\n").unwrap();
    let mut terminal = Terminal::start(machine.sx_in_the_project(&["--approvals", "full-auto"]));
    terminal.wait_for("> ");
    (team, machine, terminal)
}

/// A turn that changes a file by a patch and makes another by a script.
fn one_turn(team: &Team, terminal: &mut Terminal) {
    let patch = "apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: a.txt\n-one\n+two\n*** End Patch\nEOF";
    team.provider.script(Script::function_call("exec_command", &json!({ "cmd": patch }), "call_1"));
    let script = json!({ "cmd": "mkdir made && echo three > made/b.txt" });
    team.provider.script(Script::function_call("exec_command", &script, "call_2"));
    team.provider.script(Script::message("Both are done."));
    terminal.types("Change them.\r");
    terminal.wait_for("Both are done.");
    terminal.wait_for("context");
}

#[test]
fn what_a_turn_changed_is_shown_taken_back_and_told_to_the_model() {
    let (team, machine, mut terminal) = begin();
    one_turn(&team, &mut terminal);
    let read = |name: &str| fs::read_to_string(machine.project().join(name)).ok();
    assert_eq!((read("a.txt").unwrap(), read("made/b.txt").unwrap()), ("two\n".into(), "three\n".into()));

    terminal.types("/diff\r");
    terminal.wait_for("- one");
    terminal.wait_for("made/b.txt (new)");
    terminal.wait_for("+ three");
    terminal.types("/undo\r");
    terminal.wait_for("D made/b.txt");
    assert_eq!((read("a.txt").unwrap(), read("made/b.txt")), ("one\n".into(), None));
    assert!(!machine.project().join("made").exists());
    terminal.types("/undo\r");
    terminal.wait_for("nothing to take back");

    team.provider.script(Script::message("I see."));
    terminal.types("Go on.\r");
    terminal.wait_for("I see.");
    let last = team.provider.log_of(Endpoint::Responses).pop().unwrap().conversation.unwrap().to_string();
    assert!(
        last.contains("took back the file changes of the last turn that changed files: a.txt, made/b.txt"),
        "{last}"
    );
}

#[test]
fn what_the_person_has_changed_since_is_not_touched() {
    let (team, machine, mut terminal) = begin();
    one_turn(&team, &mut terminal);
    let path = machine.project().join("a.txt");
    fs::write(&path, "by hand\n").unwrap();
    terminal.types("/undo\r");
    terminal.wait_for("nothing was taken back: changed since that turn: a.txt");
    assert!(machine.project().join("made/b.txt").exists());
    terminal.types("/undo force\r");
    terminal.wait_for("a.txt: changed since, left as it is");
    assert_eq!(fs::read_to_string(path).unwrap(), "by hand\n");
    assert!(!machine.project().join("made/b.txt").exists());
}

#[test]
fn another_conversation_takes_back_nothing_of_this_one() {
    let (team, machine, mut terminal) = begin();
    one_turn(&team, &mut terminal);
    terminal.types("/clear\r");
    terminal.wait_for("a new conversation");
    terminal.types("/undo\r");
    terminal.wait_for("nothing to take back");
    assert_eq!(fs::read_to_string(machine.project().join("a.txt")).unwrap(), "two\n");
}
