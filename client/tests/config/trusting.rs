//! `scorpiox-config trust`, and the question that other commands ask at a terminal.

use crate::machine::{CLIENT_KEY, Machine, PROJECT_FILE, USER_FILE};
use crate::terminal::Terminal;

/// Refused by nobody but the missing file: local, and nothing there.
const LEADS: &str = "CODEX_CREDENTIALS_FILE=none.json\n";

/// Whether the fetch went on to the file that the project names.
#[track_caller]
fn is_trusted(machine: &Machine) -> bool {
    let ended = machine.fetch();
    assert_eq!(ended.stdout, "", "{ended:?}");
    assert!(ended.stderr.contains("not trusted") != ended.stderr.contains("none.json does not exist"), "{ended:?}");
    !ended.stderr.contains("not trusted")
}

#[test]
fn a_projects_file_is_refused_until_it_is_trusted_and_again_when_what_leads_changes() {
    let machine = Machine::new();
    machine.write(PROJECT_FILE, LEADS);
    let path = machine.path(PROJECT_FILE);
    let hint = format!(
        "line 1): this project's settings are not trusted; read it, then: scorpiox-config trust {}",
        path.display()
    );
    machine.fetch().failed(78, &hint);

    let ended = machine.config(&["trust"]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(
        ended.stdout.contains("    CODEX_CREDENTIALS_FILE=none.json\n") && ended.stderr.contains("--yes"),
        "{ended:?}"
    );
    assert!(!is_trusted(&machine));

    machine.config(&["trust", "--yes"]).done_quietly();
    assert!(is_trusted(&machine));
    assert_eq!(machine.mode("home/.config/scorpiox/trusted.json"), 0o600);
    assert_eq!(machine.config(&["trust", "--list"]).done_quietly(), format!("{}\n", path.display()));
    assert!(machine.config(&["trust"]).done().contains("is trusted already"));

    machine.write(PROJECT_FILE, &format!("# more\nMODEL=x\n{LEADS}"));
    assert!(is_trusted(&machine), "a model asks nothing");
    machine.write(PROJECT_FILE, &format!("{LEADS}CODEX_LOCAL_RENEW=1\n"));
    assert!(!is_trusted(&machine));
    let again = machine.config(&["trust"]);
    assert!(again.stdout.contains("has changed since it was trusted"), "{again:?}");
    machine.config(&["trust", path.to_str().unwrap(), "--yes"]).done_quietly();
    assert!(is_trusted(&machine));

    assert_eq!(machine.config(&["trust", "--forget", ".."]).done_quietly(), "1 files are trusted no longer\n");
    assert!(!is_trusted(&machine));
    assert_eq!(machine.config(&["trust", "--list"]).done_quietly(), "");
}

#[test]
fn nothing_needs_trust_where_nothing_leads() {
    let machine = Machine::new();
    machine.write(PROJECT_FILE, "MODEL=x\n");
    assert!(machine.config(&["trust"]).done_quietly().starts_with("nothing in "));
    machine.write("project/notes.txt", LEADS);
    machine.config(&["trust", "notes.txt", "--yes"]).failed(64, "is no settings file");
    machine.config(&["trust", "nowhere", "--yes"]).failed(64, "is no settings file");
}

#[test]
fn a_terminal_is_asked_and_sees_what_it_trusts() {
    let machine = Machine::new();
    // A direction mark would turn the line around; no terminal may obey it.
    let text = format!("{LEADS}TOKEN_HTTP_API_KEY={CLIENT_KEY}\nCODEX_SSH_COMMAND=a\u{202e}b\n");
    machine.write(PROJECT_FILE, &text);
    for (answer, exit_says) in [("\n", "not trusted"), ("n\n", "not trusted"), ("y\n", "none.json does not exist")] {
        let (mut terminal, mut child) = Terminal::start(machine.fetchtoken(&["--raw"]));
        terminal.wait_for("Trust it? Only if you know who wrote it. [y/N] ");
        terminal.types(answer);
        terminal.wait_for(exit_says);
        assert!(!child.wait().unwrap().success());
        let seen = terminal.seen();
        assert!(seen.contains("CODEX_CREDENTIALS_FILE=none.json") && seen.contains("CODEX_SSH_COMMAND=a?b"), "{seen}");
        assert!(seen.contains("TOKEN_HTTP_API_KEY=(secret, not shown)") && !seen.contains("sxk_"), "{seen}");
    }
    assert!(is_trusted(&machine), "it is remembered");
    machine.config(&["trust", "--forget", "."]).done();
    let (mut again, mut child) = Terminal::start(machine.command(&["trust"]));
    again.wait_for("[y/N] ");
    again.types("yes\n");
    assert!(child.wait().unwrap().success());
    assert!(is_trusted(&machine));
}

#[test]
fn what_its_user_writes_into_a_project_is_trusted_unless_a_stranger_was_there_before() {
    let machine = Machine::new();
    let set = |value: &str| machine.config(&["--set", "CODEX_CREDENTIALS_FILE", value, "--level", "project"]);
    set("none.json").done_quietly();
    assert!(is_trusted(&machine));
    machine.write(PROJECT_FILE, "CODEX_SSH_HOST=evil\n");
    let ended = set("none.json");
    ended.done();
    assert!(ended.stderr.contains("is not trusted yet"), "{ended:?}");
    assert!(!is_trusted(&machine));
}

#[test]
fn projects_that_are_trusted_at_once_are_all_remembered() {
    let machine = Machine::new();
    let names: Vec<String> = (0..8).map(|number| format!("project/{number}")).collect();
    names.iter().for_each(|name| machine.write(&format!("{name}/scorpiox-env.txt"), LEADS));
    let start = |name: &String| machine.command(&["trust", "--yes"]).current_dir(machine.path(name)).spawn().unwrap();
    let running: Vec<_> = names.iter().map(start).collect();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!(machine.config(&["trust", "--list"]).done_quietly().lines().count(), names.len());
}

#[test]
fn a_list_that_another_user_could_have_written_trusts_nothing() {
    let machine = Machine::new();
    machine.write(PROJECT_FILE, LEADS);
    machine.config(&["trust", "--yes"]).done_quietly();
    machine.set_mode("home/.config/scorpiox/trusted.json", 0o666);
    machine.fetch().failed(78, "could have been written by another user");
    machine.set_mode("home/.config/scorpiox/trusted.json", 0o600);
    assert!(is_trusted(&machine));
    machine.write("home/.config/scorpiox/trusted.json", "{");
    machine.fetch().failed(78, "remove it and trust again");
}

#[test]
fn the_users_own_file_needs_no_trust() {
    let machine = Machine::new();
    machine.write(USER_FILE, LEADS);
    assert!(is_trusted(&machine));
    machine.write("home/.claude/scorpiox-env.txt", "CODEX_SSH_HOST=mine\n");
    assert!(is_trusted(&machine));
}
