//! The settings that matter, under their headings: name, value, origin.

use ratatui::layout::Rect;
use ratatui::prelude::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;

use super::super::field::{Change, Field, Holding};
use super::super::model::{Editor, Tone};
use super::theme::{Theme, width_of};
use crate::settings::catalog::Secrecy;
use crate::settings::tier::Tier;
use crate::settings::written::Origin;

/// The longest name of a setting, and a space.
const NAME: usize = 24;
/// `environment`, `project:100`, and a space.
const ORIGIN: usize = 13;
/// Below this width there is no room for the origin; it stands in the details.
const WITH_ORIGIN: usize = 60;

enum Row<'a> {
    Gap,
    Heading(&'static str),
    Setting(&'a Field),
}

pub(super) fn render(editor: &Editor, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let rows = rows(editor, usize::from(area.height));
    if rows.is_empty() {
        Line::raw("  nothing has this text; Esc shows all").render(area, buffer);
        return;
    }
    let first = first_shown(&rows, editor, usize::from(area.height));
    for (row, y) in rows[first..].iter().zip(area.y..area.bottom()) {
        let line = Rect { y, height: 1, ..area };
        match row {
            Row::Gap => {}
            Row::Heading(text) => Line::styled(format!(" {text}"), theme.heading()).render(line, buffer),
            Row::Setting(field) => setting(editor, theme, field, line, buffer),
        }
    }
}

fn rows(editor: &Editor, height: usize) -> Vec<Row<'_>> {
    let listed = editor.listed();
    let starts = |at: usize| at == 0 || listed[at - 1].entry.section != listed[at].entry.section;
    let sections = (0..listed.len()).filter(|at| starts(*at)).count();
    // Air between the sections where it costs no scrolling.
    let with_gaps = listed.len() + 2 * sections <= height;
    let mut rows = Vec::new();
    for (at, field) in listed.iter().enumerate() {
        if starts(at) {
            rows.extend((with_gaps && at > 0).then_some(Row::Gap));
            rows.push(Row::Heading(field.entry.section.title()));
        }
        rows.push(Row::Setting(field));
    }
    rows
}

/// What is pointed at stands in the middle as far as the ends of the list allow.
fn first_shown(rows: &[Row<'_>], editor: &Editor, height: usize) -> usize {
    let pointed = |row: &Row<'_>| matches!(row, Row::Setting(field) if field.key() == editor.selected);
    let at = rows.iter().position(pointed).unwrap_or(0);
    at.saturating_sub(height / 2).min(rows.len().saturating_sub(height))
}

fn setting(editor: &Editor, theme: Theme, field: &Field, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let is_pointed = field.key() == editor.selected;
    let holding = editor.holding(field);
    let origin_width = if width >= WITH_ORIGIN { ORIGIN } else { 0 };
    let value_width = width.saturating_sub(NAME + 4 + origin_width + 1);
    let (value, style) = value(theme, field, &holding, value_width);
    let mark = match (editor.change(field.key()), field.fault_of(&holding)) {
        (_, Some(_)) => Span::styled("! ", theme.tone(Tone::Bad)),
        (Some(_), None) => Span::styled("* ", theme.attention()),
        (None, None) => Span::raw("  "),
    };
    let value = format!("{value}{}", " ".repeat(value_width.saturating_sub(width_of(&value))));
    let mut spans = vec![
        Span::raw(if is_pointed { theme.pointer() } else { "  " }),
        mark,
        Span::raw(format!("{:NAME$}", field.key().as_str())),
        Span::styled(value, style),
    ];
    if origin_width > 0 {
        let origin = theme.fit(&origin(&holding), ORIGIN - 1);
        spans.push(Span::styled(format!(" {origin}"), theme.faint()));
    }
    Line::from(spans).render(area, buffer);
    if is_pointed {
        buffer.set_style(area, theme.pointed());
    }
}

fn value(theme: Theme, field: &Field, holding: &Holding<'_>, width: usize) -> (String, Style) {
    let style = match holding {
        Holding::Draft(_) => theme.attention(),
        Holding::Written(_) => theme.strong(),
        Holding::Default(_) | Holding::Nothing => theme.faint(),
    };
    let text = if matches!(holding, Holding::Nothing) { "-".to_owned() } else { masked(theme, field, holding.text()) };
    (theme.fit(&text, width), style)
}

fn origin(holding: &Holding<'_>) -> String {
    match holding {
        Holding::Draft(_) => "not saved".to_owned(),
        Holding::Written(candidate) => match &candidate.origin {
            Origin::File { line, tier, .. } => format!("{tier}:{line}"),
            Origin::Environment => Tier::Environment.to_string(),
        },
        Holding::Default(_) => "default".to_owned(),
        Holding::Nothing => String::new(),
    }
}

/// A change in words; a secret stays one.
pub(super) fn change_in_words(theme: Theme, field: &Field, change: &Change) -> String {
    let name = field.key().as_str();
    match change {
        Change::Unset => format!("{name} is taken out"),
        Change::Set(text) => format!("{name} = {}", masked(theme, field, text)),
    }
}

/// A value as it may be shown.
pub(super) fn masked(theme: Theme, field: &Field, text: &str) -> String {
    match field.entry.secrecy {
        Secrecy::Open => theme.text(text),
        Secrecy::Secret => theme.bullet().repeat(8),
    }
}
