//! `--get` and `--dump`.

use serde_json::{Value, json};

use crate::machine::{CLIENT_KEY, Machine, PROJECT_FILE, USER_FILE};

#[test]
fn get_prints_the_value_that_holds_or_its_default_or_says_that_there_is_none() {
    let machine = Machine::new();
    assert_eq!(machine.config(&["--get", "TOOLS"]).done_quietly(), "1\n");
    machine.config(&["--get", "MODEL"]).failed(1, "MODEL is not set");
    machine.write(USER_FILE, "MODEL=of-user\n");
    assert_eq!(machine.config(&["--get", "MODEL"]).done_quietly(), "of-user\n");
    machine.write(PROJECT_FILE, "\u{feff}# ours\r\nMODEL = of-project \r\n");
    assert_eq!(machine.config(&["--get", "MODEL"]).done_quietly(), "of-project\n");
    let ended = machine.with("MODEL", "of-environment").config(&["--get", "MODEL", "--verbose"]);
    assert_eq!(ended.done(), "of-environment\n");
    assert!(ended.stderr.contains("MODEL stands in: environment"), "{ended:?}");
}

#[test]
fn the_cascade_goes_from_beside_the_program_to_the_profile() {
    let machine = Machine::new().with("ACTIVE_PROFILE", "work");
    let places = [
        ("home/.claude/scorpiox-env.txt", "1"),
        (USER_FILE, "2"),
        ("project/.claude/scorpiox-env.txt", "3"),
        (PROJECT_FILE, "4"),
        ("project/.scorpiox/scorpiox-env.txt", "5"),
        ("home/.claude/scorpiox-env/work.txt", "6"),
        ("home/.config/scorpiox/scorpiox-env/work.txt", "7"),
        ("project/scorpiox-env/work.txt", "8"),
    ];
    machine.write("home/.claude/scorpiox-env/work.txt", "THINKING=1\n");
    for (place, model) in places {
        machine.write(place, &format!("MODEL={model}\n"));
        assert_eq!(machine.config(&["--get", "MODEL"]).done_quietly(), format!("{model}\n"), "{place}");
    }
    assert_eq!(machine.config(&["--get", "THINKING"]).done(), "0\n", "a shadowed profile counts in nothing");
}

#[test]
fn what_the_installer_wrote_beside_the_program_is_the_lowest() {
    let machine = Machine::new();
    machine.write("opt/bin/scorpiox-env.txt", "MODEL=of-installer\nCODEX_SSH_HOST=gateway\n");
    machine.write(USER_FILE, "MODEL=of-user\n");
    let ended = machine.config_installed_at("opt/bin/scorpiox-config", &["--dump", "--show-source"]);
    let installed = machine.path("opt/bin/scorpiox-env.txt");
    assert!(ended.done_quietly().contains("MODEL=of-user  # user: "), "{ended:?}");
    assert!(ended.stdout.contains(&format!("CODEX_SSH_HOST=gateway  # global: {}, line 2", installed.display())));
}

#[test]
fn a_profile_that_is_missing_or_leads_elsewhere_is_refused() {
    let machine = Machine::new();
    machine.write("x.txt", "MODEL=stolen\n");
    machine.write("home/.config/x.txt", "MODEL=stolen\n");
    for (name, says) in [
        ("../../x", "a profile's name has"),
        ("..", "a profile's name has"),
        ("a/b", "a profile's name has"),
        ("nowhere", "no settings folder has scorpiox-env/nowhere.txt"),
    ] {
        machine.write(USER_FILE, &format!("ACTIVE_PROFILE={name}\n"));
        machine.config(&["--get", "MODEL"]).failed(78, says);
        machine.config(&["--get", "MODEL"]).failed(78, "scorpiox-env.txt, line 1");
    }
}

