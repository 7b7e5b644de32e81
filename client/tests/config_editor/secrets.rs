//! A secret goes into its file and nowhere else.

use crate::desk::{Desk, key};

/// The secret is in no piece of what was drawn: neither in the cells nor among the control sequences.
#[track_caller]
fn assert_unseen(bytes: &[u8], secret: &str) {
    // A picture is drawn in pieces: any eight characters of it would be too many.
    for piece in secret.as_bytes().windows(8) {
        assert!(!bytes.windows(8).any(|drawn| drawn == piece), "{}", String::from_utf8_lossy(piece));
    }
}

#[test]
fn a_key_is_typed_and_saved_without_being_seen_and_closes_its_file() {
    let key = key();
    let desk = Desk::new().user("# mine\nCODEX_TOKEN_SOURCE=remote\n");
    let mut terminal = desk.open();
    terminal.shows("Broker").types("/API_KEY\r").types("\r").shows("it is not shown");
    // Character by character, as a person types.
    let (start, rest) = key.split_at(10);
    for character in start.chars() {
        terminal.types(&character.to_string());
    }
    terminal.shows("••••••••••").shows("!").pastes(rest).hides("!").types("\r").shows("1 change not saved");
    terminal.types("s").shows("TOKEN_HTTP_API_KEY = ••••••••").types("\r").shows("saved in").types("q");
    assert!(terminal.ends().success());
    assert_eq!(desk.user_text(), format!("# mine\nCODEX_TOKEN_SOURCE=remote\nTOKEN_HTTP_API_KEY={key}\n"));
    assert_eq!(desk.user_mode(), 0o600);
    assert_unseen(&terminal.bytes(), &key);
}

#[test]
fn a_key_that_stands_somewhere_is_never_drawn() {
    let (key, password) = (key(), "correct-horse-battery");
    let text = format!("CODEX_TOKEN_SOURCE=remote,ssh\nTOKEN_HTTP_API_KEY={key}\n");
    let desk = Desk::new().user(&text).with("CODEX_SSH_PASS", password);
    let mut terminal = desk.open();
    terminal.shows("CODEX_TOKEN_SOURCE").types("\u{1b}[F").shows("CODEX_SSH_COMMAND");
    for name in ["API_KEY", "SSH_PASS"] {
        terminal.types(&format!("/{name}\r")).shows("••••••••").types("\r").shows("it is not shown");
        terminal.types("\u{1b}").hides("it is not shown").types("\u{1b}").hides("only with");
    }
    terminal.types("\u{3}");
    assert!(terminal.ends().success());
    assert_unseen(&terminal.bytes(), &key);
    assert_unseen(&terminal.bytes(), password);
}

#[test]
fn a_paste_with_a_control_character_is_refused() {
    let desk = Desk::new();
    let mut terminal = desk.open();
    terminal.shows("MODEL").types("/MODEL\r").types("\r").shows("Ctrl-U");
    terminal.pastes("gpt\nMODEL=x").shows("nothing was pasted").types("gpt-5.5\r").shows("1 change not saved");
    terminal.types("qs\r");
    assert!(terminal.ends().success());
    assert_eq!(desk.user_text(), "MODEL=gpt-5.5\n");
}
