use std::path::Path;

use ratatui::style::Color;

use super::super::event::{Event, Outcome, Press};
use super::super::ground::Untrusted;
use super::super::sample::{SECRET, editor, full};
use super::*;
use crate::settings::key::Key;
use crate::terminal::capability::{Capability, Characters, Colour};

const PLAIN: Theme = Theme(Capability { colour: Colour::None, characters: Characters::Ascii });
const RICH: Theme = Theme(Capability { colour: Colour::Sixteen, characters: Characters::Utf8 });

fn painted(editor: &Editor, theme: Theme, width: u16, height: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    render(editor, theme, buffer.area, &mut buffer);
    buffer
}

fn text(buffer: &Buffer) -> String {
    let row = |y| -> String { (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect() };
    (0..buffer.area.height).map(|y| format!("{}\n", row(y).trim_end())).collect()
}

fn shown(editor: &Editor, theme: Theme, width: u16, height: u16) -> String {
    text(&painted(editor, theme, width, height))
}

fn works() -> Outcome {
    Outcome::Works {
        account: "6f0c1a2b".into(),
        plan: "team".into(),
        expires: "2026-12-02 14:05, in 9 days and 22 hours".into(),
    }
}

fn fails() -> Outcome {
    let why = "the broker cannot be reached: connection refused".into();
    Outcome::Fails { why, next_step: "check CODEX_REMOTE_URL, or ask who runs the broker".into() }
}

/// Compares with a picture in `golden/`. A picture that is wanted otherwise is written there by hand or, when
/// `GOLDEN=write` is set, by the test.
#[track_caller]
fn looks_like(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/config/editor/view/golden").join(name);
    if std::env::var_os("GOLDEN").is_some() {
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(actual == expected, "{name} looks like this now:\n{actual}");
}

#[test]
fn the_list_has_its_look() {
    let mut editor = full();
    editor.at(Key::TokenSource);
    looks_like("list-80x24.txt", &shown(&editor, RICH, 80, 24));
    looks_like("list-80x24-ascii.txt", &shown(&editor, PLAIN, 80, 24));
    looks_like("list-200x50.txt", &shown(&editor, RICH, 200, 50));
    looks_like("list-40x10.txt", &shown(&editor, RICH, 40, 10));
    editor.keys("\n Jj \n");
    editor.at(Key::Model).keys("\n-max\n");
    looks_like("changed-80x24.txt", &shown(&editor, RICH, 80, 24));
}

#[test]
fn each_dialogue_has_its_look() {
    let mut editor = full();
    let mut look = |name: &str, key: Key, keys: &str| {
        editor.keys("\u{1b}");
        editor.at(key).keys(keys);
        looks_like(name, &shown(&editor, RICH, 80, 24));
    };
    look("choosing.txt", Key::CodexReasoningEffort, "\njj");
    look("ordering.txt", Key::TokenSource, "\nj");
    look("typing.txt", Key::RemoteUrl, "\nx y");
    look("typing-a-secret.txt", Key::ApiKey, "\nsxk_ab");
    look("help.txt", Key::ApiKey, "?");
    let mut editor = full();
    editor.at(Key::ApiKey).keys("\n");
    editor.pasted("sxk_7f3k9q2m1c0d_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8_b89088a4");
    editor.keys("\n");
    editor.at(Key::Model).keys("d");
    editor.keys("s");
    looks_like("saving.txt", &shown(&editor, RICH, 80, 24));
    editor.keys("\u{1b}q");
    looks_like("leaving.txt", &shown(&editor, RICH, 80, 24));
    let mut editor = full();
    editor.at(Key::Model).keys("t");
    editor.update(Event::Tried { run: 1, source: "remote".into(), outcome: fails() });
    editor.update(Event::Tried { run: 1, source: "local".into(), outcome: works() });
    looks_like("testing.txt", &shown(&editor, RICH, 80, 24));
    looks_like("testing-40x10.txt", &shown(&editor, RICH, 40, 10));
    for _ in 0..100 {
        editor.update(Event::Pressed(Press::Down));
    }
    looks_like("testing-40x10-read-on.txt", &shown(&editor, RICH, 40, 10));
}

#[test]
fn what_is_wrong_in_a_file_is_marked() {
    let editor = editor("CODEX_TOKEN_SOURCE=remot\nMODEL=gpt-5.5\n", "", &[]);
    let shown = shown(&editor, PLAIN, 200, 50);
    let marked: Vec<&str> = shown.lines().filter(|line| line.starts_with("  ! ")).collect();
    assert!(marked.len() == 1 && marked[0].contains("CODEX_TOKEN_SOURCE"), "{shown}");
    assert!(shown.contains("SSH"), "a list that cannot be read hides nothing");
}

#[test]
fn a_secret_that_would_go_to_a_project_is_pointed_out() {
    let mut editor = full();
    editor.change_secret(SECRET);
    editor.keys("s");
    assert!(!shown(&editor, PLAIN, 80, 24).contains("can end up in its repository"));
    editor.keys("\t");
    assert!(shown(&editor, PLAIN, 80, 24).contains("can end up in its repository"));
}

#[test]
fn an_untrusted_file_is_pointed_out() {
    let mut editor = full();
    let assignments = vec!["CODEX_REMOTE_URL=https://elsewhere.example/codex (line 3)".to_owned()];
    editor.ground.untrusted = Some(Untrusted { path: "/home/ann/code/scorpiox-env.txt".into(), assignments });
    assert!(shown(&editor, RICH, 80, 24).contains("is not trusted yet: T shows what it asks for"));
    editor.keys("T");
    looks_like("trusting.txt", &shown(&editor, RICH, 80, 24));
}

/// Every screen that can be reached, with a secret in the files and one that is being typed or changed.
fn every_screen() -> Vec<Editor> {
    let mut screens = Vec::new();
    for keys in ["", "/a", "\n", "\nsxk_neverseen", "s", "q", "T", "?", "t", "d", "\t"] {
        for key in [Key::Model, Key::TokenSource, Key::ApiKey, Key::RemoteUrl, Key::CodexReasoningEffort] {
            let mut editor = full();
            editor.change_secret(SECRET);
            editor.at(key).keys(keys);
            screens.push(editor);
        }
    }
    screens
}

#[test]
fn a_secret_is_nowhere_on_the_screen() {
    for editor in every_screen() {
        for (width, height) in [(80, 24), (200, 50), (40, 10)] {
            for theme in [RICH, PLAIN] {
                let shown = shown(&editor, theme, width, height);
                // Where the user typed it into an open field, it is no secret of ours.
                let typed_openly = matches!(&editor.screen, Screen::Typing(typing) if typing.key != Key::ApiKey);
                assert!(!shown.contains("neverseen") || typed_openly, "{shown}");
            }
        }
    }
}

#[test]
fn without_colour_there_is_none_and_in_ascii_only_ascii() {
    for editor in every_screen() {
        let buffer = painted(&editor, PLAIN, 80, 24);
        assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
        assert!(text(&buffer).is_ascii(), "{}", text(&buffer));
    }
    let rich = painted(&full(), RICH, 80, 24);
    assert!(rich.content.iter().any(|cell| cell.fg != Color::Reset), "elsewhere there is some");
}

#[test]
fn any_size_can_be_painted() {
    for editor in every_screen() {
        for width in [1, 2, 39, 40, 41, 59, 60, 61, 109, 110, 300] {
            for height in [1, 2, 9, 10, 11, 12, 60] {
                let shown = shown(&editor, RICH, width, height);
                let is_small = width < 40 || height < 10;
                assert_eq!(shown.contains("too small") || width < 10, is_small, "{width}x{height}\n{shown}");
            }
        }
    }
}

#[test]
fn the_end_of_a_long_line_that_is_typed_is_seen_with_the_cursor() {
    let mut editor = full();
    editor.at(Key::Model).keys("\n");
    editor.pasted(&"x".repeat(300));
    editor.keys("END");
    let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
    let cursor = render(&editor, RICH, buffer.area, &mut buffer).unwrap();
    assert_eq!(buffer[(cursor.x - 1, cursor.y)].symbol(), "D");
}
