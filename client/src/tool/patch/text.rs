//! A file as lines of bytes: what no patch touches stays as it was, whatever its encoding and line ends.

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// LF.
    Lf,
    /// CR LF.
    CrLf,
    /// The file ends before the line does.
    None,
}

/// A line without its end, and its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine {
    /// Its bytes; UTF-8 or not.
    pub text: Vec<u8>,
    /// How it ends.
    pub end: End,
}

/// A file that a patch can change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The byte order mark, or nothing.
    mark: &'static [u8],
    /// Its lines.
    pub lines: Vec<FileLine>,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

impl Text {
    /// Reads a file; the error says why it cannot be patched.
    pub fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err("is UTF-16; only text whose line ends are single bytes can be patched");
        }
        if bytes.contains(&0) {
            return Err("is not text");
        }
        let (mark, bytes) = bytes.strip_prefix(MARK).map_or((&b""[..], bytes), |rest| (MARK, rest));
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(line).collect();
        Ok(Self { mark, lines })
    }

    /// The end that lines get which come new: that of most lines; LF when there is none.
    pub fn usual_end(&self) -> End {
        let count = |end| self.lines.iter().filter(|line| line.end == end).count();
        if count(End::CrLf) > count(End::Lf) { End::CrLf } else { End::Lf }
    }

    /// The bytes of the file. Its last line has an end, even if it had none.
    pub fn into_bytes(self) -> Vec<u8> {
        let usual = self.usual_end();
        let mut bytes = self.mark.to_vec();
        for line in self.lines {
            bytes.extend(line.text);
            let end = if line.end == End::None { usual } else { line.end };
            bytes.extend_from_slice(if end == End::CrLf { b"\r\n" } else { b"\n" });
        }
        bytes
    }
}

fn line(bytes: &[u8]) -> FileLine {
    let (text, end) = match bytes {
        [text @ .., b'\r', b'\n'] => (text, End::CrLf),
        [text @ .., b'\n'] => (text, End::Lf),
        text => (text, End::None),
    };
    FileLine { text: text.to_vec(), end }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(bytes: &[u8]) -> Vec<u8> {
        Text::read(bytes).unwrap().into_bytes()
    }

    #[test]
    fn a_file_that_nothing_changes_stays_as_it_was() {
        let files: [&[u8]; 7] =
            [b"", b"a\n", b"a\r\nb\r\n", b"a\nb\r\nc\n", b"\xef\xbb\xbfa\n", b"caf\xe9\n\xff\xfe\n", b"a\rb\n\n\n"];
        for file in files {
            assert_eq!(through(file), file);
        }
    }

    #[test]
    fn the_last_line_gets_the_end_of_the_others() {
        assert_eq!(through(b"a"), b"a\n");
        assert_eq!(through(b"a\nb"), b"a\nb\n");
        assert_eq!(through(b"a\r\nb"), b"a\r\nb\r\n");
        assert_eq!(through(b"a\r\nb\nc\nd"), b"a\r\nb\nc\nd\n");
    }

    #[test]
    fn what_is_no_text_of_single_bytes_is_not_taken() {
        for file in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a", b"a\0b\n"] {
            assert!(Text::read(file).is_err());
        }
    }
}
