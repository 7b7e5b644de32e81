//! All about the setting that is pointed at: what it is for, its value in full, every place in which it stands.

use ratatui::layout::Rect;
use ratatui::prelude::Buffer;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Widget as _, Wrap};

use super::super::field::{Change, Field, Holding};
use super::super::model::{Editor, Tone};
use super::list::masked;
use super::theme::Theme;

pub(super) fn render(editor: &Editor, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let Some(field) = editor.pointed() else { return };
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let lines = lines(editor, theme, field);
    Paragraph::new(Text::from(lines)).wrap(Wrap { trim: false }).render(area, buffer);
}

/// The most important first: a small screen shows only the beginning.
fn lines(editor: &Editor, theme: Theme, field: &Field) -> Vec<Line<'static>> {
    let name = Span::styled(field.key().as_str(), theme.strong());
    let mut lines = vec![Line::from(vec![name, Span::raw(format!("  {}", theme.text(field.entry.help)))])];
    let holding = editor.holding(field);
    lines.extend(effect(editor, theme, field).map(|text| Line::styled(text, theme.attention())));
    lines.extend(
        field.fault_of(&holding).map(|why| Line::styled(format!("! {}", theme.text(&why)), theme.tone(Tone::Bad))),
    );
    lines.push(Line::raw(holds(editor, theme, field, &holding)));
    let held = match holding {
        Holding::Written(candidate) => Some(candidate.rank),
        Holding::Draft(_) | Holding::Default(_) | Holding::Nothing => None,
    };
    for candidate in field.candidates.iter().filter(|candidate| Some(candidate.rank) != held) {
        let text = masked(theme, field, &candidate.text);
        let relation = if candidate.rank == editor.rank() && held.is_none() { "instead of" } else { "also" };
        lines.push(Line::styled(
            format!("{relation} {text} in {}", theme.text(&editor.ground.shown_place(&candidate.origin))),
            theme.faint(),
        ));
    }
    lines
}

fn holds(editor: &Editor, theme: Theme, field: &Field, holding: &Holding<'_>) -> String {
    let text = masked(theme, field, holding.text());
    match holding {
        Holding::Draft(_) => format!("{text}, not saved yet"),
        Holding::Written(candidate) => {
            format!("{text}, from {}", theme.text(&editor.ground.shown_place(&candidate.origin)))
        }
        Holding::Default(_) => format!("{text}, the default: it is written nowhere"),
        Holding::Nothing => "not set".to_owned(),
    }
}

/// What should be known before this setting is changed in the file that is edited.
fn effect(editor: &Editor, theme: Theme, field: &Field) -> Option<String> {
    let level = editor.level().as_str();
    if let Some(stronger) = field.shadow(editor.rank()) {
        let place = theme.text(&editor.ground.shown_place(&stronger.origin));
        return Some(format!("! shadowed by {place}: a change in the {level} file has no effect"));
    }
    match editor.change(field.key()) {
        Some(Change::Unset) if field.in_file(editor.rank()).is_none() => {
            Some(format!("! it is not in the {level} file"))
        }
        Some(Change::Unset) => Some(format!("* it is taken out of the {level} file")),
        Some(Change::Set(_)) | None => None,
    }
}
