//! Columns that text takes on a terminal. Pure.

use unicode_width::UnicodeWidthChar as _;

/// Columns that a text takes.
pub fn width_of(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// As much of a line as fits.
pub fn cut(line: &str, room: usize) -> String {
    let mut taken = 0;
    let fits = |c: &char| {
        taken += c.width().unwrap_or(0);
        taken <= room
    };
    line.chars().take_while(fits).collect()
}
