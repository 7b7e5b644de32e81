//! Changing a settings file as a person would: the line that is meant and no other. Pure.
//!
//! Comments, order, blank lines, the byte order mark and the kind of line ends stay. A new setting goes to the end.

use zeroize::Zeroizing;

use super::file::{self, Assignment, Fault, MalformedLine};
use super::key::Key;

/// One change.
#[derive(Clone)]
pub enum Edit<'a> {
    /// Gives the setting this value; where it stands already, in its line.
    Set(Key, &'a str),
    /// Removes its line.
    Unset(Key),
}

/// Why a text is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unchanged {
    /// It cannot be read.
    #[error(transparent)]
    Malformed(#[from] MalformedLine),
    /// A key stands there twice: which of the two is meant cannot be known.
    #[error("line {line}: {key} already stands in line {first}; remove one of the two")]
    Repeated {
        /// Counts from 1.
        line: usize,
        /// Where it stands first.
        first: usize,
        /// Which.
        key: String,
    },
    /// The value cannot be written into a line.
    #[error("{0}")]
    Value(#[from] Fault),
}

/// The text with these changes.
pub fn apply(text: &[u8], edits: &[Edit<'_>]) -> Result<Zeroizing<Vec<u8>>, Unchanged> {
    let mut text = Zeroizing::new(text.to_vec());
    for edit in edits {
        let assignments = file::parse(&text)?;
        refuse_repeated(&assignments)?;
        let line_of = |key: Key| assignments.iter().find(|found| found.key == key.as_str()).map(|found| found.line);
        text = match *edit {
            Edit::Set(key, value) => {
                file::check_value(value)?;
                match line_of(key) {
                    Some(line) => with_line(&text, line, |old| replaced(old, value)),
                    None => appended(&text, &format!("{}={value}", key.as_str())),
                }
            }
            Edit::Unset(key) => match line_of(key) {
                Some(line) => with_line(&text, line, |_| Zeroizing::default()),
                None => text,
            },
        };
    }
    Ok(text)
}

fn refuse_repeated(assignments: &[Assignment]) -> Result<(), Unchanged> {
    for (index, assignment) in assignments.iter().enumerate() {
        if let Some(first) = assignments[..index].iter().find(|earlier| earlier.key == assignment.key) {
            let (line, first, key) = (assignment.line, first.line, assignment.key.clone());
            return Err(Unchanged::Repeated { line, first, key });
        }
    }
    Ok(())
}

/// The text with one line (from 1) changed; the function gets it with its end.
fn with_line(text: &[u8], line: usize, change: impl Fn(&[u8]) -> Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    // One byte order mark belongs to the file, not to its first line.
    let (mark, lines) = text.split_at(if text.starts_with(file::BYTE_ORDER_MARK) { 3 } else { 0 });
    let mut changed = Zeroizing::new(mark.to_vec());
    for (index, old) in lines.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if index + 1 == line { changed.extend_from_slice(&change(old)) } else { changed.extend_from_slice(old) }
    }
    changed
}

/// `KEY = old\r\n` becomes `KEY = new\r\n`.
fn replaced(line: &[u8], value: &str) -> Zeroizing<Vec<u8>> {
    let equals = line.iter().position(|byte| *byte == b'=').map_or(line.len(), |equals| equals + 1);
    let spaces = line[equals..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut new = Zeroizing::new(line[..equals + spaces].to_vec());
    new.extend_from_slice(value.as_bytes());
    new.extend_from_slice(line_end(line));
    new
}

fn appended(text: &[u8], line: &str) -> Zeroizing<Vec<u8>> {
    let lines = || text.split_inclusive(|byte| *byte == b'\n');
    let end = lines().map(line_end).rfind(|end| !end.is_empty()).unwrap_or(b"\n");
    let mut new = Zeroizing::new(text.to_vec());
    let is_cut = lines().next_back().is_some_and(|last| line_end(last).is_empty() && last != file::BYTE_ORDER_MARK);
    if is_cut {
        new.extend_from_slice(end);
    }
    new.extend_from_slice(line.as_bytes());
    new.extend_from_slice(end);
    new
}

fn line_end(line: &[u8]) -> &[u8] {
    match line {
        [.., b'\r', b'\n'] => b"\r\n",
        [.., b'\n'] => b"\n",
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, edits: &[Edit<'_>]) -> Result<String, String> {
        let bytes = apply(text.as_bytes(), edits).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn only_the_line_that_is_meant_changes() {
        let set = |value| [Edit::Set(Key::Model, value)];
        let cases = [
            ("", "MODEL=x\n"),
            ("\u{feff}", "\u{feff}MODEL=x\n"),
            ("# a", "# a\nMODEL=x\n"),
            ("TOOLS=1\r\n", "TOOLS=1\r\nMODEL=x\r\n"),
            ("TOOLS=1\r\n# b", "TOOLS=1\r\n# b\r\nMODEL=x\r\n"),
            ("\u{feff}MODEL=a\r\n# c\r\n\r\nTOOLS=1", "\u{feff}MODEL=x\r\n# c\r\n\r\nTOOLS=1"),
            ("# MODEL=no\n  MODEL = \ta b  \nTOOLS=1\n", "# MODEL=no\n  MODEL = \tx\nTOOLS=1\n"),
            ("MODEL=", "MODEL=x"),
            ("A=1\nUNKNOWN=2\nMODEL=a", "A=1\nUNKNOWN=2\nMODEL=x"),
        ];
        for (before, after) in cases {
            assert_eq!(edited(before, &set("x")).as_deref(), Ok(after), "{before:?}");
            assert_eq!(edited(after, &set("x")).as_deref(), Ok(after), "once more changes nothing");
        }
    }

    #[test]
    fn a_setting_is_removed_with_its_line() {
        let unset = [Edit::Unset(Key::Model)];
        let cases = [
            ("A=1\r\nMODEL=x\r\n# c\r\n", "A=1\r\n# c\r\n"),
            ("\u{feff}MODEL=x\nA=1", "\u{feff}A=1"),
            ("A=1\nMODEL=x", "A=1\n"),
            ("A=1\n# MODEL=x\n", "A=1\n# MODEL=x\n"),
        ];
        for (before, after) in cases {
            assert_eq!(edited(before, &unset).as_deref(), Ok(after), "{before:?}");
        }
    }

    #[test]
    fn several_changes_are_made_in_one_go() {
        let edits = [Edit::Unset(Key::Model), Edit::Set(Key::Tools, "0"), Edit::Set(Key::Thinking, "1")];
        assert_eq!(edited("TOOLS=1\nMODEL=x\n", &edits).as_deref(), Ok("TOOLS=0\nTHINKING=1\n"));
    }

    #[test]
    fn a_text_that_cannot_be_read_or_a_value_that_cannot_be_written_changes_nothing() {
        let set = [Edit::Set(Key::Tools, "1")];
        assert!(edited("MODEL=a\nno equals\n", &set).unwrap_err().starts_with("line 2: expected KEY=VALUE"));
        let repeated = "line 3: MODEL already stands in line 1; remove one of the two";
        assert_eq!(edited("MODEL=a\n\nMODEL=a\n", &set).unwrap_err(), repeated);
        let two_lines = [Edit::Set(Key::Model, "a\nCODEX_REMOTE_URL=https://evil.example/codex")];
        assert!(edited("", &two_lines).unwrap_err().contains("control character"));
    }
}
