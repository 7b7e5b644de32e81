//! How much of an output the model is told: the beginning and the end of it, with a stated cut.

use super::shell::capture::Output;

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

/// What the model is told of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// All of it.
    Whole(String),
    /// Its beginning and its end, with a mark between them.
    Cut {
        /// The text.
        text: String,
        /// How many bytes the whole output had.
        bytes: u64,
    },
}

impl Told {
    /// What the model is told of this output.
    pub fn of(output: &Output, budget: Budget) -> Self {
        let kept = [output.head.as_slice(), &output.tail].concat();
        let (bytes, most) = (kept.len() as u64 + output.omitted, budget.bytes());
        // Where nothing was dropped, both ends are cut out of one text: a character may stand across the border.
        let (head, tail) = match output.omitted {
            0 => (String::from_utf8_lossy(&kept), String::from_utf8_lossy(&kept)),
            _ => (String::from_utf8_lossy(&output.head), String::from_utf8_lossy(&output.tail)),
        };
        if bytes <= most {
            return Self::Whole(head.into_owned());
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let head = &head[..last_boundary(&head, most / 2)];
        let tail = &tail[first_boundary(&tail, tail.len().saturating_sub(most - most / 2))..];
        let left_out = bytes.saturating_sub((head.len() + tail.len()) as u64);
        let mark = match budget {
            Budget::Tokens(_) => format!("…{} tokens truncated…", left_out.div_ceil(BYTES_PER_TOKEN)),
            Budget::Bytes(_) => format!("…{left_out} chars truncated…"),
        };
        Self::Cut { text: format!("{head}{mark}{tail}"), bytes }
    }
}

/// The last place between two characters that is not behind `at`.
fn last_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The first place between two characters that is not before `at`.
fn first_boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

impl Budget {
    fn bytes(self) -> u64 {
        match self {
            Self::Tokens(tokens) => u64::from(tokens) * BYTES_PER_TOKEN,
            Self::Bytes(bytes) => u64::from(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(output: &[u8]) -> Output {
        Output { head: output.to_vec(), omitted: 0, tail: Vec::new() }
    }

    fn cut(text: &str, bytes: u64) -> Told {
        Told::Cut { text: text.to_owned(), bytes }
    }

    #[test]
    fn an_output_is_told_like_this() {
        let cases: [(&[u8], Budget, Told); 10] = [
            (b"", Budget::Bytes(0), Told::Whole(String::new())),
            (b"abcd\n", Budget::Bytes(5), Told::Whole("abcd\n".to_owned())),
            (b"abcdefgh", Budget::Tokens(2), Told::Whole("abcdefgh".to_owned())),
            (b"abcdefghi", Budget::Tokens(2), cut("abcd…1 tokens truncated…fghi", 9)),
            (b"ab\ncd\nefgh\n", Budget::Bytes(4), cut("ab…7 chars truncated…h\n", 11)),
            (b"abcdefg", Budget::Bytes(3), cut("a…4 chars truncated…fg", 7)),
            (b"abc", Budget::Bytes(0), cut("…3 chars truncated…", 3)),
            ("a\u{e9}b\u{e9}c".as_bytes(), Budget::Bytes(4), cut("a…5 chars truncated…c", 7)),
            (b"a\xffb", Budget::Bytes(100), Told::Whole("a\u{fffd}b".to_owned())),
            (b"\n\n\n\n\n", Budget::Bytes(2), cut("\n…3 chars truncated…\n", 5)),
        ];
        for (output, budget, told) in cases {
            assert_eq!(Told::of(&whole(output), budget), told, "{:?}", String::from_utf8_lossy(output));
            for at in 0..=output.len() {
                let (head, tail) = output.split_at(at);
                let parts = Output { head: head.to_vec(), omitted: 0, tail: tail.to_vec() };
                assert_eq!(Told::of(&parts, budget), told, "kept in two parts");
            }
        }
    }

    #[test]
    fn what_was_not_kept_counts_as_left_out() {
        let output = Output { head: b"begin".to_vec(), omitted: 1_000_000, tail: b"end".to_vec() };
        assert_eq!(Told::of(&output, Budget::Bytes(4)), cut("be…1000004 chars truncated…nd", 1_000_008));
        assert_eq!(Told::of(&output, Budget::Tokens(10)), cut("begin…250000 tokens truncated…end", 1_000_008));
    }
}
