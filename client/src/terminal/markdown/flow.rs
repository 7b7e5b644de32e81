//! Words on lines of a given width. A word is written as soon as it is complete.

use std::mem;

use unicode_width::UnicodeWidthChar as _;

use super::ink::{Style, paint};
use crate::terminal::capability::Colour;
use crate::terminal::columns::width_of;

/// What stands at the beginning of a line before its words: already painted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lead {
    pub(super) text: String,
    pub(super) width: usize,
}

impl Lead {
    pub(super) fn push(&mut self, text: &str, style: Style, colour: Colour) {
        self.width += width_of(text);
        self.text.push_str(&paint(text, style, colour));
    }
}

/// Writes words on lines.
#[derive(Debug)]
pub(super) struct Flow {
    colour: Colour,
    width: usize,
    /// At the beginning of the lines that wrapping makes.
    hang: Lead,
    column: usize,
    word: Word,
    spaces: usize,
}

/// The word that is being written.
#[derive(Debug)]
enum Word {
    /// Not yet complete, so not yet written.
    Held { text: Vec<(Style, String)>, width: usize, last: usize },
    /// Longer than a line: the terminal breaks it, so that it can be copied whole.
    Overlong,
}

const NO_WORD: Word = Word::Held { text: Vec::new(), width: 0, last: 0 };

impl Flow {
    pub(super) fn new(colour: Colour, width: usize) -> Self {
        Self { colour, width, hang: Lead::default(), column: 0, word: NO_WORD, spaces: 0 }
    }

    /// From the next word on.
    pub(super) fn set_width(&mut self, width: usize) {
        self.width = width;
    }

    /// Whether nothing is written on the current line yet.
    pub(super) fn is_at_line_start(&self) -> bool {
        self.column == 0
    }

    /// Begins a line; where it wraps, the next one begins with `hang`.
    pub(super) fn begin(&mut self, lead: &Lead, hang: Lead, out: &mut String) {
        out.push_str(&lead.text);
        self.column = lead.width;
        self.hang = hang;
        self.spaces = 0;
    }

    /// The next character.
    pub(super) fn put(&mut self, c: char, style: Style, out: &mut String) {
        let c = if c == '\t' { ' ' } else { c };
        if c == ' ' {
            self.end_word(out);
            self.spaces += 1;
            return;
        }
        let wide = c.width().unwrap_or(0);
        if let Word::Held { last, width, .. } = &self.word
            && wide > 0
            && *width > 0
            && (wide == 2 || *last == 2)
        {
            // Between wide characters a line may break anywhere.
            self.end_word(out);
        }
        match &mut self.word {
            Word::Overlong => self.write(&c.to_string(), wide, style, out),
            Word::Held { text, width, last } => {
                match text.last_mut() {
                    Some((of_last, text)) if *of_last == style => text.push(c),
                    _ => text.push((style, c.to_string())),
                }
                *width += wide;
                *last = if wide > 0 { wide } else { *last };
                if *width > self.width.saturating_sub(self.hang.width) {
                    self.end_word(out);
                    self.word = Word::Overlong;
                }
            }
        }
    }

    /// Ends the line, unless nothing has begun it.
    pub(super) fn end_line(&mut self, out: &mut String) {
        self.end_word(out);
        if mem::take(&mut self.column) > 0 {
            out.push('\n');
        }
        self.spaces = 0;
    }

    /// A word ends: now it is known whether it fits.
    fn end_word(&mut self, out: &mut String) {
        let Word::Held { text, width, .. } = mem::replace(&mut self.word, NO_WORD) else { return };
        if text.is_empty() {
            return;
        }
        let spaces = mem::take(&mut self.spaces);
        if self.column + spaces + width > self.width && self.column > self.hang.width {
            out.push('\n');
            out.push_str(&self.hang.text);
            self.column = self.hang.width;
        } else {
            out.extend(std::iter::repeat_n(' ', spaces));
            self.column += spaces;
        }
        for (style, piece) in text {
            let wide = width_of(&piece);
            self.write(&piece, wide, style, out);
        }
    }

    fn write(&mut self, piece: &str, wide: usize, style: Style, out: &mut String) {
        out.push_str(&paint(piece, style, self.colour));
        self.column += wide;
        // What is longer than a line goes on at the beginning of the next one.
        while self.column > self.width && self.width > 0 {
            self.column -= self.width;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flowed(text: &str, width: usize, hang: &str) -> String {
        let (mut flow, mut out) = (Flow::new(Colour::None, width), String::new());
        let mut lead = Lead::default();
        lead.push(hang, Style::PLAIN, Colour::None);
        flow.begin(&lead, lead.clone(), &mut out);
        text.chars().for_each(|c| flow.put(c, Style::PLAIN, &mut out));
        flow.end_line(&mut out);
        out
    }

    #[test]
    fn words_go_on_the_line_where_they_fit() {
        let cases = [
            ("one two three", 8, "", "one two\nthree\n"),
            ("one two", 7, "", "one two\n"),
            ("a  b", 80, "", "a  b\n"),
            ("one two three", 9, "> ", "> one two\n> three\n"),
            ("see https://example.org/long now", 10, "", "see\nhttps://example.org/long now\n"),
            ("日本語の文", 6, "", "日本語\nの文\n"),
            ("e\u{301}e\u{301} x", 4, "", "e\u{301}e\u{301} x\n"),
            ("ab cd", 0, "", "ab\ncd\n"),
        ];
        for (text, width, hang, expected) in cases {
            assert_eq!(flowed(text, width, hang), expected, "{text:?}");
        }
    }

    #[test]
    fn a_word_is_written_when_it_is_complete_and_an_overlong_one_before() {
        let (mut flow, mut out) = (Flow::new(Colour::Sixteen, 10), String::new());
        let mut put = |text: &str| {
            text.chars().for_each(|c| flow.put(c, Style::BOLD, &mut out));
            out.clone()
        };
        assert_eq!(put("one"), "");
        assert_eq!(put(" "), "\u{1b}[1mone\u{1b}[0m");
        assert_eq!(put("two three").matches("two").count(), 1);
        assert!(put(&"x".repeat(20)).ends_with("\u{1b}[1mx\u{1b}[0m"));
    }
}
