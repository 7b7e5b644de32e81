//! What a tool printed: the beginning and the end of it, with a stated cut, in bounded memory.

use std::collections::VecDeque;

use crate::char_boundary::{first_boundary, last_boundary};

/// The most bytes that are kept of one output, half of them from its beginning and half from its end.
pub const MOST_KEPT: usize = 1024 * 1024;
/// A token is about this many bytes.
const BYTES_PER_TOKEN: u64 = 4;

/// How much of an output the model is told; its catalogue entry says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// In tokens of four bytes.
    Tokens(u32),
    /// In bytes.
    Bytes(u32),
}

impl Default for Budget {
    /// What most models' entries say.
    fn default() -> Self {
        Self::Tokens(10_000)
    }
}

/// An output while it comes; however long it gets, [`MOST_KEPT`] bytes are held.
#[derive(Debug, Default)]
pub struct Captured {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    bytes: u64,
    line_ends: u64,
    last: Option<u8>,
}

/// What the model is told of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// All of it.
    Whole(String),
    /// Its beginning and its end, with a mark between them.
    Cut {
        /// The text.
        text: String,
        /// How many lines the whole output had.
        lines: u64,
    },
}

/// What any tool says, as it is kept in the conversation: cut at a fifth more than the budget.
///
/// ```text
/// Warning: truncated output (original token count: 12345)
/// Total output lines: 5120
///
/// …
/// ```
pub fn for_history(text: String, budget: Budget) -> String {
    let budget = budget.widened();
    if text.len() <= budget.bytes() {
        return text;
    }
    let mut captured = Captured::default();
    captured.take(text.as_bytes());
    let tokens = Budget::tokens(text.len() as u64);
    match captured.told(budget) {
        Told::Whole(text) => text,
        Told::Cut { text, lines } => {
            format!("Warning: truncated output (original token count: {tokens})\nTotal output lines: {lines}\n\n{text}")
        }
    }
}

impl Captured {
    /// The next bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.line_ends += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.last = bytes.last().copied().or(self.last);
        let (head, rest) = bytes.split_at(bytes.len().min(MOST_KEPT / 2 - self.head.len()));
        self.head.extend_from_slice(head);
        let rest = &rest[rest.len().saturating_sub(MOST_KEPT / 2)..];
        let too_many = (self.tail.len() + rest.len()).saturating_sub(MOST_KEPT / 2);
        self.tail.drain(..too_many);
        self.tail.extend(rest);
    }

    /// What the model is told of it.
    pub fn told(&self, budget: Budget) -> Told {
        let most = budget.bytes();
        let (front, back) = self.tail.as_slices();
        let tail = [front, back].concat();
        // Where nothing was dropped, both ends are cut out of one text: a character may stand across the border.
        let is_whole = self.bytes <= MOST_KEPT as u64;
        let head = if is_whole { [self.head.as_slice(), &tail].concat() } else { self.head.clone() };
        let head = String::from_utf8_lossy(&head);
        if is_whole && self.bytes <= most as u64 {
            return Told::Whole(head.into_owned());
        }
        let tail = if is_whole { head.clone() } else { String::from_utf8_lossy(&tail) };
        let head = &head[..last_boundary(&head, most / 2)];
        let tail = &tail[first_boundary(&tail, tail.len().saturating_sub(most - most / 2))..];
        let left_out = self.bytes.saturating_sub((head.len() + tail.len()) as u64);
        let mark = match budget {
            Budget::Tokens(_) => format!("…{} tokens truncated…", left_out.div_ceil(BYTES_PER_TOKEN)),
            Budget::Bytes(_) => format!("…{left_out} chars truncated…"),
        };
        Told::Cut { text: format!("{head}{mark}{tail}"), lines: self.lines() }
    }

    fn lines(&self) -> u64 {
        let unfinished = self.last.is_some_and(|last| last != b'\n');
        self.line_ends + u64::from(unfinished)
    }
}

impl Budget {
    /// About how many tokens so many bytes are.
    pub fn tokens(bytes: u64) -> u64 {
        bytes.div_ceil(BYTES_PER_TOKEN)
    }

    /// The smaller one of it and what the model has asked for.
    pub fn at_most(self, tokens: Option<u32>) -> Self {
        match tokens.map(Self::Tokens) {
            Some(wanted) if wanted.bytes() < self.bytes() => wanted,
            Some(_) | None => self,
        }
    }

    /// A fifth more: for what was cut to it already, and has a few lines around it.
    fn widened(self) -> Self {
        let more = |number: u32| number.saturating_add(number / 5);
        match self {
            Self::Tokens(tokens) => Self::Tokens(more(tokens)),
            Self::Bytes(bytes) => Self::Bytes(more(bytes)),
        }
    }

