//! What stands in the box in front of the list.

use ratatui::layout::{Position, Rect};
use ratatui::prelude::Buffer;
use ratatui::style::Style;

use super::super::event::Outcome;
use super::super::field::{Change, Field};
use super::super::ground::Untrusted;
use super::super::model::{Choosing, Editor, Ordering, Screen, Testing, Tone, Typing};
use super::list::change_in_words;
use super::popup::Sheet;
use super::theme::Theme;
use crate::settings::key::Key;
use crate::settings::places::Level;

const KEYS: [(&str, &str); 12] = [
    ("Up Down j k  ", "move; PgUp, PgDn, Home, End too"),
    ("Enter        ", "change the value; an empty value takes the setting out"),
    ("d            ", "take the setting out of the file: what stands elsewhere, or the default, holds then"),
    ("u            ", "undo the change of this setting"),
    ("Tab          ", "change your own settings, or those of this project"),
    ("t            ", "fetch a token now, from the source of this setting or from all chosen ones; it is never shown"),
    ("T            ", "look at what the project's file asks for, and trust it"),
    ("/            ", "list only what has a text in its name or help"),
    ("s            ", "save; comments and order of the file are kept"),
    ("q Esc        ", "leave; asks when there are changes"),
    ("Ctrl-C       ", "leave at once, without saving"),
    ("Ctrl-L       ", "paint the screen anew"),
];

pub(super) fn render(editor: &Editor, theme: Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let mut sheet = Sheet::new(theme, area);
    let title = match &editor.screen {
        Screen::List | Screen::Filtering => return None,
        Screen::Choosing(choosing) => choose(editor, choosing, theme, &mut sheet),
        Screen::Ordering(ordering) => order(editor, ordering, theme, &mut sheet),
        Screen::Typing(typing) => type_in(editor, typing, theme, &mut sheet),
        Screen::Testing(testing) => test(testing, theme, &mut sheet),
        Screen::Saving(_) => save(editor, theme, &mut sheet),
        Screen::Leaving => leave(editor, theme, &mut sheet),
        Screen::Trusting => trust(editor.ground.untrusted.as_ref(), theme, &mut sheet),
        Screen::Help => help(&mut sheet),
    };
    sheet.read_from(editor.scrolled);
    sheet.render(title, area, buffer)
}

fn introduce(editor: &Editor, field: Option<&Field>, theme: Theme, sheet: &mut Sheet) {
    let Some(field) = field else { return };
    sheet.text(&theme.text(field.entry.help), Style::new());
    if let Some(stronger) = field.shadow(editor.rank()) {
        let level = editor.level().as_str();
        let place = theme.text(&editor.ground.shown_place(&stronger.origin));
        let text = format!("! shadowed by {place}: a change in the {level} file has no effect");
        sheet.text(&text, theme.attention());
    }
    sheet.gap();
}

fn choose(editor: &Editor, choosing: &Choosing, theme: Theme, sheet: &mut Sheet) -> &'static str {
    let field = editor.ground.field(choosing.key);
    introduce(editor, field, theme, sheet);
    let default = field.and_then(|field| field.entry.default);
    let unset = default.map_or("not set".to_owned(), |default| format!("not set: the default is {default}"));
    sheet.row(&unset, choosing.cursor == 0);
    for (row, choice) in choosing.choices.iter().enumerate() {
        sheet.row(&format!("{:10} {}", choice.value, choice.meaning), choosing.cursor == row + 1);
    }
    choosing.key.as_str()
}

fn order(editor: &Editor, ordering: &Ordering, theme: Theme, sheet: &mut Sheet) -> &'static str {
    introduce(editor, editor.ground.field(ordering.key), theme, sheet);
    for (row, choice) in ordering.choices.iter().enumerate() {
        let place = if row < ordering.taken { format!("{}.", row + 1) } else { "- ".to_owned() };
        sheet.row(&format!("{place} {:8} {}", choice.value, choice.meaning), ordering.cursor == row);
    }
    if ordering.taken == 0 {
        sheet.gap();
        sheet.text("none is taken: the default holds", theme.faint());
    }
    ordering.key.as_str()
}

