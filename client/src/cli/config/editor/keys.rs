//! What the terminal sends, as events: keys, and texts that were pasted. Pure, and it wipes what it held.
//!
//! | bytes | mean |
//! |---|---|
//! | `ESC [ 200 ~` text `ESC [ 201 ~` | a text that was pasted |
//! | `ESC [` parameters letter or `~`, `ESC O` letter | a cursor key, perhaps with Shift |
//! | `ESC` and nothing more for a moment | Escape |
//! | `ESC` character | that character with Alt, which means nothing here |
//! | below 32, 127 | Enter, Tab, Backspace, a letter with Ctrl |
//! | anything else | a character in UTF-8 |

use zeroize::Zeroizing;

use super::event::{Event, Press};

const ESCAPE: u8 = 0x1b;
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";
/// More of a paste is not kept: it is too long for any value already.
const LONGEST_PASTE: usize = 4096;
/// A control sequence that goes on for longer is none.
const LONGEST_SEQUENCE: usize = 32;

/// Turns bytes into events, however they are cut.
#[derive(Default)]
pub(super) struct Decoder {
    pending: Zeroizing<Vec<u8>>,
}

/// What stands at the start of some bytes.
enum Found {
    /// So many bytes mean this, or nothing.
    Whole(usize, Option<Event>),
    /// More is needed to tell.
    Beginning,
}

impl Decoder {
    /// Takes bytes as they come.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        // A new vector each time: one that grows leaves copies of what it held.
        let mut whole = Zeroizing::new(Vec::with_capacity(self.pending.len() + bytes.len()));
        whole.extend_from_slice(&self.pending);
        whole.extend_from_slice(bytes);
        let mut events = Vec::new();
        let mut rest = whole.as_slice();
        while !rest.is_empty() {
            let Found::Whole(used, event) = first(rest) else { break };
            events.extend(event);
            rest = &rest[used..];
        }
        self.pending = Zeroizing::new(bounded(rest));
        events
    }

    /// True while a byte that may be the Escape key may also be the beginning of something.
    pub(super) fn is_waiting(&self) -> bool {
        !self.pending.is_empty() && !self.pending.starts_with(PASTE_BEGINS)
    }

    /// Nothing more came for a moment: what waits was all of it.
    pub(super) fn settle(&mut self) -> Option<Event> {
        let was_escape = *self.pending == [ESCAPE];
        self.pending = Zeroizing::default();
        was_escape.then_some(Event::Pressed(Press::Escape))
    }
}

/// Of a paste that has not ended yet only the beginning is kept, and what may be the beginning of its end.
fn bounded(rest: &[u8]) -> Vec<u8> {
    let end = rest.len().saturating_sub(PASTE_ENDS.len() - 1);
    if end <= LONGEST_PASTE {
        return rest.to_vec();
    }
    [&rest[..LONGEST_PASTE], &rest[end..]].concat()
}

fn first(bytes: &[u8]) -> Found {
    match bytes {
        [ESCAPE] => Found::Beginning,
        [ESCAPE, ESCAPE, ..] => Found::Whole(1, Some(Event::Pressed(Press::Escape))),
        [ESCAPE, b'[', ..] if bytes.starts_with(PASTE_BEGINS) => pasted(&bytes[PASTE_BEGINS.len()..]),
        [ESCAPE, b'[', rest @ ..] => sequence(rest),
        [ESCAPE, b'O'] => Found::Beginning,
        [ESCAPE, b'O', letter, ..] => Found::Whole(3, cursor_key(*letter, false).map(Event::Pressed)),
        [ESCAPE, rest @ ..] => match character(rest) {
            Found::Whole(used, _) => Found::Whole(1 + used, None),
            Found::Beginning => Found::Beginning,
        },
        [byte @ (0..=31 | 127), ..] => Found::Whole(1, control(*byte).map(Event::Pressed)),
        _ => character(bytes),
    }
}

fn pasted(rest: &[u8]) -> Found {
    let Some(length) = rest.windows(PASTE_ENDS.len()).position(|window| window == PASTE_ENDS) else {
        return Found::Beginning;
    };
    let text = Zeroizing::new(String::from_utf8_lossy(&rest[..length]).into_owned());
    Found::Whole(PASTE_BEGINS.len() + length + PASTE_ENDS.len(), Some(Event::Pasted(text)))
}

/// What stands behind `ESC [`.
fn sequence(rest: &[u8]) -> Found {
    let Some(length) = rest.iter().position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return if rest.len() < LONGEST_SEQUENCE { Found::Beginning } else { Found::Whole(2 + rest.len(), None) };
    };
    let parameters = std::str::from_utf8(&rest[..length]).unwrap_or_default();
    // `1;2A`: the second parameter less one is a set of bits, of which the lowest is Shift.
    let (number, modifiers) = parameters.split_once(';').unwrap_or((parameters, "1"));
    let with_shift = modifiers.parse::<u8>().is_ok_and(|bits| bits.wrapping_sub(1) & 1 == 1);
    let press = match (rest[length], number) {
        (b'~', "1" | "7") => Some(Press::Home),
        (b'~', "4" | "8") => Some(Press::End),
        (b'~', "3") => Some(Press::Delete),
        (b'~', "5") => Some(Press::PageUp),
        (b'~', "6") => Some(Press::PageDown),
        (b'Z', _) => Some(Press::Tab),
        (letter, _) => cursor_key(letter, with_shift),
    };
    Found::Whole(2 + length + 1, press.map(Event::Pressed))
}

