//! Text from a model or a tool, as a terminal may have it: no control sequence, nothing invisible that turns text round,
//! no line without end; whatever is cut where.

use std::borrow::Cow;
use std::mem;

/// The most characters of one line that are shown.
pub const LONGEST_LINE: usize = 8 * 1024;
const LINE_CUT: &str = " [the rest of the line is not shown]";

/// The longest parameters of a sequence that are read over; what is longer is shown as text, which does no harm without
/// its beginning.
const LONGEST_PARAMETERS: usize = 256;
/// The same for sequences that carry a text (titles, links, the clipboard).
const LONGEST_STRING: usize = 64 * 1024;

/// Cleans a stream of bytes. What it returns consists of visible characters, spaces, tabs and line feeds.
///
/// Control sequences are left out as a whole, even when they come in pieces; CR LF and CR become LF; what is no UTF-8
/// becomes U+FFFD.
///
/// ```
/// # use scorpiox_client::terminal::sanitize::Sanitizer;
/// let mut sanitizer = Sanitizer::default();
/// assert_eq!(sanitizer.clean(b"a\x1b[3"), "a");
/// assert_eq!(sanitizer.clean(b"1mb"), "b");
/// ```
#[derive(Debug, Default)]
pub struct Sanitizer {
    /// The beginning of a character whose other bytes have not come.
    partial: Vec<u8>,
    at: At,
    line: LineEnd,
    lines: Lines,
    /// Characters of the current line so far.
    shown: usize,
}

/// Where in a control sequence the next character stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum At {
    #[default]
    Text,
    /// Behind ESC, and perhaps intermediate characters.
    Escape,
    /// In a control sequence, behind this many characters.
    Parameters(usize),
    /// In a sequence that carries a text, behind this many characters.
    String(usize),
}

/// Whether a CR waits for its LF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum LineEnd {
    #[default]
    None,
    Cr,
}

/// How much of a line is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Lines {
    #[default]
    Cut,
    Whole,
}

impl Sanitizer {
    /// The next bytes, cleaned.
    pub fn clean(&mut self, bytes: &[u8]) -> String {
        let mut shown = String::with_capacity(bytes.len());
        let joined;
        let mut rest = bytes;
        if !self.partial.is_empty() {
            joined = [mem::take(&mut self.partial).as_slice(), bytes].concat();
            rest = &joined;
        }
        loop {
            let error = match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.take(text, &mut shown);
                    return shown;
                }
                Err(error) => error,
            };
            let (valid, broken) = rest.split_at(error.valid_up_to());
            self.take(std::str::from_utf8(valid).expect("it was found to be valid"), &mut shown);
            let Some(length) = error.error_len() else {
                self.partial = broken.to_vec();
                return shown;
            };
            self.take("\u{fffd}", &mut shown);
            rest = &broken[length..];
        }
    }

    /// What is left when nothing more comes.
    pub fn finish(mut self) -> String {
        let mut shown = String::new();
        if !mem::take(&mut self.partial).is_empty() {
            self.take("\u{fffd}", &mut shown);
        }
        shown
    }

    fn take(&mut self, text: &str, shown: &mut String) {
        for c in text.chars() {
            self.at = self.step(c, shown);
        }
    }

    /// Takes in one character; says where the next one stands.
    fn step(&mut self, c: char, shown: &mut String) -> At {
        match (self.at, c) {
            (_, '\u{1b}') => At::Escape,
            (_, '\u{9b}') => At::Parameters(0),
            (_, '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}') => At::String(0),
            (At::Escape, '[') => At::Parameters(0),
            (At::Escape, ']' | 'P' | 'X' | '^' | '_') => At::String(0),
            (At::Escape, ' '..='/') => At::Escape,
            (At::Escape, '0'..='~') => At::Text,
            (At::Parameters(length), ' '..='?') if length < LONGEST_PARAMETERS => At::Parameters(length + 1),
            (At::Parameters(_), '@'..='~') => At::Text,
            (At::String(_), '\u{7}' | '\u{9c}' | '\u{18}' | '\u{1a}') => At::Text,
            (At::String(length), c) if c != '\n' && length < LONGEST_STRING => At::String(length + 1),
            (At::Text | At::Escape | At::Parameters(_) | At::String(_), c) => {
                self.show(c, shown);
                At::Text
            }
        }
    }

    fn show(&mut self, c: char, shown: &mut String) {
        if c == '\r' {
            self.line = LineEnd::Cr;
            return;
        }
        let cr = mem::take(&mut self.line) == LineEnd::Cr;
        if c == '\n' || cr {
            shown.push('\n');
            self.shown = 0;
        }
        if c == '\n' || !is_showable(c) {
            return;
        }
        self.shown += 1;
        match self.shown {
            _ if self.lines == Lines::Whole => shown.push(c),
            ..=LONGEST_LINE => shown.push(c),
            length if length == LONGEST_LINE + 1 => shown.push_str(LINE_CUT),
            _ => {}
        }
    }
}

/// The text, cleaned as a whole.
pub fn sanitized(text: &str) -> String {
    cleaned(text, Lines::Cut)
}

/// The same with lines of any length: for whoever reads it instead of looking at it.
pub fn sanitized_whole(text: &str) -> String {
    cleaned(text, Lines::Whole)
}

fn cleaned(text: &str, lines: Lines) -> String {
    let mut sanitizer = Sanitizer { lines, ..Sanitizer::default() };
    let shown = sanitizer.clean(text.as_bytes());
    shown + &sanitizer.finish()
}

/// The text with everything spelled out that a terminal would not show as it is, for a person who has to decide about
/// it: nothing is left out. Where something is spelled out (`\u{1b}`, `\r`), backslashes are doubled; otherwise the
/// text is itself. Line feeds stay.
pub fn spelled_out(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c == '\n' || (is_showable(c) && c != '\t');
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let spelled = text.chars().map(|c| match c {
        '\\' => "\\\\".to_owned(),
        c if plain(c) => c.to_string(),
        c => c.escape_default().to_string(),
    });
    Cow::Owned(spelled.collect())
}

/// Visible, or space that belongs to text. The joiners inside of words and emoji are; what turns text round, hides it or
/// carries hidden text is not.
fn is_showable(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    c == '\t' || !(c.is_control() || hidden)
}

#[cfg(test)]
mod tests;