    fn bytes(self) -> usize {
        let bytes = match self {
            Self::Tokens(tokens) => u64::from(tokens) * BYTES_PER_TOKEN,
            Self::Bytes(bytes) => u64::from(bytes),
        };
        usize::try_from(bytes).unwrap_or(usize::MAX).min(MOST_KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Captured {
        let mut captured = Captured::default();
        parts.into_iter().for_each(|part| captured.take(part));
        captured
    }

    fn cut(text: &str, lines: u64) -> Told {
        Told::Cut { text: text.to_owned(), lines }
    }

    #[test]
    fn an_output_is_told_like_this() {
        let cases: [(&[u8], Budget, Told); 10] = [
            (b"", Budget::Bytes(0), Told::Whole(String::new())),
            (b"abcd\n", Budget::Bytes(5), Told::Whole("abcd\n".to_owned())),
            (b"abcdefgh", Budget::Tokens(2), Told::Whole("abcdefgh".to_owned())),
            (b"abcdefghi", Budget::Tokens(2), cut("abcd…1 tokens truncated…fghi", 1)),
            (b"ab\ncd\nefgh\n", Budget::Bytes(4), cut("ab…7 chars truncated…h\n", 3)),
            (b"abcdefg", Budget::Bytes(3), cut("a…4 chars truncated…fg", 1)),
            (b"abc", Budget::Bytes(0), cut("…3 chars truncated…", 1)),
            ("a\u{e9}b\u{e9}c".as_bytes(), Budget::Bytes(4), cut("a…5 chars truncated…c", 1)),
            (b"a\xffb", Budget::Bytes(100), Told::Whole("a\u{fffd}b".to_owned())),
            (b"\n\n\n\n\n", Budget::Bytes(2), cut("\n…3 chars truncated…\n", 5)),
        ];
        for (output, budget, told) in cases {
            assert_eq!(captured([output]).told(budget), told, "{:?}", String::from_utf8_lossy(output));
            assert_eq!(captured(output.chunks(1)).told(budget), told, "byte by byte");
        }
    }

    #[test]
    fn what_is_kept_of_any_tool_is_cut_a_fifth_later() {
        assert_eq!(for_history("x".repeat(12), Budget::Bytes(10)), "x".repeat(12));
        let cut = "Warning: truncated output (original token count: 4)\nTotal output lines: 1\n\n\
                   xxxxxx…1 chars truncated…xxxxxx";
        assert_eq!(for_history("x".repeat(13), Budget::Bytes(10)), cut);
    }

    #[test]
    fn the_model_may_want_less_and_not_more() {
        assert_eq!(Budget::Tokens(10).at_most(Some(3)), Budget::Tokens(3));
        assert_eq!(Budget::Tokens(10).at_most(Some(30)), Budget::Tokens(10));
        assert_eq!(Budget::Bytes(10).at_most(Some(2)), Budget::Tokens(2));
        assert_eq!(Budget::Bytes(10).at_most(None), Budget::Bytes(10));
    }

    #[test]
    fn of_an_endless_output_the_beginning_and_the_end_are_kept_in_bounded_memory() {
        let mut captured = captured([b"begin\n".as_slice()]);
        let part = b"0123456789abcde\n".repeat(4096);
        for _ in 0..200 {
            captured.take(&part);
        }
        captured.take(b"end");
        assert!(captured.head.capacity() + captured.tail.capacity() <= 4 * MOST_KEPT);
        let Told::Cut { text, lines } = captured.told(Budget::Bytes(20)) else { panic!("not cut") };
        assert_eq!(text, format!("begin\n0123…{} chars truncated…9abcde\nend", 200 * part.len() + 9 - 20));
        assert_eq!(lines, 200 * 4096 + 2);
    }

    #[test]
    fn a_part_that_is_longer_than_all_that_is_kept_is_cut_at_once() {
        let long = [b"begin".as_slice(), &vec![b'x'; 3 * MOST_KEPT], b"end"].concat();
        let captured = captured([long.as_slice()]);
        assert_eq!(captured.head.len() + captured.tail.len(), MOST_KEPT);
        let Told::Cut { text, .. } = captured.told(Budget::Tokens(u32::MAX)) else { panic!("not cut") };
        assert!(text.starts_with("beginx") && text.ends_with("xend"));
    }

    #[test]
    fn a_character_across_the_border_of_what_is_kept_stays_whole() {
        let text = format!("{}\u{e9}end", "x".repeat(MOST_KEPT / 2 - 1));
        assert_eq!(captured([text.as_bytes()]).told(Budget::Bytes(u32::MAX)), Told::Whole(text));
    }
}
