//! How the state looks: a pure function of it into a buffer of cells. A secret is nowhere in it.
//!
//! * [`theme`]: colours and characters. * [`list`]: the settings. * [`detail`]: all about one of them.
//! * [`popup`]: a box in front; [`dialogue`]: what stands in it.

mod detail;
mod dialogue;
mod list;
mod popup;
mod theme;

use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::prelude::Buffer;
use ratatui::text::Line;
use ratatui::widgets::Widget as _;

pub use self::theme::Theme;
use self::theme::width_of;
use super::model::{Editor, Screen};

/// Below this nothing can be read.
const SMALLEST: (u16, u16) = (40, 10);
/// From this width on the details have a column of their own.
const WIDE: u16 = 110;

/// Paints everything; says where the cursor stands when something is typed.
pub fn render(editor: &Editor, theme: Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(area, buffer);
        return None;
    }
    let [bar, body, notice, keys] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)])
            .areas(area);
    render_bar(editor, theme, bar, buffer);
    render_body(editor, theme, body, buffer);
    let typed = render_notice(editor, theme, notice, buffer);
    render_keys(editor, theme, keys, buffer);
    let above_keys = Rect { height: area.height - 2, y: area.y + 1, ..area };
    dialogue::render(editor, theme, above_keys, buffer).or(typed)
}

fn too_small(area: Rect, buffer: &mut Buffer) {
    let text = format!("too small: {}x{} needed", SMALLEST.0, SMALLEST.1);
    let middle = Rect { y: area.y + area.height / 2, height: area.height.min(1), ..area };
    Line::raw(text).centered().render(middle, buffer);
}

fn render_bar(editor: &Editor, theme: Theme, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, theme.bar());
    let file = editor.file();
    let right = match editor.changes().len() {
        0 => String::new(),
        1 => " 1 change not saved ".to_owned(),
        several => format!(" {several} changes not saved "),
    };
    let left = format!(" scorpiox-config   {} settings: ", file.level.as_str());
    let room = usize::from(area.width).saturating_sub(width_of(&left) + width_of(&right) + 1);
    let path = theme.fit_end(&theme.text(&editor.ground.shown_path(&file.path)), room);
    Line::raw(format!("{left}{path}")).render(area, buffer);
    Line::styled(right, theme.strong()).right_aligned().render(area, buffer);
}

fn render_body(editor: &Editor, theme: Theme, area: Rect, buffer: &mut Buffer) {
    if area.width >= WIDE {
        let [left, line, right] =
            Layout::horizontal([Constraint::Fill(3), Constraint::Length(1), Constraint::Fill(2)]).areas(area);
        list::render(editor, theme, left, buffer);
        for y in line.y..line.bottom() {
            buffer.set_string(line.x, y, theme.border().vertical_left, theme.faint());
        }
        detail::render(editor, theme, right, buffer);
        return;
    }
    let height = (area.height / 4).clamp(2, 6);
    let [upper, line, lower] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(height)]).areas(area);
    list::render(editor, theme, upper, buffer);
    Line::styled(theme.rule().repeat(usize::from(line.width)), theme.faint()).render(line, buffer);
    detail::render(editor, theme, lower, buffer);
}

fn render_notice(editor: &Editor, theme: Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    if let Screen::Filtering = editor.screen {
        let before = format!(" /{}", theme.text(editor.filter.before_cursor()));
        Line::raw(format!(" /{}", theme.text(editor.filter.text()))).render(area, buffer);
        let column = u16::try_from(width_of(&before)).unwrap_or(u16::MAX);
        return Some(Position::new(area.x + column.min(area.width - 1), area.y));
    }
    let width = usize::from(area.width).saturating_sub(1);
    let line = match (&editor.notice, &editor.ground.untrusted) {
        (Some(notice), _) => Line::styled(theme.fit(&theme.text(&notice.text), width), theme.tone(notice.tone)),
        (None, Some(untrusted)) => {
            let path = theme.text(&editor.ground.shown_path(&untrusted.path));
            let text = format!("{path} is not trusted yet: T shows what it asks for");
            Line::styled(theme.fit(&text, width), theme.attention())
        }
        (None, None) if !editor.filter.text().is_empty() => {
            Line::raw(format!("only with \"{}\"; Esc shows all", theme.text(editor.filter.text())))
        }
        (None, None) => Line::default(),
    };
    line.render(Rect { x: area.x + 1, width: area.width - 1, ..area }, buffer);
    None
}

/// What the keys do where the user is, the most needed first: what does not fit is in the help.
fn render_keys(editor: &Editor, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let test = match editor.to_be_tried().as_slice() {
        [one] => format!("test {}", theme.text(one)),
        _ => "test sources".to_owned(),
    };
    let keys: &[(&str, &str)] = match &editor.screen {
        Screen::List => &[
            ("Enter", "change"),
            ("t", &test),
            ("s", "save"),
            ("q", "quit"),
            ("?", "help"),
            ("Tab", "user/project"),
            ("d", "take out"),
            ("/", "find"),
        ],
        Screen::Filtering => &[("Enter", "keep"), ("Esc", "show all")],
        Screen::Choosing(_) => &[("Enter", "choose"), ("Esc", "back")],
        Screen::Ordering(_) => &[("Enter", "done"), ("Space", "take or drop"), ("J K", "move"), ("Esc", "back")],
        Screen::Typing(_) => &[("Enter", "done"), ("Esc", "back"), ("Ctrl-U", "empty")],
        Screen::Testing(_) => &[("t", "again"), ("a", "all chosen sources"), ("Esc", "back")],
        Screen::Saving(_) => &[("Enter", "save"), ("Tab", "user/project"), ("Esc", "back")],
        Screen::Leaving => &[("s", "save and leave"), ("d", "leave without saving"), ("Esc", "back")],
        Screen::Trusting => &[("y", "trust it"), ("Esc", "back")],
        Screen::Help => &[("any key", "back")],
    };
    let mut x = area.x + 1;
    for (key, meaning) in keys {
        let width = u16::try_from(width_of(key) + 1 + width_of(meaning)).unwrap_or(u16::MAX);
        if width > area.right().saturating_sub(x) {
            break;
        }
        let (after, _) = buffer.set_stringn(x, area.y, key, usize::from(width), theme.strong());
        buffer.set_stringn(after + 1, area.y, meaning, usize::from(width), theme.faint());
        x += width + 2;
    }
}

#[cfg(test)]
#[path = "view/tests.rs"]
mod tests;
