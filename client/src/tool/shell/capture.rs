//! A command's output in bounded memory: its beginning and its end, and how much is missing between them.

use std::collections::VecDeque;

/// The most that is kept of each end, in bytes.
const KEPT: usize = 512 * 1024;

/// What was written so far.
#[derive(Debug, Default)]
pub struct Capture {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    omitted: u64,
    line_feeds: u64,
    last: Option<u8>,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// Its beginning; all of it when nothing is omitted.
    pub head: Vec<u8>,
    /// How many bytes came after that and are gone.
    pub omitted: u64,
    /// Its end.
    pub tail: Vec<u8>,
    /// How many lines it had in all.
    pub lines: u64,
}

impl Capture {
    /// Takes in what was written next.
    pub fn add(&mut self, bytes: &[u8]) {
        self.line_feeds += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.last = bytes.last().copied().or(self.last);
        let (first, rest) = bytes.split_at(bytes.len().min(KEPT - self.head.len()));
        self.head.extend_from_slice(first);
        let last = &rest[rest.len().saturating_sub(KEPT)..];
        let surplus = (self.tail.len() + last.len()).saturating_sub(KEPT);
        self.tail.drain(..surplus);
        self.tail.extend(last);
        self.omitted += (rest.len() - last.len() + surplus) as u64;
    }

    /// Hands over what there is, and begins anew.
    pub fn take(&mut self) -> Output {
        let Self { head, tail, omitted, line_feeds, last } = std::mem::take(self);
        let lines = line_feeds + u64::from(last.is_some_and(|last| last != b'\n'));
        Output { head, omitted, tail: tail.into(), lines }
    }

    /// The last so many bytes, to be shown while the command runs.
    pub fn latest(&self, bytes: usize) -> Vec<u8> {
        let missing = bytes.saturating_sub(self.tail.len());
        let from_head = if self.omitted == 0 { &self.head[self.head.len().saturating_sub(missing)..] } else { &[] };
        let from_tail = self.tail.iter().skip(self.tail.len().saturating_sub(bytes));
        from_head.iter().chain(from_tail).copied().collect()
    }
}

impl Output {
    /// How long it was.
    pub fn bytes(&self) -> u64 {
        self.head.len() as u64 + self.omitted + self.tail.len() as u64
    }

    /// As text for the model: what is no UTF-8 is replaced, and a line says what is missing.
    pub fn text(&self) -> String {
        if self.omitted == 0 {
            // The border between the two may lie within a character.
            let whole: Vec<u8> = self.head.iter().chain(&self.tail).copied().collect();
            return String::from_utf8_lossy(&whole).into_owned();
        }
        let (head, tail) = (String::from_utf8_lossy(&self.head), String::from_utf8_lossy(&self.tail));
        format!("{head}\n… {} bytes were not kept …\n{tail}", self.omitted)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_ends_of_a_long_output_are_kept() {
        let mut capture = Capture::default();
        let all: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
        for piece in all.chunks(10_007) {
            capture.add(piece);
        }
        assert_eq!(capture.latest(100), all[all.len() - 100..]);
        let output = capture.take();
        assert_eq!((output.head.len(), output.tail.len()), (KEPT, KEPT));
        assert!(all.starts_with(&output.head) && all.ends_with(&output.tail));
        assert_eq!(output.omitted, (all.len() - 2 * KEPT) as u64);
        assert!(output.text().contains(&format!("{} bytes were not kept", output.omitted)));
        assert_eq!(capture.take(), Output::default(), "it was handed over");
    }

    #[test]
    fn a_character_across_the_border_is_whole() {
        let mut capture = Capture::default();
        let text = format!("{}é!", "x".repeat(KEPT - 1));
        capture.add(text.as_bytes());
        assert_eq!(capture.latest(3), "é!".as_bytes());
        assert_eq!(capture.take().text(), text);
    }

    #[test]
    fn bytes_that_are_no_text_become_text() {
        let mut capture = Capture::default();
        capture.add(b"a\xff\x00b");
        assert_eq!(capture.take().text(), "a\u{fffd}\0b");
    }

    #[test]
    fn lines_are_counted_even_where_they_were_not_kept() {
        let mut capture = Capture::default();
        capture.add(&b"x\n".repeat(KEPT + 7));
        capture.add(b"unfinished");
        assert_eq!(capture.take().lines, KEPT as u64 + 8);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn nothing_is_lost_uncounted(sizes in prop::collection::vec(0_usize..300_000, 0..12)) {
            let mut capture = Capture::default();
            for size in &sizes {
                capture.add(&vec![7; *size]);
            }
            let output = capture.take();
            let total: usize = sizes.iter().sum();
            prop_assert_eq!(output.head.len() as u64 + output.omitted + output.tail.len() as u64, total as u64);
            prop_assert!(output.omitted == 0 || total > 2 * KEPT);
        }
    }
}
