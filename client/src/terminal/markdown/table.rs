//! A table, once all of it has come: columns as wide as they need to be, narrower where the terminal is.

use super::flow::{Flow, Lead};
use super::ink::{Style, paint};
use super::inline::Inline;
use crate::terminal::capability::{Characters, Colour};
use crate::terminal::columns::width_of;

/// No column is made narrower than this.
const NARROWEST: usize = 3;
/// Between two columns.
const GAP: usize = 3;

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Middle,
    Right,
}

/// How tables are drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    pub(super) colour: Colour,
    pub(super) characters: Characters,
    /// Columns that there are.
    pub(super) width: usize,
    pub(super) base: Style,
}

/// The lines of a table, when its rows are one: the second says so.
pub(super) fn lines(rows: &[String], drawn: Drawn) -> Option<Vec<String>> {
    let [head, sides, body @ ..] = rows else { return None };
    let sides: Vec<Side> = cells(sides).iter().map(|cell| side(cell)).collect::<Option<_>>()?;
    let head = cells(head);
    if sides.is_empty() || sides.len() != head.len() {
        return None;
    }
    let body: Vec<Vec<String>> = body.iter().map(|row| cells(row)).collect();
    let widths = widths(std::iter::once(&head).chain(&body), sides.len(), drawn)?;
    let mut lines = drawn.row(&head, &widths, &sides, Style::BOLD);
    lines.push(drawn.line_under_head(&widths));
    for row in &body {
        lines.extend(drawn.row(row, &widths, &sides, Style::PLAIN));
    }
    // A word that is longer than its column is not broken.
    lines.iter().all(|line| width_of(&unpainted(line)) <= drawn.width).then_some(lines)
}

/// `:--`, `:-:`, `--:`.
fn side(cell: &str) -> Option<Side> {
    let dashes = cell.trim_start_matches(':').trim_end_matches(':');
    if dashes.is_empty() || dashes.bytes().any(|byte| byte != b'-') {
        return None;
    }
    Some(match (cell.starts_with(':'), cell.ends_with(':')) {
        (true, true) => Side::Middle,
        (false, true) => Side::Right,
        (true | false, false) => Side::Left,
    })
}

/// The texts between the bars. A bar with a backslash, or within code, is text.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let (mut escaped, mut in_code) = (false, false);
    for c in row.chars() {
        match c {
            '|' if escaped => {
                cell.pop();
                cell.push('|');
            }
            '|' if !in_code => cells.push(std::mem::take(&mut cell).trim().to_owned()),
            c => cell.push(c),
        }
        // Within code a backslash is one.
        in_code ^= c == '`' && (in_code || !escaped);
        escaped = c == '\\' && !escaped;
    }
    if !cell.trim().is_empty() {
        cells.push(cell.trim().to_owned());
    }
    cells
}

/// How wide each column becomes; `None` when there is no room for them.
fn widths<'a>(rows: impl Iterator<Item = &'a Vec<String>>, count: usize, drawn: Drawn) -> Option<Vec<usize>> {
    let mut widths = vec![1; count];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(drawn.flowed(cell, usize::MAX, Style::PLAIN).first().map_or(0, |line| line.0));
        }
    }
    let room = drawn.width.checked_sub(GAP * (count - 1))?;
    while widths.iter().sum::<usize>() > room {
        // The widest gives way.
        let widest = widths.iter_mut().max_by_key(|width| **width)?;
        if *widest <= NARROWEST {
            return None;
        }
        *widest -= 1;
    }
    Some(widths)
}

