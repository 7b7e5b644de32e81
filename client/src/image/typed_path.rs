//! Paths in what a person typed, pasted or dropped into the terminal: as they are, quoted or escaped as for a shell, or
//! as `file://`. Pure.
//!
//! ```text
//! what is wrong in '/home/a/My shot.png'?     /home/a/My\ shot.png     file:///home/a/My%20shot.png
//! ```

use std::ffi::OsString;
use std::ops::Range;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// A path in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Where it stands, with its quotes.
    pub place: Range<usize>,
    /// What is meant.
    pub path: PathBuf,
}

/// Ends a sentence or a part of one rather than a file's name.
const PUNCTUATION: [char; 8] = [',', '.', ';', ':', '?', '!', ')', ']'];
const URL: &str = "file://";
const HOME: &str = "~/";

/// The absolute paths in a text, in their order: what a terminal pastes for a file is always one.
pub fn mentions(text: &str, home: Option<&Path>) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = text[at..].find(|c: char| !c.is_whitespace()).map(|skipped| at + skipped) {
        let mention = word(&text[begin..]).map(|(word, length)| (meant(&word, home), begin..begin + length));
        at = match mention {
            Some((path, place)) if path.is_absolute() => {
                let end = place.end;
                found.push(Mention { place, path });
                end
            }
            // A quote is one inside a sentence too: what follows it may be a path.
            Some(_) | None => begin + text[begin..].find(char::is_whitespace).unwrap_or(text.len() - begin),
        };
    }
    found
}

/// The path that a text begins with, absolute or not, and what stands behind it.
pub fn leading<'a>(text: &'a str, home: Option<&Path>) -> Option<(PathBuf, &'a str)> {
    let text = text.trim_start();
    let (word, length) = word(text).filter(|(word, _)| !word.is_empty())?;
    Some((meant(&word, home), text[length..].trim_start()))
}

/// The first word of a text, without its quotes, and its length with them. `None` when a quote has no end.
fn word(text: &str) -> Option<(String, usize)> {
    let mut word = String::new();
    let mut quote = None;
    let mut was_quoted = false;
    let mut characters = text.char_indices();
    let mut end = text.len();
    while let Some((at, c)) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('\''), c) => word.push(c),
            (_, '\\') => {
                was_quoted = true;
                word.push(characters.next()?.1);
            }
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                was_quoted = true;
            }
            (None, c) if c.is_whitespace() => {
                end = at;
                break;
            }
            (None, c) => word.push(c),
        }
    }
    if quote.is_some() {
        return None;
    }
    // Behind a closing quote stands punctuation too.
    let is_closed = text[..end].trim_end_matches(PUNCTUATION).ends_with(['\'', '"']);
    if !was_quoted || is_closed {
        let trimmed = word.trim_end_matches(PUNCTUATION).len();
        end -= word.len() - trimmed;
        word.truncate(trimmed);
    }
    Some((word, end))
}

fn meant(word: &str, home: Option<&Path>) -> PathBuf {
    match (word.strip_prefix(URL), word.strip_prefix(HOME), home) {
        (Some(rest), _, _) => from_url(rest).unwrap_or_else(|| word.into()),
        (None, Some(rest), Some(home)) => home.join(rest),
        (None, _, _) => word.into(),
    }
}

/// What stands behind `file://`: a host, which must be this one, and a path in percent encoding.
fn from_url(rest: &str) -> Option<PathBuf> {
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    let mut bytes = Vec::with_capacity(rest.len());
    let mut left = rest.strip_prefix('/').map(|_| rest.as_bytes())?;
    while let Some((first, more)) = left.split_first() {
        left = more;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, more) = left.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        left = more;
    }
    Some(OsString::from_vec(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_however_a_terminal_pastes_it() {
        let cases: [(&str, &[(&str, &str)]); 17] = [
            ("/a/b.png", &[("/a/b.png", "/a/b.png")]),
            ("'/a/My shot.png' ", &[("'/a/My shot.png'", "/a/My shot.png")]),
            ("\"/a/My shot.png\"", &[("\"/a/My shot.png\"", "/a/My shot.png")]),
            (r"/a/My\ shot\(1\).png", &[(r"/a/My\ shot\(1\).png", "/a/My shot(1).png")]),
            (r"'/a/it'\''s.png'", &[(r"'/a/it'\''s.png'", "/a/it's.png")]),
            ("file:///a/My%20shot%C3%A9.png", &[("file:///a/My%20shot%C3%A9.png", "/a/My shoté.png")]),
            ("file://localhost/a.png", &[("file://localhost/a.png", "/a.png")]),
            ("~/shot.png", &[("~/shot.png", "/home/a/shot.png")]),
            ("what is '/a/b c.png'?", &[("'/a/b c.png'", "/a/b c.png")]),
            ("why (see /a/b.png), and /c.gif.", &[("/a/b.png", "/a/b.png"), ("/c.gif", "/c.gif")]),
            ("compare /a.png, /b.png", &[("/a.png", "/a.png"), ("/b.png", "/b.png")]),
            ("don't look at /a.png", &[("/a.png", "/a.png")]),
            ("it's '/a.png' there", &[("'/a.png'", "/a.png")]),
            ("docs/logo.png is wrong", &[]),
            ("file://elsewhere/a.png", &[]),
            ("file:///a%zz.png", &[]),
            ("'/a/unfinished.png", &[]),
        ];
        for (text, expected) in cases {
            let found = mentions(text, Some(Path::new("/home/a")));
            let found: Vec<_> =
                found.iter().map(|mention| (&text[mention.place.clone()], mention.path.to_str().unwrap())).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_leading_path_may_be_relative_and_leaves_the_rest() {
        let leading = |text| leading(text, None).map(|(path, rest)| (path.to_str().unwrap().to_owned(), rest));
        let path = |path: &str, rest| Some((path.to_owned(), rest));
        assert_eq!(leading("a.png what is  this"), path("a.png", "what is  this"));
        assert_eq!(leading(" 'a b.png'\nwhat"), path("a b.png", "what"));
        assert_eq!(leading("~/a.png"), path("~/a.png", ""));
        assert_eq!(leading(""), None);
        assert_eq!(leading("'a"), None);
    }
}
