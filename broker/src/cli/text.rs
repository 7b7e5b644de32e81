//! Words on a terminal: colours, columns, moments.

use std::fmt::Write as _;
use std::path::Path;

use crate::clock::Timestamp;
use crate::local_time::LocalTime;

/// Colours, when there are any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(bool);

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Heading,
    Good,
    Attention,
    Bad,
}

impl Paint {
    #[cfg(test)]
    pub(super) const NONE: Self = Self(false);

    pub(super) const fn new(coloured: bool) -> Self {
        Self(coloured)
    }

    pub(super) fn is_coloured(self) -> bool {
        self.0
    }

    pub(super) fn tone(self, tone: Tone, text: &str) -> String {
        let number = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Heading => 1,
            Tone::Good => 32,
            Tone::Attention => 33,
            Tone::Bad => 31,
        };
        if self.0 { format!("\x1b[{number}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The text without anything that steers a terminal: control characters and changes of direction become escapes.
pub(super) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        let steers = matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if steers || character.is_control() {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    safe
}

/// The path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Columns as wide as their widest cell.
pub(super) struct Table {
    rows: Vec<Vec<(Tone, String)>>,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    pub(super) fn headed(headings: &[&str]) -> Self {
        let headings = headings.iter().map(|heading| (Tone::Heading, (*heading).to_owned()));
        Self { rows: vec![headings.collect()] }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = (Tone, String)>) {
        self.rows.push(cells.into_iter().map(|(tone, text)| (tone, printable(&text))).collect());
    }

    /// A row of a name and what it is.
    pub(super) fn fact(&mut self, name: &str, value: impl Into<String>) {
        self.row([(Tone::Plain, name.to_owned()), (Tone::Plain, value.into())]);
    }

    pub(super) fn render(&self, paint: Paint) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|(_, text)| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut gap = 0;
            for ((tone, cell), width) in row.iter().zip(&widths) {
                let _ = write!(text, "{:gap$}{}", "", paint.tone(*tone, cell));
                gap = width - cell.chars().count() + 2;
            }
            text.push('\n');
        }
        text
    }
}

/// A span in its two largest units: `3 d 4 h`, `12 min 5 s`.
pub(super) fn span(seconds: u64) -> String {
    let units = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(units.len() - 1);
    let shown = units[first..].iter().take(2).enumerate().filter(|(index, (count, _))| *index == 0 || *count > 0);
    shown.map(|(_, (count, unit))| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

/// A moment as people think of it and as their clock shows it: `in 3 d 4 h (2026-11-25 17:00:00 CET)`.
pub(super) fn moment(unix: i64, now: Timestamp, local: &LocalTime) -> String {
    format!("{} ({})", distance(unix, now), local.exactly(Timestamp::from_unix(unix)))
}

/// The first half of [`moment`].
fn distance(unix: i64, now: Timestamp) -> String {
    let seconds = span(unix.abs_diff(now.as_unix()));
    match unix.cmp(&now.as_unix()) {
        std::cmp::Ordering::Greater => format!("in {seconds}"),
        std::cmp::Ordering::Less => format!("{seconds} ago"),
        std::cmp::Ordering::Equal => "now".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_shows_its_two_largest_units() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (725, "12 min 5 s"),
            (3600, "1 h"),
            (3605, "1 h"),
            (273_600, "3 d 4 h"),
            (u64::MAX, "213503982334601 d 7 h"),
        ] {
            assert_eq!(span(seconds), expected);
        }
    }

    #[test]
    fn a_moment_is_told_twice() {
        let now = Timestamp::from_unix(1_000_000);
        let told = |unix| moment(unix, now, &LocalTime::utc());
        assert_eq!(told(1_000_090), "in 1 min 30 s (1970-01-12 13:48:10 UTC)");
        assert_eq!(told(996_400), "1 h ago (1970-01-12 12:46:40 UTC)");
        assert_eq!(told(1_000_000), "now (1970-01-12 13:46:40 UTC)");
        assert!(told(i64::MIN).contains(" ago ("));
        let east = LocalTime::fixed_hours_east(2);
        assert_eq!(moment(1_000_000, now, &east), "now (1970-01-12 15:46:40 +02)");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::headed(&["NAME", "HEALTH"]);
        table.row([(Tone::Plain, "é".to_owned()), (Tone::Good, "good".to_owned())]);
        table.row([(Tone::Plain, "longer".to_owned()), (Tone::Bad, "reauth".to_owned())]);
        assert_eq!(table.render(Paint::NONE), "NAME    HEALTH\né       good\nlonger  reauth\n");
        assert!(table.render(Paint::new(true)).contains("\u{1b}[32mgood\u{1b}[0m"));
    }

    #[test]
    fn nothing_in_a_table_steers_the_terminal() {
        let mut table = Table::new();
        table.fact("mail", "a\u{1b}[2J\r\nb\u{202e}");
        assert_eq!(table.render(Paint::NONE), "mail  a\\u{1b}[2J\\r\\nb\\u{202e}\n");
    }
}
