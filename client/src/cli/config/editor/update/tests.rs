use std::path::PathBuf;

use super::super::event::{Effect, Event, Outcome, Press};
use super::super::ground::Untrusted;
use super::super::model::{Editor, Screen};
use super::super::sample::{editor, full, ground};
use super::*;
use crate::settings::places::Level;

fn listed(editor: &Editor) -> Vec<&'static str> {
    editor.listed().iter().map(|field| field.key().as_str()).collect()
}

/// The changes as they would be written.
fn changes(editor: &Editor) -> Vec<String> {
    let text = |(key, change): &(Key, Change)| match change {
        Change::Set(text) => format!("{}={}", key.as_str(), text.as_str()),
        Change::Unset => format!("-{}", key.as_str()),
    };
    editor.changes().iter().map(text).collect()
}

fn notice(editor: &Editor) -> &str {
    editor.notice.as_ref().map_or("", |notice| &notice.text)
}

#[test]
fn only_what_matters_for_the_chosen_sources_is_listed_at_once() {
    let mut editor = editor("", "", &[]);
    assert!(listed(&editor).contains(&"CODEX_CREDENTIALS_FILE"), "local is the default");
    assert!(!listed(&editor).iter().any(|key| key.contains("REMOTE") || key.contains("SSH")));
    // Takes remote and drops local.
    editor.at(Key::TokenSource).keys("\nj k \n");
    assert_eq!(changes(&editor), ["CODEX_TOKEN_SOURCE=remote"]);
    assert!(listed(&editor).contains(&"CODEX_REMOTE_URL") && !listed(&editor).contains(&"CODEX_CREDENTIALS_FILE"));
    editor.keys("u");
    assert!(listed(&editor).contains(&"CODEX_CREDENTIALS_FILE"));
}

#[test]
fn sources_are_put_in_order() {
    let cases = [
        ("\n", vec![]),
        ("\nJ\n", vec!["CODEX_TOKEN_SOURCE=local,remote"]),
        ("\njj \n", vec!["CODEX_TOKEN_SOURCE=remote,local,ssh"]),
        ("\njj KK\n", vec!["CODEX_TOKEN_SOURCE=ssh,remote,local"]),
        ("\n \n", vec!["CODEX_TOKEN_SOURCE=local"]),
        // An untaken one cannot be moved, and nothing taken is the default.
        ("\njjK\n", vec![]),
        ("\n k \n", vec!["-CODEX_TOKEN_SOURCE"]),
        ("\n J\u{1b}", vec![]),
    ];
    for (keys, expected) in cases {
        let mut editor = full();
        editor.at(Key::TokenSource).keys(keys);
        assert_eq!(changes(&editor), expected, "{keys:?}");
    }
}

#[test]
fn a_value_is_chosen_from_a_list() {
    let mut editor = full();
    editor.at(Key::CodexReasoningEffort).keys("\njjj\n");
    assert_eq!(changes(&editor), ["CODEX_REASONING_EFFORT=low"]);
    editor.keys("\nkkkkkk\n");
    assert_eq!(changes(&editor), [""; 0], "back to the default, which is what was there");
}

#[test]
fn what_is_typed_is_judged_while_it_is_typed_and_a_wrong_value_is_not_taken() {
    let mut editor = full();
    editor.at(Key::RemoteUrl).keys("\n");
    let trouble = |editor: &Editor| match &editor.screen {
        Screen::Typing(typing) => typing.trouble.clone().unwrap_or_default(),
        _ => panic!("nothing is typed"),
    };
    editor.update(Event::Pressed(Press::Control('u')));
    editor.keys("http://broker.example/codex");
    assert!(trouble(&editor).contains("use https"), "{}", trouble(&editor));
    editor.keys("\n");
    assert!(trouble(&editor).contains("use https"), "Enter does not take it");
    editor.update(Event::Pressed(Press::Home));
    for _ in 0..4 {
        editor.update(Event::Pressed(Press::Right));
    }
    editor.keys("s");
    assert_eq!(trouble(&editor), "");
    editor.keys("\n");
    assert_eq!(changes(&editor), ["CODEX_REMOTE_URL=https://broker.example/codex"]);
}

#[test]
fn a_paste_with_control_characters_is_refused_as_a_whole() {
    let mut editor = full();
    editor.at(Key::Model).keys("\n");
    editor.update(Event::Pressed(Press::Control('u')));
    editor.pasted("gpt\u{1b}[31m");
    editor.pasted("a\nb");
    assert!(matches!(&editor.screen, Screen::Typing(typing) if typing.line.text().is_empty()));
    editor.pasted("gpt-5.5-mini\n");
    editor.keys("\n");
    assert_eq!(changes(&editor), ["MODEL=gpt-5.5-mini"]);
}

#[test]
fn a_secret_is_typed_anew_and_an_empty_one_changes_nothing() {
    let mut editor = full();
    editor.at(Key::ApiKey).keys("\n");
    assert!(matches!(&editor.screen, Screen::Typing(typing) if typing.line.text().is_empty()));
    editor.keys("\n");
    assert_eq!(changes(&editor), [""; 0]);
    editor.keys("d");
    assert_eq!(changes(&editor), ["-TOKEN_HTTP_API_KEY"]);
}

#[test]
fn a_setting_is_taken_out_only_where_it_stands() {
    let mut editor = full();
    editor.at(Key::Thinking).keys("d");
    assert_eq!((changes(&editor).len(), notice(&editor)), (0, "THINKING is not in the user file"));
    editor.at(Key::Model).keys("d");
    assert_eq!(changes(&editor), ["-MODEL"]);
    editor.keys("u");
    assert_eq!((changes(&editor).len(), notice(&editor)), (0, "MODEL is as it was"));
}

