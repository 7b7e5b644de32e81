//! A secret comes from standard input, lies in a private file, and is nobody else's.

use std::fs;

use crate::machine::{CLIENT_KEY, Machine, PROJECT_FILE, USER_FILE};
use crate::terminal::Terminal;

const SET_KEY: [&str; 3] = ["--set", "TOKEN_HTTP_API_KEY", "-"];

#[test]
fn a_secret_is_taken_from_standard_input_and_not_from_the_command_line() {
    let machine = Machine::new();
    machine.config(&["--set", "TOKEN_HTTP_API_KEY", CLIENT_KEY]).failed(64, "reads it from standard input");
    assert!(!machine.path(USER_FILE).exists());
    let ended = machine.config_given(&SET_KEY, &format!("{CLIENT_KEY}\r\n"));
    assert!(!ended.done_quietly().contains("sxk_"));
    assert_eq!(machine.read(USER_FILE), format!("TOKEN_HTTP_API_KEY={CLIENT_KEY}\n"));
    machine.config_given(&SET_KEY, "sxk_cutoff\n").failed(64, "TOKEN_HTTP_API_KEY: ");
    let two_lines = machine.config_given(&SET_KEY, &format!("{CLIENT_KEY}\nMODEL=x\n"));
    two_lines.failed(64, "control character");
    assert!(!two_lines.stderr.contains("sxk_"));
    machine.config_given(&SET_KEY, "").failed(64, "counts as not set");
}

#[test]
fn a_typed_secret_is_not_shown() {
    let machine = Machine::new();
    let (mut terminal, child) = Terminal::start(machine.command(&["--set", "CODEX_SSH_PASS", "-"]));
    terminal.wait_for("CODEX_SSH_PASS (not shown): ");
    terminal.wait_until_hidden();
    terminal.types("hunter3\u{7f}2\n");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(machine.read(USER_FILE), "CODEX_SSH_PASS=hunter2\n");
    assert!(terminal.echoes(), "the terminal is as it was");
    assert!(!terminal.seen().contains("hunter"), "{}", terminal.seen());
}

#[test]
fn ctrl_c_at_the_question_changes_nothing_and_gives_the_terminal_back() {
    let machine = Machine::new();
    let (mut terminal, child) = Terminal::start(machine.command(&["--set", "CODEX_SSH_PASS", "-"]));
    terminal.wait_for("CODEX_SSH_PASS (not shown): ");
    terminal.wait_until_hidden();
    terminal.types("hunt\u{3}");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(64));
    assert!(terminal.echoes() && !machine.path(USER_FILE).exists());
}

#[test]
fn a_file_with_a_secret_becomes_private() {
    let machine = Machine::new();
    machine.write(USER_FILE, "MODEL=a\n");
    machine.set_mode(USER_FILE, 0o644);
    machine.config_given(&SET_KEY, CLIENT_KEY).done_quietly();
    assert_eq!(machine.mode(USER_FILE), 0o600);
    machine.set_mode(USER_FILE, 0o640);
    machine.config(&["--set", "MODEL", "a"]).done_quietly();
    assert_eq!(machine.mode(USER_FILE), 0o600, "also when another setting is written, even the same");
}

#[test]
fn a_secret_that_git_can_see_is_warned_about() {
    let machine = Machine::new();
    if !machine.git(&["init"]) {
        return;
    }
    let set = ["--set", "TOKEN_HTTP_API_KEY", "-", "--level", "project"];
    let ended = machine.config_given(&set, CLIENT_KEY);
    ended.done();
    assert!(ended.stderr.contains("is not ignored by git"), "{ended:?}");
    fs::write(machine.path("project/.gitignore"), "scorpiox-env.txt\n").unwrap();
    machine.config_given(&set, CLIENT_KEY).done_quietly();
    assert!(machine.git(&["add", "--force", "scorpiox-env.txt"]));
    let ended = machine.config(&["--set", "MODEL", "x", "--level", "project"]);
    ended.done();
    assert!(ended.stderr.contains("is tracked by git"), "{ended:?}");
    let checked = machine.config(&["--check"]);
    assert_eq!(checked.code, Some(78));
    assert!(checked.stdout.contains("error: ") && checked.stdout.contains("is tracked by git"), "{checked:?}");
    assert_eq!(machine.mode(PROJECT_FILE), 0o600);
}

#[test]
fn asking_git_runs_nothing_that_the_repository_says_and_hands_on_no_secret() {
    let machine = Machine::new().with("TOKEN_HTTP_API_KEY", CLIENT_KEY);
    if !machine.git(&["init"]) {
        return;
    }
    let hook = format!("env > {}", machine.path("ran").display());
    machine.write("project/hook.sh", &format!("#!/bin/sh\n{hook}\n"));
    machine.set_mode("project/hook.sh", 0o755);
    assert!(machine.git(&["config", "core.fsmonitor", machine.path("project/hook.sh").to_str().unwrap()]));
    machine.config_given(&["--set", "CODEX_SSH_PASS", "-", "--level", "project"], "hunter2").done();
    assert!(!machine.path("ran").exists());
}
