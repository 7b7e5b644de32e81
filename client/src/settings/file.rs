//! The text of `scorpiox-env.txt`: `KEY=VALUE` lines, `#` comments, nothing expanded, nothing executed.

use zeroize::Zeroizing;

/// What some editors write before the first line.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The longest key, in bytes.
const LONGEST_KEY: usize = 64;
/// The longest value, in bytes.
const LONGEST_VALUE: usize = 512;

/// A `KEY=VALUE` line as it was written; surrounding space is gone.
#[derive(Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Counts from 1.
    pub line: usize,
    /// Upper-case letters, digits and `_`; not yet known to mean anything.
    pub key: String,
    /// May hold a secret. Empty when nothing stood behind the `=`.
    pub value: Zeroizing<String>,
}

/// A line that cannot be read. The line itself is never repeated: it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct MalformedLine {
    /// Counts from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's text is its documentation")]
pub enum Fault {
    #[error("expected KEY=VALUE, a # comment or nothing")]
    NoEquals,
    #[error("a key has 1 to 64 letters, digits or underscores")]
    Key,
    #[error("a value has at most 512 bytes")]
    TooLong,
    #[error("not UTF-8, or a control character")]
    NotText,
    #[error("space at the beginning or end of a value is lost")]
    Space,
}

/// Whether a value can be written into a file so that the same is read back.
pub fn check_value(value: &str) -> Result<(), Fault> {
    match value {
        _ if has_control(value) => Err(Fault::NotText),
        _ if value.len() > LONGEST_VALUE => Err(Fault::TooLong),
        _ if value.trim() != value => Err(Fault::Space),
        _ => Ok(()),
    }
}

fn has_control(text: &str) -> bool {
    text.chars().any(|c| c.is_control() && c != '\t')
}

/// Reads the whole text, or says which line is the first that cannot be read.
pub fn parse(bytes: &[u8]) -> Result<Vec<Assignment>, MalformedLine> {
    lines(bytes).collect()
}

/// Every line that says something, or that cannot be read.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = Result<Assignment, MalformedLine>> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    bytes.split(|byte| *byte == b'\n').enumerate().filter_map(|(index, text)| {
        let line = index + 1;
        match parse_line(text) {
            Ok(None) => None,
            Ok(Some((key, value))) => {
                Some(Ok(Assignment { line, key: key.to_owned(), value: Zeroizing::new(value.into()) }))
            }
            Err(fault) => Some(Err(MalformedLine { line, fault })),
        }
    })
}

fn parse_line(line: &[u8]) -> Result<Option<(&str, &str)>, Fault> {
    let line = std::str::from_utf8(line).map_err(|_| Fault::NotText)?.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    if has_control(line) {
        return Err(Fault::NotText);
    }
    let (key, value) = line.split_once('=').ok_or(Fault::NoEquals)?;
    let (key, value) = (key.trim(), value.trim());
    let in_key = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if key.is_empty() || key.len() > LONGEST_KEY || !key.bytes().all(in_key) {
        return Err(Fault::Key);
    }
    if value.len() > LONGEST_VALUE {
        return Err(Fault::TooLong);
    }
    Ok(Some((key, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &[u8]) -> Vec<(usize, String, String)> {
        let read = parse(text).unwrap();
        read.into_iter().map(|a| (a.line, a.key, a.value.to_string())).collect()
    }

    #[test]
    fn a_byte_order_mark_crlf_comments_and_blank_lines_are_read() {
        let text = b"\xef\xbb\xbf# settings\r\nPROVIDER=codex\r\n\r\n  MODEL = gpt-5.5 \t\r\nEMPTY=\n# last, without a line end\nK=a=b # c";
        let expected = [(2, "PROVIDER", "codex"), (4, "MODEL", "gpt-5.5"), (5, "EMPTY", ""), (7, "K", "a=b # c")];
        assert_eq!(pairs(text), expected.map(|(line, key, value)| (line, key.to_owned(), value.to_owned())));
    }

    #[test]
    fn nothing_is_expanded() {
        let text = b"A=$(touch /tmp/x)\nB=`id`\nC=${HOME}/%PATH%\nD=~/x\nE=\"q\"";
        let values: Vec<String> = pairs(text).into_iter().map(|(_, _, value)| value).collect();
        assert_eq!(values, ["$(touch /tmp/x)", "`id`", "${HOME}/%PATH%", "~/x", "\"q\""]);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_by_its_number_and_not_repeated() {
        let long = format!("K={}", "v".repeat(513));
        let cases: [(&[u8], usize, Fault); 6] = [
            (b"A=1\nsxk_secret", 2, Fault::NoEquals),
            (b"\n\n=1", 3, Fault::Key),
            (b"export A=1", 1, Fault::Key),
            (b"A=\xff", 1, Fault::NotText),
            (b"A=1\nB=\x1b[31m", 2, Fault::NotText),
            (long.as_bytes(), 1, Fault::TooLong),
        ];
        for (text, line, fault) in cases {
            let error = parse(text).unwrap_err();
            assert_eq!(error, MalformedLine { line, fault });
            assert!(!error.to_string().contains("secret"));
        }
    }
}
