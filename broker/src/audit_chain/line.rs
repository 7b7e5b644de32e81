//! Text that stays one line, whoever wrote it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text of bounded length without line breaks, control characters, or characters that reorder what a terminal shows.
///
/// Such a character becomes its escape: a user agent `x` CR LF `ok` is stored as `x\r\nok`, which a reader sees for
/// what it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Line(String);

impl Line {
    /// Length in bytes beyond which a line is cut off.
    pub const LONGEST: usize = 512;
    const CUT: &'static str = "…";

    /// Makes one line of any text.
    pub fn of(text: &str) -> Self {
        let mut line = String::new();
        for character in text.chars() {
            let before = line.len();
            // U+202A to U+202E and U+2066 to U+2069 reorder text; U+2028 and U+2029 break lines.
            let steers = matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if steers || character.is_control() {
                line.extend(character.escape_default());
            } else {
                line.push(character);
            }
            if line.len() > Self::LONGEST - Self::CUT.len() {
                line.truncate(before);
                line.push_str(Self::CUT);
                break;
            }
        }
        Self(line)
    }

    /// A text that was stored: taken as it is, so that a change shows in the chain and is not tidied away.
    pub fn as_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::of(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::of(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_break_cannot_forge_an_entry() {
        for (text, expected) in [
            ("curl/8.5", "curl/8.5"),
            ("x\r\n2026-01-01 admin ok", "x\\r\\n2026-01-01 admin ok"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\u{2028}b\u{202e}c", "a\\u{2028}b\\u{202e}c"),
            ("\u{85}\u{0}", "\\u{85}\\u{0}"),
            ("Grüße", "Grüße"),
        ] {
            assert_eq!(Line::of(text).as_str(), expected);
        }
    }

    #[test]
    fn a_long_text_says_that_it_was_cut() {
        let line = Line::of(&"é".repeat(10_000));
        assert!(line.as_str().len() <= Line::LONGEST);
        assert!(line.as_str().ends_with("é…"));
    }

    proptest! {
        #[test]
        fn any_text_becomes_one_short_line_and_stays_it(text in ".*|(\\PC|\\pC){0,300}") {
            let line = Line::of(&text);
            prop_assert!(line.as_str().len() <= Line::LONGEST);
            prop_assert!(!line.as_str().chars().any(char::is_control));
            prop_assert_eq!(Line::of(line.as_str()), line);
        }
    }
}
