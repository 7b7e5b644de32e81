//! `--check`: all mistakes at once.

use crate::machine::{CLIENT_KEY, Ended, Machine, PROJECT_FILE, USER_FILE};

/// Asserts the exit code and that there is exactly one finding for each of these, in this order.
#[track_caller]
fn found(ended: &Ended, code: i32, expected: &[&str]) {
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), expected.len() + 1, "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        let (severity, says) = expected.split_once(": ").unwrap();
        assert!(line.starts_with(severity) && line.contains(says), "{line:?}: {expected:?}");
    }
    assert!(lines[expected.len()].starts_with("files: "), "{lines:#?}");
}

#[test]
fn what_is_right_says_so() {
    let machine = Machine::new();
    found(&machine.config(&["--check"]), 0, &[]);
    machine.write(USER_FILE, &format!("\u{feff}# mine\r\nMODEL=a\r\nTOKEN_HTTP_API_KEY={CLIENT_KEY}\r\n"));
    found(&machine.config(&["--check"]), 0, &[]);
}

#[test]
fn every_mistake_is_found_in_one_go() {
    let machine = Machine::new();
    machine.write(
        USER_FILE,
        "no equals sign\nCODEX_REMOTE_ULR=x\nTOOLS=yes\nTHINKING=1\nTHINKING=0\nMODEL=a\nMODEL=a\n=\n",
    );
    machine.write("home/.claude/scorpiox-env.txt", "KEY_OF_ANOTHER_PROGRAM=1\nTOOLS=no\n");
    machine.write("home/.config/scorpiox/scorpiox-env/unused.txt", "CODEX_SSH_PORT=0\n");
    let expected = [
        "error: .claude/scorpiox-env.txt, line 2): expected 1 or 0",
        "error: line 1: expected KEY=VALUE",
        "warning: line 2: unknown setting CODEX_REMOTE_ULR is ignored",
        "error: TOOLS (",
        "error: line 5: THINKING already stands in line 4; remove one of the two",
        "warning: line 7: MODEL already stands in line 6",
        "error: line 8: a key has 1 to 64",
        "error: scorpiox-env/unused.txt, line 1): expected a number",
    ];
    found(&machine.config(&["--check"]), 78, &expected);
}

#[test]
fn a_wrong_value_is_an_error_only_where_it_holds_and_matters() {
    let machine = Machine::new();
    machine.write(USER_FILE, "CODEX_SSH_PORT=x\nTHINKING=x\n");
    machine.write(PROJECT_FILE, "THINKING=1\n");
    let no_effect = ["warning: CODEX_SSH_PORT (", "warning: it has no effect now"];
    found(&machine.config(&["--check"]), 0, &no_effect);
    let machine = machine.with("CODEX_TOKEN_SOURCE", "remote,ssh");
    found(&machine.config(&["--check"]), 78, &["error: CODEX_SSH_PORT (", "warning: it has no effect now"]);
}

#[test]
fn the_environment_and_the_whole_are_checked_too() {
    let machine = Machine::new().with("PROVIDER", "scorpiox");
    found(&machine.config(&["--check"]), 78, &["error: PROVIDER (environment): this provider does not exist yet"]);
    let machine = Machine::new().with("ACTIVE_PROFILE", "nowhere");
    found(&machine.config(&["--check"]), 78, &["error: no settings folder has scorpiox-env/nowhere.txt"]);
}

#[test]
fn what_a_source_that_is_asked_lacks_is_an_error() {
    let machine = Machine::new().with("CODEX_TOKEN_SOURCE", "remote,local");
    found(&machine.config(&["--check"]), 78, &["error: set CODEX_REMOTE_URL"]);
    machine.write(USER_FILE, "CODEX_REMOTE_URL=https://b.example/codex\nTOKEN_HTTP_API_KEY_FILE=key\n");
    machine.write("home/.config/scorpiox/key", CLIENT_KEY);
    found(&machine.config(&["--check"]), 0, &[]);
    machine.set_mode("home/.config/scorpiox/key", 0o644);
    found(&machine.config(&["--check"]), 0, &["warning: key can be read by other users"]);
}

#[test]
fn a_secret_that_others_can_read_is_an_error() {
    let machine = Machine::new();
    machine.write(USER_FILE, "CODEX_SSH_PASS=hunter2\n");
    machine.set_mode(USER_FILE, 0o640);
    found(&machine.config(&["--check"]), 78, &["error: can be read by other users; chmod 600 "]);
    machine.set_mode(USER_FILE, 0o602);
    found(&machine.config(&["--check"]), 78, &["error: can be changed by every user"]);
}
