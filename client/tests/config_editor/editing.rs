//! Changing settings and saving them.

use crate::desk::Desk;

const DOWN: &str = "\u{1b}[B";

/// Goes to a setting by its name.
fn go_to(key: &str) -> String {
    format!("/{key}\r")
}

#[test]
fn a_change_of_the_source_shows_what_matters_and_is_saved_beside_the_comments() {
    let desk = Desk::new().user("# mine\r\n\r\nMODEL=gpt-5.5\r\n# the end\r\n");
    let mut terminal = desk.open();
    terminal.shows("Conversation").shows("Local file").shows("gpt-5.5").shows("user:3").shows("CODEX_CREDENTIALS_FILE");
    // Takes remote, drops local.
    terminal.types(&go_to("TOKEN_SOURCE")).shows("only with").types("\r").shows("a broker");
    terminal.types("j k ").shows("1. remote").types("\r");
    terminal.shows("1 change not saved").types("\u{1b}").shows("CODEX_REMOTE_URL").hides("CODEX_CREDENTIALS_FILE");
    terminal.types("s").shows("CODEX_TOKEN_SOURCE = remote").types("\r").shows("saved in");
    terminal.hides("not saved").types("q");
    assert!(terminal.ends().success());
    assert_eq!(desk.user_text(), "# mine\r\n\r\nMODEL=gpt-5.5\r\n# the end\r\nCODEX_TOKEN_SOURCE=remote\r\n");
    assert_eq!(desk.user_mode(), 0o644, "without a secret the mode is the user's affair");
}

#[test]
fn a_wrong_value_is_named_while_it_is_typed_and_not_taken() {
    let desk = Desk::new().user("CODEX_TOKEN_SOURCE=remote\n");
    let mut terminal = desk.open();
    terminal.shows("CODEX_TOKEN_SOURCE").types(&go_to("REMOTE_URL")).types("\r").shows("HOST:PORT/codex");
    terminal.types("http://broker.example/codex").shows("use https");
    terminal.types("\r").shows("use https").types("\u{1b}[H");
    terminal.types("\u{1b}[C\u{1b}[C\u{1b}[C\u{1b}[Cs").hides("use https").shows("https://broker");
    terminal.types("\r").shows("1 change not saved");
    terminal
        .types("\u{1b}")
        .shows("THINKING")
        .types("qs")
        .shows("CODEX_REMOTE_URL = https://broker.example/codex")
        .types("\r");
    assert!(terminal.ends().success());
    assert_eq!(desk.user_text(), "CODEX_TOKEN_SOURCE=remote\nCODEX_REMOTE_URL=https://broker.example/codex\n");
}

#[test]
fn a_choice_is_made_in_a_list_and_goes_to_the_project() {
    let desk = Desk::new();
    let mut terminal = desk.open();
    terminal.shows("THINKING").types(&go_to("CODEX_REASONING")).types("\r").shows("thorough");
    terminal.types(&DOWN.repeat(5)).types("\r").shows("high");
    terminal.types("\t").shows("project settings").types("s").shows("CODEX_REASONING_EFFORT = high");
    terminal.types("\r").shows("saved in").types("q");
    assert!(terminal.ends().success());
    assert_eq!(std::fs::read_to_string(desk.project_file()).unwrap(), "CODEX_REASONING_EFFORT=high\n");
    assert_eq!(desk.user_text(), "");
}

#[test]
fn a_change_that_has_no_effect_says_so() {
    let desk = Desk::new().with("MODEL", "gpt-5.5-mini").user("MODEL=gpt-5.5\n");
    let mut terminal = desk.open();
    terminal.shows("gpt-5.5-mini").shows("environment").types(&go_to("MODEL"));
    terminal.shows("shadowed by the environment").types("d").types("s").shows("no effect");
    terminal.types("\r").shows("saved in").types("q");
    assert!(terminal.ends().success());
    assert_eq!(desk.user_text(), "");
}

#[test]
fn a_project_is_trusted_after_a_look_at_what_it_asks_for() {
    let desk =
        Desk::new().project("# theirs\nCODEX_TOKEN_SOURCE=remote\nCODEX_REMOTE_URL=https://elsewhere.example/c\n");
    let mut terminal = desk.open();
    terminal.shows("is not trusted yet").types("t").shows("is not trusted").shows("press T").types("\u{1b}");
    terminal
        .hides("press T")
        .types("T")
        .shows("CODEX_REMOTE_URL=https://elsewhere.example/c")
        .types("\r")
        .shows("Trust these lines");
    terminal.types("y").shows("trusted until it changes").types("jj").hides("is not trusted yet").types("q");
    assert!(terminal.ends().success());
    let mut terminal = desk.open();
    terminal.shows("CODEX_TOKEN_SOURCE");
    assert!(!terminal.screen().contains("not trusted"), "{}", terminal.screen());
}

#[test]
fn leaving_without_saving_leaves_the_file_alone() {
    let desk = Desk::new().user("MODEL=gpt-5.5\n");
    let mut terminal = desk.open();
    terminal.shows("MODEL").types(&go_to("MODEL")).types("\r").shows("Ctrl-U").types("x\r").shows("1 change not saved");
    terminal.types("q").shows("d leaves without saving").types("d");
    assert!(terminal.ends().success());
    assert_eq!(desk.user_text(), "MODEL=gpt-5.5\n");
}

#[test]
fn what_could_not_be_read_back_is_not_saved() {
    let desk = Desk::new().user("MODEL=gpt-5.5\n");
    let mut terminal = desk.open();
    terminal.shows("ACTIVE_PROFILE").types(&go_to("ACTIVE_PROFILE")).types("\r").shows("Ctrl-U").types("work\r");
    terminal.shows("1 change not saved").types("s").shows("ACTIVE_PROFILE = work").types("\r");
    terminal.shows("work").hides("saved in").shows("1 change not saved").types("\u{3}");
    assert!(terminal.ends().success());
    assert_eq!(desk.user_text(), "MODEL=gpt-5.5\n");
}
