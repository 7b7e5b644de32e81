//! The marks within a line: where one begins and ends, as far as what has come of the line tells. Pure.

use std::ops::Range;

/// What a mark is, or that it cannot be said yet. Where it is none, so many bytes are plain text.
pub(super) enum Found<T> {
    Yes(T),
    No(usize),
    NotYet(usize),
}

/// A link; positions in the text that was looked at.
pub(super) struct Link {
    pub(super) text: Range<usize>,
    pub(super) address: Range<usize>,
    pub(super) length: usize,
}

/// A run of one character that may stand for emphasis.
pub(super) struct Run {
    pub(super) length: usize,
    pub(super) opens: bool,
    pub(super) closes: bool,
}

impl Run {
    /// The run at a position; `None` when it may go on.
    pub(super) fn at(text: &str, at: usize, c: char, before: char, ended: bool) -> Option<Self> {
        let length = text[at..].chars().take_while(|other| *other == c).count();
        let next = text[at + length..].chars().next();
        let after = match next {
            None if !ended => return None,
            next => next.unwrap_or(' '),
        };
        let space = |c: char| c.is_whitespace();
        let sign = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
        let left = !space(after) && (!sign(after) || space(before) || sign(before));
        let right = !space(before) && (!sign(before) || space(after) || sign(after));
        let (opens, closes) = match c {
            // Within a word it is a part of a name.
            '_' => (left && (!right || sign(before)), right && (!left || sign(after))),
            _ => (left, right),
        };
        Some(Self { length, opens, closes })
    }
}

/// Whether a run at the beginning of the text is closed by a later one.
pub(super) fn is_closed(text: &str, opening: &Run, c: char, ended: bool) -> Option<bool> {
    let mut at = opening.length;
    let mut before = c;
    while let Some(next) = text[at..].chars().next() {
        let length = match next {
            '\\' => 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
            '`' => match code(&text[at..], ended) {
                Found::Yes((marks, length)) => marks + length + marks,
                Found::No(length) => length,
                Found::NotYet(_) => return None,
            },
            next if next == c => {
                let run = Run::at(text, at, c, before, ended)?;
                let fits = run.length == opening.length || run.length == 3 || opening.length == 3;
                if run.closes && fits && at > opening.length {
                    return Some(true);
                }
                run.length
            }
            next => next.len_utf8(),
        };
        before = text[at..at + length].chars().last().unwrap_or(before);
        at += length;
    }
    ended.then_some(false)
}

/// Code at the beginning of the text: the length of its marks, and of what is between them.
pub(super) fn code(text: &str, ended: bool) -> Found<(usize, usize)> {
    let run = |from: usize| text[from..].bytes().take_while(|byte| *byte == b'`').count();
    let marks = run(0);
    let mut at = marks;
    if at == text.len() && !ended {
        return Found::NotYet(marks);
    }
    while let Some(found) = text[at..].find('`') {
        at += found;
        let length = run(at);
        if at + length == text.len() && !ended {
            return Found::NotYet(marks);
        }
        if length == marks {
            return Found::Yes((marks, at - marks));
        }
        at += length;
    }
    if ended { Found::No(marks) } else { Found::NotYet(marks) }
}

/// Code without the one space at each end that only keeps its marks apart.
pub(super) fn trimmed_code(text: &str, from: usize, to: usize) -> (usize, usize) {
    let code = &text[from..to];
    let padded = code.starts_with(' ') && code.ends_with(' ') && !code.trim().is_empty();
    if padded { (from + 1, to - 1) } else { (from, to) }
}

/// A link or a picture at the beginning of the text.
pub(super) fn link(text: &str, ended: bool) -> Found<Link> {
    let not_yet = |found: Option<usize>| if ended || found.is_some() { Found::No(1) } else { Found::NotYet(1) };
    if text.starts_with('<') {
        return bare(text, ended);
    }
    let begin = match text.as_bytes() {
        [b'!', b'[', ..] => 2,
        [b'!'] if !ended => return Found::NotYet(1),
        [b'[', ..] => 1,
        _ => return Found::No(1),
    };
    let Some(end) = matching(&text[begin..], b'[', b']').map(|end| begin + end) else { return not_yet(None) };
    match text.as_bytes().get(end + 1) {
        Some(b'(') => {}
        found => return not_yet(found.map(|_| end)),
    }
    let inside = end + 2;
    let Some(close) = matching(&text[inside..], b'(', b')').map(|close| inside + close) else { return not_yet(None) };
    // A title behind the address is left out.
    let target = &text[inside..close];
    let length = target.find(char::is_whitespace).unwrap_or(target.len());
    let (from, to) = match target.as_bytes() {
        [b'<', .., b'>'] => (inside + 1, close - 1),
        _ => (inside, inside + length),
    };
    Found::Yes(Link { text: begin..end, address: from..to, length: close + 1 })
}

/// `<https://…>`.
fn bare(text: &str, ended: bool) -> Found<Link> {
    let inner = &text[1..];
    let schemes = ["https://", "http://", "mailto:"];
    let possible = schemes.iter().any(|scheme| inner.starts_with(scheme) || scheme.starts_with(inner));
    match inner.find(|c: char| c == '>' || c == '<' || c.is_whitespace()) {
        Some(end) if possible && inner[end..].starts_with('>') => {
            Found::Yes(Link { text: 1..1 + end, address: 1..1 + end, length: end + 2 })
        }
        None if possible && !ended => Found::NotYet(1),
        Some(_) | None => Found::No(1),
    }
}

/// Where the bracket is that closes an open one.
fn matching(text: &str, open: u8, close: u8) -> Option<usize> {
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if byte == open => depth += 1,
            byte if byte == close && depth == 0 => return Some(at),
            byte if byte == close => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A character that is written by its name.
pub(super) fn entity(text: &str) -> Found<(usize, char)> {
    let known = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"'), ("&#39;", '\''), ("&nbsp;", ' ')];
    match known.iter().find(|(name, _)| text.starts_with(name)) {
        Some((name, c)) => Found::Yes((name.len(), *c)),
        None if known.iter().any(|(name, _)| name.starts_with(text)) => Found::NotYet(1),
        None => Found::No(1),
    }
}