#[test]
fn a_secret_is_never_printed() {
    let machine = Machine::new().with("CODEX_SSH_PASS", "hunter2-of-environment");
    machine.write(USER_FILE, &format!("TOKEN_HTTP_API_KEY={CLIENT_KEY}\nCODEX_SSH_PASS=hunter2-of-file\n"));
    machine.config(&["--get", "TOKEN_HTTP_API_KEY"]).failed(64, "is a secret and never printed");
    for arguments in [
        &["--dump"][..],
        &["--dump", "--show-source", "-v"],
        &["--dump", "--json"],
        &["--dump", "--level", "user"],
        &["--dump", "--files"],
        &["--check"],
    ] {
        let ended = machine.config(arguments);
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!all.contains("hunter2") && !all.contains("sxk_"), "{arguments:?} {all}");
    }
    let dump = machine.config(&["--dump"]);
    assert!(dump.done().contains("CODEX_SSH_PASS=(secret, not shown)\n"), "{dump:?}");
}

#[test]
fn dump_shows_where_each_value_stands_and_what_it_shadows() {
    let machine = Machine::new().with("TOOLS", "0");
    machine.write(USER_FILE, "# mine\nMODEL=of-user\nTOOLS=1\n");
    machine.write(PROJECT_FILE, "MODEL=of-project\n");
    let of = |arguments: &[&str], key: &str| {
        let ended = machine.config(arguments);
        let line = ended.done_quietly().lines().find(|line| line.starts_with(key)).map(str::to_owned);
        line.unwrap_or_default()
    };
    let (user, project) = (machine.path(USER_FILE), machine.path(PROJECT_FILE));
    let sources = ["--dump", "--show-source"];
    assert_eq!(of(&sources, "MODEL="), format!("MODEL=of-project  # project: {}, line 1", project.display()));
    assert_eq!(of(&sources, "TOOLS="), "TOOLS=0  # environment");
    assert_eq!(of(&sources, "CODEX_TOKEN_SOURCE="), "CODEX_TOKEN_SOURCE=local  # default");
    let of_user = ["--dump", "--show-source", "--level", "user"];
    assert_eq!(of(&of_user, "MODEL="), format!("MODEL=of-user  # user: {}, line 2, shadowed", user.display()));
    assert_eq!(of(&of_user, "CODEX_TOKEN_SOURCE="), "");
    assert_eq!(of(&["--dump", "--level", "default"], "TOOLS="), "TOOLS=1");

    let json: Value = serde_json::from_str(machine.config(&["--dump", "--json"]).done()).unwrap();
    let model = json["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == "MODEL").unwrap();
    let expected = json!({
        "key": "MODEL", "value": "of-project", "secret": false, "shadowed": false,
        "tier": "project", "file": project, "line": 1,
        "shadows": [{ "value": "of-user", "tier": "user", "file": user, "line": 2 }],
    });
    assert_eq!(*model, expected);
}

#[test]
fn dump_lists_the_files_even_when_they_cannot_be_read() {
    let machine = Machine::new();
    machine.write(USER_FILE, "no equals sign\n");
    machine.write(PROJECT_FILE, "MODEL=x\n");
    machine.set_mode(PROJECT_FILE, 0o666);
    let ended = machine.config(&["--dump", "--files"]);
    let lines: Vec<&str> = ended.done().lines().collect();
    let states: Vec<&str> = lines.iter().map(|line| line.rsplit_once("  (").unwrap().1).collect();
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines[2].starts_with("user     ") && states[2].starts_with("line 1: expected KEY=VALUE"), "{lines:?}");
    assert!(lines[4].starts_with("project  ") && states[4].contains("chmod o-w"), "{lines:?}");
    assert_eq!((states[1], states[5]), ("absent)", "absent)"));
    machine.config(&["--dump"]).failed(78, "scorpiox-env.txt");
}

#[test]
fn a_closed_pipe_is_no_error_and_without_a_terminal_there_is_no_editor() {
    let machine = Machine::new();
    let ended = machine.in_shell("\"$0\" --dump | true; exec 3>&1; \"$0\" --dump >&- ; echo $?");
    assert!(ended.stderr.is_empty() || ended.stderr.lines().count() == 1, "{ended:?}");
    machine.config(&[]).failed(64, "needs a terminal");
}
