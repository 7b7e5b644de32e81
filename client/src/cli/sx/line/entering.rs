//! What Enter means where the cursor stands. Pure.

use crate::cli::sx::command::{self, Line};

/// A line of at least so many backquotes opens a block, or closes it.
const FENCE: usize = 3;

/// What Enter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entered {
    /// The prompt is ready.
    Accept,
    /// It has another line.
    NewLine,
    /// It has another line, in place of the backslash at its end.
    Continued,
}

/// Enter at `position` of `text`.
///
/// A backslash at the end asks for another line, an open block has one, until three Enters on end: whoever wants to
/// send it open can.
pub(super) fn entered(text: &str, position: usize) -> Entered {
    if matches!(command::read(text), Line::Command(_) | Line::Unknown(_)) {
        return Entered::Accept;
    }
    let backslashes = text.len() - text.trim_end_matches('\\').len();
    if position == text.len() && backslashes % 2 == 1 {
        return Entered::Continued;
    }
    if is_open(text) && !text.ends_with("\n\n") { Entered::NewLine } else { Entered::Accept }
}

/// The prompt without the backslashes that asked for another line. `asked` is what the text was behind each of these
/// line feeds, the oldest first: a backslash that was pasted, or that has been edited since, is text.
pub(super) fn continued(text: &str, asked: &[String]) -> String {
    let mut text = text.to_owned();
    for before in asked.iter().rev().filter(|before| before.ends_with("\\\n")) {
        if text.starts_with(before.as_str()) {
            text.remove(before.len() - 2);
        }
    }
    text
}

/// Whether a block is open at the end of the text (CommonMark 4.5, backquotes only).
pub(super) fn is_open(text: &str) -> bool {
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let line = line.trim();
        let rest = line.trim_start_matches('`');
        let quotes = line.len() - rest.len();
        open = match open {
            None if quotes >= FENCE && !rest.contains('`') => Some(quotes),
            Some(length) if quotes >= length && rest.is_empty() => None,
            unchanged => unchanged,
        };
    }
    open.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_backslash_that_asked_for_a_line_goes() {
        let asked = ["a\\\n".to_owned(), "a\\\nb\\\n".to_owned()];
        assert_eq!(continued("a\\\nb\\\nc", &asked), "a\nb\nc");
        assert_eq!(continued("x\\\nb\\\nc", &asked), "x\\\nb\\\nc");
        assert_eq!(continued("a\\\nB\\\nc", &asked), "a\nB\\\nc");
        assert_eq!(continued("a\\\nb", &[]), "a\\\nb");
    }

    #[test]
    fn enter_sends_what_is_whole() {
        let at_end = |text: &str| entered(text, text.len());
        let cases = [
            ("why?", Entered::Accept),
            ("why \\", Entered::Continued),
            ("a\nb\\", Entered::Continued),
            ("C:\\\\", Entered::Accept),
            ("/model \\", Entered::Accept),
            ("what is\n```c", Entered::NewLine),
            ("```\ncode\n", Entered::NewLine),
            ("```\ncode\n\n", Entered::Accept),
            ("```\ncode\n```", Entered::Accept),
            ("````\n```\n", Entered::NewLine),
            ("```inline``` is none", Entered::Accept),
        ];
        for (text, expected) in cases {
            assert_eq!(at_end(text), expected, "{text:?}");
        }
        assert_eq!(entered("a\\b\\", 1), Entered::Accept, "in the middle of a line");
    }
}
