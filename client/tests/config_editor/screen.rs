//! The screen itself: its size, its colours and characters, and that it is given back.

use std::process::Stdio;

use rustix::process::Signal;

use crate::desk::Desk;

#[test]
fn it_follows_the_size_of_the_terminal() {
    let desk = Desk::new().user("MODEL=gpt-5.5\n");
    let mut terminal = desk.open();
    terminal.shows("MODEL").resizes(39, 24).shows("too small: 40x10 needed");
    terminal.resizes(80, 9).shows("too small").resizes(40, 10).hides("too small").shows("Conversation");
    terminal.resizes(200, 50).shows("PROVIDER  who answers").shows("/ find").types("q");
    assert!(terminal.ends().success());
}

#[test]
fn whatever_ends_it_the_terminal_is_given_back() {
    let signals = [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)];
    for (signal, code) in signals {
        let desk = Desk::new();
        let mut terminal = desk.open();
        terminal.shows("PROVIDER").signals(signal);
        assert_eq!(terminal.ends().code(), Some(code));
    }
    let desk = Desk::new().user("MODEL=gpt-5.5\n");
    let mut terminal = desk.open();
    terminal.shows("MODEL").types("/MODEL\r\r").shows("Ctrl-U").types("x\r").shows("1 change not saved").types("\u{3}");
    assert_eq!(terminal.ends().code(), Some(0));
    assert_eq!(desk.user_text(), "MODEL=gpt-5.5\n", "Ctrl-C saves nothing");
}

#[test]
fn without_colour_no_colour_is_sent() {
    let colours = |desk: Desk| {
        let desk = desk.user("CODEX_TOKEN_SOURCE=remote\n");
        let mut terminal = desk.open();
        terminal.shows("Broker").types("/REMOTE_URL\r\r").shows("HOST").types("x").shows("!").types("\u{3}");
        assert!(terminal.ends().success());
        colours_in(&terminal.bytes())
    };
    assert_eq!(colours(Desk::new().with("NO_COLOR", "1")), [0; 0]);
    assert_eq!(colours(Desk::new().with("TERM", "vt100")), [0; 0]);
    assert!(!colours(Desk::new()).is_empty(), "elsewhere there are some");
}

/// The parameters of every `CSI ... m` that set a colour.
fn colours_in(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let sequences = text.split("\u{1b}[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
        rest[end..].starts_with('m').then(|| rest[..end].to_owned())
    });
    let parameters: Vec<u16> = sequences
        .flat_map(|sequence| sequence.split([';', ':']).filter_map(|p| p.parse().ok()).collect::<Vec<_>>())
        .collect();
    parameters.into_iter().filter(|p| matches!(p, 30..=38 | 40..=48 | 90..=107)).collect()
}

#[test]
fn where_there_is_only_ascii_nothing_else_is_sent() {
    let desk = Desk::new().with("LANG", "C").user("CODEX_TOKEN_SOURCE=remote\n# é\n");
    let mut terminal = desk.open();
    terminal.shows("> ").types("/API_KEY\r\r").shows("it is not shown").types("sxk_").shows("****").types("\u{3}");
    assert!(terminal.ends().success());
    assert!(terminal.bytes().is_ascii());
}

#[test]
fn where_there_is_no_screen_it_says_what_to_use_instead() {
    let desk = Desk::new().with("TERM", "dumb");
    let mut terminal = desk.open();
    terminal.shows("TERM=dumb").shows("--set KEY VALUE");
    assert_eq!(terminal.ends().code(), Some(64));
    let output = desk.command().stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(64), 0));
    assert!(stderr.contains("the editor needs a terminal; use --dump"), "{stderr}");
}

#[test]
fn settings_that_cannot_be_read_are_told_before_the_screen_is_taken() {
    let desk = Desk::new().user("MODEL=a\nno equals\n");
    let mut terminal = desk.open();
    terminal.shows("line 2: expected KEY=VALUE");
    assert_eq!(terminal.ends().code(), Some(78));
    assert!(!String::from_utf8_lossy(&terminal.bytes()).contains("\u{1b}[?1049h"));
}

#[test]
fn a_key_that_comes_with_a_new_size_is_not_lost() {
    let desk = Desk::new();
    let mut terminal = desk.open();
    terminal.shows("PROVIDER");
    for columns in 81..100 {
        terminal.resizes(columns, 24).types("?").shows("Ctrl-L");
        terminal.types("q").resizes(columns, 25).hides("Ctrl-L");
    }
    terminal.types("q");
    assert!(terminal.ends().success());
}