fn cursor_key(letter: u8, with_shift: bool) -> Option<Press> {
    match (letter, with_shift) {
        (b'A', true) => Some(Press::ShiftUp),
        (b'B', true) => Some(Press::ShiftDown),
        (b'A', false) => Some(Press::Up),
        (b'B', false) => Some(Press::Down),
        (b'C', _) => Some(Press::Right),
        (b'D', _) => Some(Press::Left),
        (b'H', _) => Some(Press::Home),
        (b'F', _) => Some(Press::End),
        _ => None,
    }
}

fn control(byte: u8) -> Option<Press> {
    match byte {
        b'\r' | b'\n' => Some(Press::Enter),
        b'\t' => Some(Press::Tab),
        8 | 127 => Some(Press::Backspace),
        1..=26 => Some(Press::Control(char::from(byte - 1 + b'a'))),
        _ => None,
    }
}

fn character(bytes: &[u8]) -> Found {
    let longest = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(longest) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => {
            std::str::from_utf8(&longest[..error.valid_up_to()]).unwrap_or_default()
        }
        // Cut in the middle of a character, or none at all.
        Err(error) => return error.error_len().map_or(Found::Beginning, |length| Found::Whole(length, None)),
    };
    let Some(character) = valid.chars().next() else { return Found::Beginning };
    let press = (!character.is_control()).then_some(Event::Pressed(Press::Char(character)));
    Found::Whole(character.len_utf8(), press)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these bytes in words.
    fn decoded(pieces: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::default();
        let mut events: Vec<Event> = pieces.iter().flat_map(|piece| decoder.feed(piece)).collect();
        events.extend(decoder.settle());
        let word = |event: Event| match event {
            Event::Pressed(press) => format!("{press:?}"),
            Event::Pasted(text) if text.len() > 600 => format!("Pasted {} bytes", text.len()),
            Event::Pasted(text) => format!("Pasted {:?}", text.as_str()),
            Event::Tried { .. } => unreachable!("nobody types that"),
        };
        events.into_iter().map(word).collect()
    }

    #[test]
    fn bytes_have_their_meaning_however_they_are_cut() {
        let cases: [(&[u8], &[&str]); 18] = [
            (b"q", &["Char('q')"]),
            ("é漢".as_bytes(), &["Char('é')", "Char('漢')"]),
            (b"\r\t\x7f\x08", &["Enter", "Tab", "Backspace", "Backspace"]),
            (b"\x03\x15\x00\x1c", &["Control('c')", "Control('u')"]),
            (b"\x1b", &["Escape"]),
            (b"\x1b\x1b", &["Escape", "Escape"]),
            (b"\x1b[A\x1bOB\x1b[C\x1b[D", &["Up", "Down", "Right", "Left"]),
            (b"\x1b[1;2A\x1b[1;2B\x1b[1;5A", &["ShiftUp", "ShiftDown", "Up"]),
            (b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1bOH", &["Home", "End", "Home", "End", "Home"]),
            (b"\x1b[3~\x1b[5~\x1b[6~\x1b[Z", &["Delete", "PageUp", "PageDown", "Tab"]),
            (b"\x1b[15~\x1b[?1;2cx", &["Char('x')"]),
            (b"\x1bdx", &["Char('x')"]),
            (b"\x1b[200~a\nb\x1b[201~c", &["Pasted \"a\\nb\"", "Char('c')"]),
            (b"\x1b[200~\x1b[A\x1b[201~", &["Pasted \"\\u{1b}[A\""]),
            (b"\x1b[200~\xff\x1b[201~", &["Pasted \"\u{fffd}\""]),
            (b"\xff\xc3(x", &["Char('(')", "Char('x')"]),
            ("\u{9b}31mx".as_bytes(), &["Char('3')", "Char('1')", "Char('m')", "Char('x')"]),
            (b"\x1b[", &[]),
        ];
        for (bytes, expected) in cases {
            assert_eq!(decoded(&[bytes]), expected, "{bytes:?}");
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            // Cut after its first byte, the same but for two Escapes, of which the first is known at once.
            assert_eq!(decoded(&single), expected, "{bytes:?}, byte by byte");
        }
    }

    #[test]
    fn a_long_paste_is_cut_and_nothing_of_it_becomes_keys() {
        let long = vec![b'q'; 100_000];
        let mut pieces: Vec<&[u8]> = vec![PASTE_BEGINS];
        pieces.extend(long.chunks(1000));
        pieces.extend([&PASTE_ENDS[..3], &PASTE_ENDS[3..], b"x"]);
        let events = decoded(&pieces);
        assert_eq!(events.len(), 2, "{events:?}");
        assert!(events[0].starts_with("Pasted ") && events[1] == "Char('x')", "{events:?}");
    }
}
