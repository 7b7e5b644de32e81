//! `--set` and `--unset`.

use crate::machine::{Machine, PROJECT_FILE, USER_FILE};

#[test]
fn a_value_is_written_into_the_users_file_and_read_back() {
    let machine = Machine::new();
    let path = machine.path(USER_FILE);
    let ended = machine.config(&["--set", "MODEL", "gpt-5.5"]);
    assert_eq!(ended.done_quietly(), format!("MODEL is written in {}\n", path.display()));
    assert_eq!((machine.read(USER_FILE).as_str(), machine.mode(USER_FILE)), ("MODEL=gpt-5.5\n", 0o600));
    assert_eq!(machine.mode("home/.config/scorpiox"), 0o700);
    assert_eq!(machine.config(&["--get", "MODEL"]).done_quietly(), "gpt-5.5\n");
    machine.config(&["--unset", "MODEL"]).done_quietly();
    assert_eq!(machine.read(USER_FILE), "");
    machine.config(&["--unset", "MODEL"]).done_quietly();
}

#[test]
fn comments_order_line_ends_and_mark_stay() {
    let machine = Machine::new();
    let before = "\u{feff}# mine\r\n\r\nMODEL = a \r\n# TOOLS=0\r\nOTHER_PROGRAMS_KEY=1\r\nTHINKING=0";
    machine.write(USER_FILE, before);
    machine.config(&["--set", "MODEL", "b"]).done();
    machine.config(&["--set", "TOOLS", "0"]).done();
    machine.config(&["--unset", "THINKING"]).done();
    let after = "\u{feff}# mine\r\n\r\nMODEL = b\r\n# TOOLS=0\r\nOTHER_PROGRAMS_KEY=1\r\nTOOLS=0\r\n";
    assert_eq!(machine.read(USER_FILE), after);
}

#[test]
fn a_projects_value_goes_into_its_highest_file_so_that_it_holds() {
    let machine = Machine::new();
    std::fs::create_dir_all(machine.path("project/.git")).unwrap();
    std::fs::create_dir_all(machine.path("project/inner")).unwrap();
    let mut inside = machine.command(&["--set", "MODEL", "a", "--level", "project"]);
    assert!(inside.current_dir(machine.path("project/inner")).output().unwrap().status.success());
    assert_eq!(machine.read(PROJECT_FILE), "MODEL=a\n", "the project's root, not the directory of the moment");
    machine.write("project/.claude/scorpiox-env.txt", "MODEL=theirs\n");
    machine.write("project/.scorpiox/scorpiox-env.txt", "# more\n");
    machine.config(&["--set", "MODEL", "b", "--level", "project"]).done_quietly();
    assert_eq!(machine.read("project/.scorpiox/scorpiox-env.txt"), "# more\nMODEL=b\n");
    assert_eq!(machine.config(&["--get", "MODEL"]).done(), "b\n");
}

#[test]
fn a_change_without_effect_says_what_wins() {
    let machine = Machine::new().with("TOOLS", "1");
    machine.write(PROJECT_FILE, "MODEL=of-project\n");
    let says = |arguments: &[&str], what: &str| {
        let ended = machine.config(arguments);
        ended.done();
        assert!(ended.stderr.contains(what), "{ended:?}");
    };
    says(&["--set", "MODEL", "x"], "scorpiox-env.txt, line 1 sets it too, and wins");
    says(&["--set", "TOOLS", "0"], "environment sets it too, and wins");
    says(&["--unset", "MODEL"], "it is still set: ");
}

#[test]
fn a_value_that_cannot_be_meant_changes_nothing() {
    let machine = Machine::new();
    machine.write(USER_FILE, "MODEL=a\n");
    let refused = [
        (["--set", "CODEX_SSH_PORT", "ssh"], "expected a number from 1 to 65535"),
        (["--set", "PROVIDER", "scorpiox"], "set PROVIDER=codex"),
        (["--set", "CODEX_TOKEN_SOURCE", "remote,remote"], "remote stands there twice"),
        (["--set", "ACTIVE_PROFILE", "../x"], "a profile's name"),
        (["--set", "CODEX_SSH_COMMAND", "a\nMODEL=b"], "control character"),
        (["--set", "MODEL", ""], "counts as not set"),
        (["--set", "NO_SUCH_KEY", "x"], "unknown setting NO_SUCH_KEY"),
    ];
    for (arguments, says) in refused {
        machine.config(&arguments).failed(64, says);
    }
    assert_eq!(machine.read(USER_FILE), "MODEL=a\n");
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_its_line_and_stays_as_it_is() {
    let machine = Machine::new();
    for (text, says) in [
        ("MODEL=a\nTOOLS=1\nMODEL=a\n", "scorpiox-env.txt, line 3: MODEL already stands in line 1"),
        ("MODEL=a\nno equals sign\n", "scorpiox-env.txt, line 2: expected KEY=VALUE"),
    ] {
        machine.write(USER_FILE, text);
        machine.config(&["--set", "THINKING", "1"]).failed(78, says);
        machine.config(&["--unset", "MODEL"]).failed(78, says);
        assert_eq!(machine.read(USER_FILE), text);
    }
}

#[test]
fn a_mistake_in_another_file_does_not_hide_that_the_change_was_made() {
    let machine = Machine::new();
    machine.write(PROJECT_FILE, "no equals sign\n");
    let ended = machine.config(&["--set", "MODEL", "x"]);
    assert!(ended.done().starts_with("MODEL is written in") && ended.stderr.contains("--check"), "{ended:?}");
}