impl Drawn {
    fn row(self, cells: &[String], widths: &[usize], sides: &[Side], style: Style) -> Vec<String> {
        let nothing = String::new();
        let flowed = |(at, width): (usize, &usize)| self.flowed(cells.get(at).unwrap_or(&nothing), *width, style);
        let columns: Vec<Vec<(usize, String)>> = widths.iter().enumerate().map(flowed).collect();
        let height = columns.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let gap = paint(self.bar(), self.base.with(Style::FAINT), self.colour);
        let line = |at: usize| {
            let parts = columns.iter().zip(widths).zip(sides).map(|((lines, width), side)| {
                let (taken, text) = lines.get(at).map_or((0, ""), |(taken, text)| (*taken, text.as_str()));
                aligned(text, width.saturating_sub(taken), *side)
            });
            parts.collect::<Vec<_>>().join(&gap).trim_end().to_owned()
        };
        (0..height).map(line).collect()
    }

    fn line_under_head(self, widths: &[usize]) -> String {
        let (dash, cross) = match self.characters {
            Characters::Utf8 => ("─", "─┼─"),
            Characters::Ascii => ("-", "-+-"),
        };
        let parts: Vec<String> = widths.iter().map(|width| dash.repeat(*width)).collect();
        paint(&parts.join(cross), self.base.with(Style::FAINT), self.colour)
    }

    fn bar(self) -> &'static str {
        match self.characters {
            Characters::Utf8 => " │ ",
            Characters::Ascii => " | ",
        }
    }

    /// A cell's lines, each with the columns that it takes.
    fn flowed(self, cell: &str, width: usize, style: Style) -> Vec<(usize, String)> {
        let (mut flow, mut out) = (Flow::new(self.colour, width), String::new());
        let mut inline = Inline::new(self.base.with(style));
        flow.begin(&Lead::default(), Lead::default(), &mut out);
        let mut sink = |c: char, style: Style| flow.put(c, style, &mut out);
        if self.colour == Colour::None {
            cell.chars().for_each(|c| sink(c, Style::PLAIN));
        } else {
            cell.chars().for_each(|c| inline.push(c, &mut sink));
            inline.end(&mut sink);
        }
        flow.end_line(&mut out);
        out.lines().map(|line| (width_of(&unpainted(line)), line.to_owned())).collect()
    }
}

fn aligned(text: &str, room: usize, side: Side) -> String {
    let (before, after) = match side {
        Side::Left => (0, room),
        Side::Right => (room, 0),
        Side::Middle => (room / 2, room - room / 2),
    };
    format!("{}{text}{}", " ".repeat(before), " ".repeat(after))
}

/// The text without the sequences that `paint` has put there.
fn unpainted(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&str], width: usize, characters: Characters) -> Option<String> {
        let rows: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
        let drawn = Drawn { colour: Colour::None, characters, width, base: Style::PLAIN };
        lines(&rows, drawn).map(|lines| lines.join("\n"))
    }

    #[test]
    fn columns_are_as_wide_as_they_need_to_be() {
        let rows = ["| Name | n |", "|:--|--:|", "| a | 1 |", "| `x\\|y|` | 200 |", "| `\\` |"];
        let expected = "Name   |   n\n-------+----\na      |   1\n`x|y|` | 200\n`\\`    |";
        assert_eq!(table(&rows, 80, Characters::Ascii).unwrap(), expected);
    }

    #[test]
    fn in_a_narrow_terminal_cells_wrap() {
        let rows = ["|a|b|", "|-|-|", "|some longer text here|x|"];
        let expected = "a           │ b\n────────────┼──\nsome longer │ x\ntext here   │";
        assert_eq!(table(&rows, 15, Characters::Utf8).unwrap(), expected);
        assert_eq!(table(&rows, 5, Characters::Utf8), None, "no room");
        let rows = ["|a|b|", "|-|-|", "|https://example.org/long|some text|"];
        assert_eq!(table(&rows, 20, Characters::Utf8), None, "a word that has no room");
    }

    #[test]
    fn what_has_no_second_row_of_dashes_is_no_table() {
        for rows in [&["| a |"][..], &["| a |", "| b |"], &["| a | b |", "| - |"], &[]] {
            assert_eq!(table(rows, 80, Characters::Ascii), None, "{rows:?}");
        }
    }
}
