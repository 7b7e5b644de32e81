//! A line that is being typed. It may become a secret, so it is wiped, and it never shows itself.

use zeroize::{Zeroize as _, Zeroizing};

/// The longest value of a settings file, in bytes.
const LONGEST: usize = 512;

/// Text and cursor.
#[derive(Clone, Default)]
pub struct TextLine {
    text: Zeroizing<String>,
    /// In bytes; always at the border of a character.
    cursor: usize,
}

/// Why a text was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's text is its documentation")]
pub enum Unfit {
    #[error("nothing was pasted: the text has control characters or several lines")]
    Control,
    #[error("a value has at most 512 bytes")]
    TooLong,
}

impl TextLine {
    /// A line with the cursor at its end.
    pub fn new(text: &str) -> Self {
        // A growing string would leave copies of a secret behind.
        let mut line = Self { text: Zeroizing::new(String::with_capacity(LONGEST)), cursor: text.len() };
        line.text.push_str(text);
        line
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Puts text in at the cursor, all of it or nothing. A line end at its end is no part of it: copying a line
    /// takes that along.
    pub fn insert(&mut self, text: &str) -> Result<(), Unfit> {
        let text = text.trim_end_matches(['\r', '\n']);
        if text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
            return Err(Unfit::Control);
        }
        if self.text.len() + text.len() > LONGEST {
            return Err(Unfit::TooLong);
        }
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
        Ok(())
    }

    /// One character to the left.
    pub fn left(&mut self) {
        self.cursor = self.previous();
    }

    /// One character to the right.
    pub fn right(&mut self) {
        let next = self.text[self.cursor..].chars().next();
        self.cursor += next.map_or(0, char::len_utf8);
    }

    /// To the start.
    pub fn home(&mut self) {
        self.cursor = 0;
    }

    /// To the end.
    pub fn end(&mut self) {
        self.cursor = self.text.len();
    }

    /// Removes the character before the cursor.
    pub fn backspace(&mut self) {
        let start = self.previous();
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }

    /// Removes the character at the cursor.
    pub fn delete(&mut self) {
        let here = self.cursor;
        self.right();
        self.text.replace_range(here..self.cursor, "");
        self.cursor = here;
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.text.zeroize();
        self.cursor = 0;
    }

    fn previous(&self) -> usize {
        self.before_cursor().char_indices().next_back().map_or(0, |(start, _)| start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_moves_by_characters() {
        let mut line = TextLine::new("aé");
        line.left();
        line.insert("x").unwrap();
        assert_eq!((line.text(), line.before_cursor()), ("axé", "ax"));
        line.right();
        line.right();
        line.backspace();
        assert_eq!(line.text(), "ax");
        line.home();
        line.left();
        line.delete();
        assert_eq!((line.text(), line.before_cursor()), ("x", ""));
        line.end();
        line.delete();
        line.clear();
        line.backspace();
        assert_eq!(line.text(), "");
    }

    #[test]
    fn a_pasted_text_is_taken_as_a_whole_or_not_at_all() {
        let mut line = TextLine::new("");
        line.insert("sxk_abc\r\n").unwrap();
        for text in ["a\nb", "a\tb", "\u{fffd}", "\u{1b}[31m", "\u{9b}x", "\u{7f}"] {
            assert_eq!(line.insert(text), Err(Unfit::Control), "{text:?}");
        }
        assert_eq!(line.insert(&"x".repeat(506)), Err(Unfit::TooLong));
        assert_eq!(line.text(), "sxk_abc");
    }
}