fn type_in(editor: &Editor, typing: &Typing, theme: Theme, sheet: &mut Sheet) -> &'static str {
    let field = editor.ground.field(typing.key);
    introduce(editor, field, theme, sheet);
    let is_secret = field.is_none_or(|field| field.entry.is_secret());
    let characters = typing.line.text().chars().count();
    let before = typing.line.before_cursor().chars().count();
    if is_secret {
        sheet.typed(&theme.bullet().repeat(characters), before);
    } else {
        sheet.typed(&theme.typed_text(typing.line.text()), before);
    }
    match (&typing.trouble, characters) {
        (Some(trouble), _) => sheet.text(&format!("! {}", theme.text(trouble)), theme.tone(Tone::Bad)),
        (None, 0) if is_secret => {
            sheet.text("type or paste it: it is not shown; empty: leave it as it is", theme.faint())
        }
        (None, 0) => sheet.text("empty: the setting is taken out", theme.faint()),
        (None, _) => sheet.gap(),
    }
    typing.key.as_str()
}

fn test(testing: &Testing, theme: Theme, sheet: &mut Sheet) -> &'static str {
    for (index, (source, outcome)) in testing.sources.iter().enumerate() {
        if index > 0 {
            sheet.gap();
        }
        sheet.text(&theme.text(source), theme.strong());
        match outcome {
            None => sheet.labelled("  ", "asking ...", theme.faint()),
            Some(Outcome::Works { account, plan, expires }) => {
                sheet.labelled("  ", "ok: it gave a token", theme.tone(Tone::Good));
                sheet.labelled("  account  ", &theme.text(account), Style::new());
                sheet.labelled("  plan     ", &theme.text(plan), Style::new());
                sheet.labelled("  expires  ", &theme.text(expires), Style::new());
            }
            Some(Outcome::Fails { why, next_step }) => {
                sheet.labelled("  ", &format!("FAIL: {}", theme.text(why)), theme.tone(Tone::Bad));
                if !next_step.is_empty() {
                    sheet.labelled("  next: ", &theme.text(next_step), Style::new());
                }
            }
        }
    }
    "Test: a token is fetched and not shown"
}

fn save(editor: &Editor, theme: Theme, sheet: &mut Sheet) -> &'static str {
    for file in &editor.ground.files {
        let row = format!("{:8} {}", file.level.as_str(), theme.text(&editor.ground.shown_path(&file.path)));
        sheet.row(&row, file.level == editor.level());
    }
    sheet.gap();
    for (key, change) in editor.changes() {
        let Some(field) = editor.ground.field(*key) else { continue };
        sheet.labelled("* ", &change_in_words(theme, field, change), Style::new());
        if let Some(stronger) = field.shadow(editor.rank()) {
            let text = format!("! no effect: shadowed by {}", theme.text(&editor.ground.shown_place(&stronger.origin)));
            sheet.labelled("  ", &text, theme.attention());
        }
    }
    let has_secret = |(key, change): &(Key, Change)| {
        let is_secret = editor.ground.field(*key).is_some_and(|field| field.entry.is_secret());
        is_secret && matches!(change, Change::Set(_))
    };
    if editor.level() == Level::Project && editor.changes().iter().any(has_secret) {
        sheet.gap();
        sheet.text(
            "! a secret in a project's file can end up in its repository: Tab puts it into your own",
            theme.attention(),
        );
    }
    "Save"
}

fn leave(editor: &Editor, theme: Theme, sheet: &mut Sheet) -> &'static str {
    for (key, change) in editor.changes() {
        let Some(field) = editor.ground.field(*key) else { continue };
        sheet.labelled("* ", &change_in_words(theme, field, change), Style::new());
    }
    sheet.gap();
    sheet.text("s saves and leaves, d leaves without saving, Esc goes back.", Style::new());
    "Not saved"
}

fn trust(untrusted: Option<&Untrusted>, theme: Theme, sheet: &mut Sheet) -> &'static str {
    let Some(untrusted) = untrusted else { return "Trust" };
    sheet.text(&theme.text(&untrusted.path.display().to_string()), theme.strong());
    sheet.text("says where your tokens and keys go, or what is run. It is not used until you trust it:", Style::new());
    sheet.gap();
    for assignment in &untrusted.assignments {
        // In full: what is trusted must have been seen.
        sheet.labelled("  ", &theme.in_full(assignment), theme.attention());
    }
    sheet.gap();
    sheet.text("Trust these lines? y trusts them until they change.", Style::new());
    "Trust"
}

fn help(sheet: &mut Sheet) -> &'static str {
    for (keys, meaning) in KEYS {
        sheet.labelled(keys, meaning, Style::new());
    }
    "Keys"
}
