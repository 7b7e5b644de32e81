//! Text of a model or tool on its way to a terminal, cut anywhere.

use scorpiox_client::terminal::sanitize::{LONGEST_LINE, Sanitizer};

use crate::pieces;

/// Room for what a line says that was cut.
const REMARK: usize = 64;

/// The same text however it is cut, and nothing in it that a terminal obeys or that turns it round.
///
/// # Panics
/// When it is otherwise.
pub fn check(input: &[u8]) {
    let pieces: Vec<&[u8]> = pieces(input).collect();
    let shown = cleaned(pieces.iter().copied());
    let whole = pieces.concat();
    assert_eq!(cleaned([whole.as_slice()].into_iter()), shown, "the text depends on where it is cut");
    for c in shown.chars() {
        assert!(!c.is_control() || matches!(c, '\n' | '\t'), "{c:?} reaches the terminal");
        assert!(!turns_text_round(c), "{c:?} reaches the terminal");
    }
    let longest = shown.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    assert!(longest <= LONGEST_LINE + REMARK, "a line of {longest} characters");
    if longest <= LONGEST_LINE {
        assert_eq!(cleaned([shown.as_bytes()].into_iter()), shown, "what is clean is changed");
    }
}

/// The characters by which Unicode changes the direction of text, and the line separators that some terminals obey.
fn turns_text_round(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn cleaned<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> String {
    let mut sanitizer = Sanitizer::default();
    let mut shown: String = pieces.map(|piece| sanitizer.clean(piece)).collect();
    shown.push_str(&sanitizer.finish());
    shown
}