#[test]
fn changes_go_to_the_file_that_was_asked_for() {
    let mut editor = full();
    editor.at(Key::Model).keys("\n-x\n");
    assert_eq!(editor.keys("s"), None);
    assert_eq!(editor.keys("\t\n"), Some(Effect::Save(Level::Project)));
    assert_eq!(editor.keys("\t\n"), Some(Effect::Save(Level::User)), "still open: nothing has come of it yet");
    let failed = editor.done(Err("no space left".into()));
    assert_eq!((failed, notice(&editor), changes(&editor).len()), (None, "no space left", 1));
    editor.keys("s\n");
    assert_eq!(editor.done(Ok((Box::new(ground("MODEL=gpt-5.3-codex-x", "", &[])), "saved".into()))), None);
    assert_eq!((notice(&editor), changes(&editor).len()), ("saved", 0));
    assert_eq!(editor.level(), Level::User);
}

#[test]
fn leaving_with_changes_asks() {
    assert_eq!(full().keys("q"), Some(Effect::Leave));
    let changed = || {
        let mut editor = full();
        editor.at(Key::Model).keys("\nx\n");
        editor
    };
    let mut editor = changed();
    assert_eq!(editor.keys("q"), None);
    assert_eq!(editor.keys("\u{1b}"), None);
    assert!(matches!(editor.screen, Screen::List));
    assert_eq!(changed().keys("qd"), Some(Effect::Leave));
    assert_eq!(changed().update(Event::Pressed(Press::Control('c'))), Some(Effect::Leave));
    let mut editor = changed();
    assert_eq!(editor.keys("qs\n"), Some(Effect::Save(Level::User)));
    assert_eq!(editor.done(Ok((Box::new(ground("", "", &[])), String::new()))), Some(Effect::Leave));
    let mut editor = changed();
    editor.keys("qs\n");
    assert_eq!(editor.done(Err("no".into())), None, "what was not saved is not thrown away");
    assert_eq!(changes(&editor).len(), 1);
}

#[test]
fn a_test_tries_the_source_of_the_setting_or_all_that_are_chosen() {
    let sources = |editor: &mut Editor| match editor.keys("t") {
        Some(Effect::Try { sources, .. }) => sources.join(","),
        other => panic!("{other:?}"),
    };
    assert_eq!(sources(full().at(Key::Model)), "remote,local");
    assert_eq!(sources(full().at(Key::RemoteUrl)), "remote");
}

#[test]
fn a_late_answer_of_an_earlier_test_is_not_shown() {
    let outcome = || Outcome::Fails { why: "no".into(), next_step: String::new() };
    let tried = |editor: &mut Editor, run, source: &str| {
        editor.update(Event::Tried { run, source: source.into(), outcome: outcome() });
        match &editor.screen {
            Screen::Testing(testing) => testing.sources.iter().filter(|(_, outcome)| outcome.is_some()).count(),
            _ => usize::MAX,
        }
    };
    let mut editor = full();
    editor.at(Key::Model).keys("tt");
    assert_eq!(tried(&mut editor, 1, "remote"), 0);
    assert_eq!(tried(&mut editor, 2, "ssh"), 0);
    assert_eq!(tried(&mut editor, 2, "local"), 1);
    assert_eq!(tried(&mut editor, 2, "remote"), 2);
    editor.keys("\u{1b}");
    assert_eq!(tried(&mut editor, 2, "remote"), usize::MAX);
}

#[test]
fn the_filter_lists_what_has_its_text() {
    let mut editor = full();
    editor.keys("/effort\n");
    assert_eq!(listed(&editor), ["THINKING", "REASONING_EFFORT", "CODEX_REASONING_EFFORT"]);
    assert!(editor.pointed().is_some());
    editor.keys("\u{1b}");
    assert!(listed(&editor).len() > 10);
}

#[test]
fn a_project_is_trusted_only_after_it_was_looked_at() {
    let mut ground = ground("", "CODEX_REMOTE_URL=https://elsewhere/codex", &[]);
    ground.untrusted = Some(Untrusted {
        path: PathBuf::from("/p"),
        assignments: vec!["CODEX_REMOTE_URL=https://elsewhere/codex".into()],
    });
    let mut editor = Editor::new(ground);
    assert_eq!(editor.keys("T\n"), None, "only y trusts");
    assert_eq!(editor.keys("y"), Some(Effect::Trust));
    assert_eq!(full().keys("Ty"), None);
}

#[test]
fn no_key_and_no_paste_makes_it_fall_over() {
    #[rustfmt::skip]
    let presses = [
        Press::Up, Press::Down, Press::Left, Press::Right, Press::ShiftUp, Press::ShiftDown, Press::PageUp,
        Press::PageDown, Press::Home, Press::End, Press::Enter, Press::Escape, Press::Tab, Press::Backspace,
        Press::Delete, Press::Char(' '), Press::Char('x'), Press::Char('é'), Press::Control('u'), Press::Control('z'),
    ];
    let doors = ["", "/", "\n", "d", "s", "t", "T", "?", "qx", "/zzz\n", "/zzz\n\n", "/zzz\nd", "G\n", "jjjjjjjj\n"];
    for door in doors {
        for first in presses {
            for second in presses {
                let mut editor = full();
                editor.keys(door);
                editor.update(Event::Pressed(first));
                editor.pasted("é");
                editor.update(Event::Pressed(second));
            }
        }
    }
}
