//! A box in front of everything, and the lines in it.

use ratatui::layout::{Position, Rect};
use ratatui::prelude::Buffer;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Widget as _};

use super::theme::{Theme, width_of};

/// No line is longer, however wide the screen is.
const WIDEST: u16 = 76;
/// Border and a space on both sides.
const FRAME: u16 = 4;

/// What stands in a box, line by line.
pub(super) struct Sheet {
    theme: Theme,
    width: usize,
    lines: Vec<Line<'static>>,
    cursor: Option<(usize, usize)>,
    /// The line that must be seen when not all can.
    focus: usize,
    passed: usize,
}

impl Sheet {
    /// An empty one for a box that is shown in `area`.
    pub(super) fn new(theme: Theme, area: Rect) -> Self {
        let width = usize::from(outer_width(area).saturating_sub(FRAME));
        Self { theme, width, lines: Vec::new(), cursor: None, focus: 0, passed: 0 }
    }

    /// A paragraph, wrapped.
    pub(super) fn text(&mut self, text: &str, style: Style) {
        self.lines.extend(wrap(text, self.width).into_iter().map(|line| Line::styled(line, style)));
    }

    /// A paragraph whose further lines stand under its text, behind a label.
    pub(super) fn labelled(&mut self, label: &str, text: &str, style: Style) {
        let indent = width_of(label);
        for (index, line) in wrap(text, self.width.saturating_sub(indent)).into_iter().enumerate() {
            let before = if index == 0 { label.to_owned() } else { " ".repeat(indent) };
            self.lines.push(Line::from(vec![Span::raw(before), Span::styled(line, style)]));
        }
    }

    /// A row that can be pointed at; it is cut, not wrapped.
    pub(super) fn row(&mut self, text: &str, is_pointed: bool) {
        let pointer = if is_pointed { self.theme.pointer() } else { "  " };
        let text = format!("{pointer}{}", self.theme.fit(text, self.width.saturating_sub(2)));
        let padded = format!("{text}{}", " ".repeat(self.width.saturating_sub(width_of(&text))));
        if is_pointed {
            self.focus = self.lines.len();
        }
        let style = if is_pointed { self.theme.pointed() } else { Style::new() };
        self.lines.push(Line::styled(padded, style));
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.lines.push(Line::default());
    }

    /// A line that is being typed, with the cursor in it. Of a long one the part around the cursor is shown.
    pub(super) fn typed(&mut self, text: &str, before_cursor: usize) {
        let width = self.width.saturating_sub(1);
        let start = before_cursor.saturating_sub(width.saturating_sub(1));
        let shown: String = text.chars().skip(start).take(width).collect();
        let shown_before: String = text.chars().skip(start).take(before_cursor - start).collect();
        self.focus = self.lines.len();
        self.cursor = Some((self.lines.len(), width_of(&shown_before)));
        let padded = format!("{shown}{}", " ".repeat(self.width.saturating_sub(width_of(&shown))));
        self.lines.push(Line::styled(padded, self.theme.typed()));
    }

    /// Begins with a later line, as long as there is more than the box can show.
    pub(super) fn read_from(&mut self, line: usize) {
        self.passed = line;
    }

    /// Paints the box in the middle of `area`; says where the cursor stands.
    pub(super) fn render(self, title: &str, area: Rect, buffer: &mut Buffer) -> Option<Position> {
        let width = outer_width(area);
        let height = u16::try_from(self.lines.len() + 2).unwrap_or(u16::MAX).min(area.height);
        let (x, y) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
        let outer = Rect { x, y, width, height };
        Clear.render(outer, buffer);
        let title = Line::styled(format!(" {title} "), self.theme.heading());
        let mut block = Block::new().borders(Borders::ALL).border_set(self.theme.border()).title(title);
        let room = usize::from(height - 2);
        let hidden = self.lines.len().saturating_sub(room);
        let first = self.focus.saturating_sub(room.saturating_sub(1)).max(self.passed.min(hidden));
        if first < hidden {
            block = block.title_bottom(Line::styled(" Down: more ", self.theme.attention()).right_aligned());
        }
        block.render(outer, buffer);
        let inner = Rect { x: x + FRAME / 2, y: y + 1, width: width - FRAME, height: height - 2 };
        for (line, y) in self.lines.iter().skip(first).zip(inner.y..inner.bottom()) {
            line.render(Rect { y, height: 1, ..inner }, buffer);
        }
        let (row, column) = self.cursor?;
        let offset = |offset: usize| u16::try_from(offset).unwrap_or(u16::MAX);
        Some(Position::new(inner.x.saturating_add(offset(column)), inner.y.saturating_add(offset(row - first))))
    }
}

fn outer_width(area: Rect) -> u16 {
    WIDEST.min(area.width)
}

/// Breaks a text at spaces, and inside words that are longer than a line.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| width_of(line));
        if line > 0 && line + 1 + width_of(word) > width {
            lines.push(String::new());
        } else if line > 0 {
            push(&mut lines, ' ');
        }
        for character in word.chars() {
            let mut next = lines.last().cloned().unwrap_or_default();
            next.push(character);
            if width_of(&next) > width {
                lines.push(String::new());
            }
            push(&mut lines, character);
        }
    }
    lines
}

fn push(lines: &mut [String], character: char) {
    if let Some(line) = lines.last_mut() {
        line.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("https://broker", 6), ["https:", "//brok", "er"]);
        assert_eq!(wrap("a https://b c", 6), ["a", "https:", "//b c"]);
        assert_eq!(wrap("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(wrap("", 5), [""]);
    }
}
