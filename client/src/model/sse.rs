//! Server-sent events out of bytes, however they were cut; only `data` is kept, since the JSON in it says what it is.
//!
//! Format: WHATWG HTML, "Server-sent events", parsing an event stream. `event`, `id` and `retry` are read over: a
//! request with a body is never resumed.

use std::mem;

/// The most bytes that the `data` of one event may have: 32 MiB. Whatever the server sends, a decoder holds at most
/// twice that (a vector that grows), and between two events nothing.
pub const LONGEST_EVENT: usize = 32 * 1024 * 1024;

/// An event is longer than [`LONGEST_EVENT`]; the stream cannot be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {LONGEST_EVENT} bytes")]
pub struct EventTooLong;

/// Turns a stream of bytes into the `data` of its events.
///
/// ```
/// # use scorpiox_client::model::sse::Decoder;
/// let mut decoder = Decoder::default();
/// let mut rest: &[u8] = b": hello\r\ndata: one\r\n\r\ndata: tw";
/// assert_eq!(decoder.next_data(&mut rest), Ok(Some("one".to_owned())));
/// assert_eq!(decoder.next_data(&mut rest), Ok(None));
/// let mut rest: &[u8] = b"o\n\n";
/// assert_eq!(decoder.next_data(&mut rest), Ok(Some("two".to_owned())));
/// ```
///
/// What stands unfinished when the stream ends is no event: drop the decoder.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Line,
    /// The values of the `data` lines so far, each with a line feed behind it.
    data: Vec<u8>,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
}

/// How far the current line has been understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// The first line of the stream, after this many bytes of a byte order mark.
    Mark(usize),
    /// After this many bytes of `data`; 0 at the beginning of a line.
    Name(usize),
    /// After `data:`, before the one space that may stand there.
    Colon,
    /// Inside the value of a `data` line.
    Value,
    /// A comment or a field that means nothing to us.
    Other,
}

impl Default for Line {
    fn default() -> Self {
        Self::Mark(0)
    }
}

const MARK: &[u8] = b"\xef\xbb\xbf";
const NAME: &[u8] = b"data";

impl Decoder {
    /// The `data` of the next event, taken from the front of `rest`; `None` when all of `rest` is taken in.
    pub fn next_data(&mut self, rest: &mut &[u8]) -> Result<Option<String>, EventTooLong> {
        while let Some(first) = rest.first() {
            if mem::take(&mut self.after_cr) && *first == b'\n' {
                *rest = &rest[1..];
                continue;
            }
            let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.take_part(mem::take(rest))?;
                break;
            };
            self.take_part(&rest[..end])?;
            self.after_cr = rest[end] == b'\r';
            *rest = &rest[end + 1..];
            if let Some(data) = self.end_line()? {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// Takes in a part of a line.
    fn take_part(&mut self, mut part: &[u8]) -> Result<(), EventTooLong> {
        while let Some(byte) = part.first() {
            self.line = match self.line {
                Line::Mark(seen) if MARK[seen] == *byte => after_mark(seen + 1),
                // Looked at once more, as the beginning of a name.
                Line::Mark(0) => {
                    self.line = Line::Name(0);
                    continue;
                }
                Line::Name(seen) if NAME.get(seen) == Some(byte) => Line::Name(seen + 1),
                Line::Name(seen) if seen == NAME.len() && *byte == b':' => Line::Colon,
                Line::Mark(_) | Line::Name(_) => Line::Other,
                Line::Colon if *byte == b' ' => Line::Value,
                Line::Colon | Line::Value => {
                    self.line = Line::Value;
                    return self.keep(part);
                }
                Line::Other => return Ok(()),
            };
            part = &part[1..];
        }
        Ok(())
    }

    /// The event, when the line that ends here is the empty one behind it.
    fn end_line(&mut self) -> Result<Option<String>, EventTooLong> {
        match mem::replace(&mut self.line, Line::Name(0)) {
            Line::Mark(0) | Line::Name(0) => return Ok(self.event()),
            // `data` without a colon is an empty value.
            Line::Name(seen) if seen == NAME.len() => self.keep(b"\n")?,
            Line::Colon | Line::Value => self.keep(b"\n")?,
            Line::Mark(_) | Line::Name(_) | Line::Other => {}
        }
        Ok(None)
    }

    fn event(&mut self) -> Option<String> {
        let mut data = mem::take(&mut self.data);
        // Without a data line there is no event.
        data.pop()?;
        Some(String::from_utf8(data).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), EventTooLong> {
        if self.data.len() + part.len() > LONGEST_EVENT {
            return Err(EventTooLong);
        }
        self.data.extend_from_slice(part);
        Ok(())
    }
}

fn after_mark(seen: usize) -> Line {
    if seen == MARK.len() { Line::Name(0) } else { Line::Mark(seen) }
}

#[cfg(test)]
mod tests;
