//! Where a request's head ends, found while its bytes pass by.

/// Follows the bytes of one head: request line, headers, blank line.
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    bytes: usize,
    /// Bytes of the line that is being read, its CR not counted.
    line: usize,
    /// A line before the blank one has been seen; blank lines in front of a request do not end its head.
    started: bool,
    complete: bool,
}

impl HeadScan {
    /// Takes the first bytes of a head if they are nearly surely the whole of it, as for nearly every request: one read
    /// that ends with a blank line. What follows is not counted; should the head go on after all, the caller's
    /// inspection of the parsed headers counts it.
    pub(super) fn take_whole(&mut self, bytes: &[u8], most: usize) -> bool {
        let untouched = self.bytes == 0 && !self.complete;
        self.complete |= untouched && bytes.len() <= most && bytes.ends_with(b"\r\n\r\n") && !bytes.starts_with(b"\r");
        untouched && self.complete
    }

    /// Takes the next bytes; false once the head is longer than `most`.
    pub(super) fn take(&mut self, mut bytes: &[u8], most: usize) -> bool {
        while !self.complete {
            let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
                self.bytes += bytes.len();
                self.line += bytes.iter().filter(|byte| **byte != b'\r').count();
                break;
            };
            let (line, rest) = bytes.split_at(end + 1);
            self.bytes += line.len();
            // Only a lone CR may stand on a blank line, so looking at the last byte is enough for the others.
            self.line += match line {
                [b'\n'] | [b'\r', b'\n'] => 0,
                _ => line.len() - 1,
            };
            self.complete = self.line == 0 && self.started;
            self.started |= self.line > 0;
            self.line = 0;
            bytes = rest;
        }
        self.bytes <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[test]
    fn a_head_ends_at_its_blank_line_however_it_is_cut() {
        for cut in 0..=HEAD.len() {
            let mut scan = HeadScan::default();
            assert!(scan.take(&HEAD[..cut], HEAD.len()));
            assert_eq!(scan.complete, cut == HEAD.len(), "{cut}");
            assert!(scan.take(&HEAD[cut..], HEAD.len()));
            assert!(scan.complete, "{cut}");
        }
        let mut scan = HeadScan::default();
        for byte in HEAD {
            assert!(!scan.complete && scan.take(&[*byte], HEAD.len()));
        }
        assert!(scan.complete);
    }

    #[test]
    fn a_head_in_one_piece_is_taken_without_a_search() {
        let mut scan = HeadScan::default();
        assert!(scan.take_whole(HEAD, HEAD.len()));
        assert!(scan.take(&[b'x'; 1000], HEAD.len()), "its body does not count");
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"\r\n\r\n", &[b'x'; 100]] {
            assert!(!HeadScan::default().take_whole(bytes, 50));
        }
        let mut scan = HeadScan::default();
        assert!(scan.take(b"G", 50) && !scan.take_whole(HEAD, 50), "only a beginning can be the whole");
    }

    #[test]
    fn bare_line_feeds_end_a_head_too_and_blank_lines_before_it_do_not() {
        let mut scan = HeadScan::default();
        assert!(scan.take(b"\r\n\n", 100) && !scan.complete);
        assert!(scan.take(b"GET / HTTP/1.1\nHost: a\n\n", 100) && scan.complete);
    }

    #[test]
    fn a_head_is_too_long_from_its_first_byte_beyond_the_bound_and_its_body_does_not_count() {
        assert!(HeadScan::default().take(HEAD, HEAD.len()));
        assert!(!HeadScan::default().take(HEAD, HEAD.len() - 1));
        let mut scan = HeadScan::default();
        assert!(scan.take(HEAD, HEAD.len()) && scan.take(&[b'x'; 1000], HEAD.len()));
        let mut scan = HeadScan::default();
        assert!(scan.take(&[b'x'; 10], 10) && !scan.take(b"x", 10));
    }
}
