//! What is attached to a prompt: files, and what comes in on standard input.

use std::io::{Read, stdin};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, fstat};

use crate::bounded_file::{self, Symlinks};
use crate::conversation::item::{Content, Item, Role};
use crate::failure::{Class, Failure};
use crate::talk::Talk;

/// The most that is attached, in bytes: about what fits into a model's window.
const MOST: u64 = 1024 * 1024;

/// The prompt with everything attached, as one message.
pub(super) fn message(prompt: &str, files: &[PathBuf], talk: &mut Talk) -> Result<Item, Failure> {
    let mut left = MOST;
    let mut content = vec![Content::InputText { text: prompt.to_owned() }];
    for path in files {
        let name = path.display().to_string();
        let bytes = read_file(path, left)?;
        content.extend(part(&name, &bytes, &mut left, talk));
    }
    if is_worth_reading(stdin()) {
        let bytes = read_all(stdin().lock(), left)?;
        content.extend(part("standard input", &bytes, &mut left, talk));
    }
    Ok(Item::message(Role::User, content))
}

fn read_file(path: &Path, left: u64) -> Result<Vec<u8>, Failure> {
    let wrong = |error| Failure::new(Class::Usage, format!("{} {error}", path.display()));
    let content = bounded_file::read(path, left, Symlinks::Follow).map_err(|error| match error {
        bounded_file::Unread::TooLong(_) => too_long(),
        error => wrong(error),
    })?;
    Ok(content.bytes.to_vec())
}

/// A pipe or a file; never a terminal, and never a device that says nothing or does not end.
fn is_worth_reading(input: impl AsFd) -> bool {
    let kind = fstat(input).map(|metadata| FileType::from_raw_mode(metadata.st_mode));
    matches!(kind, Ok(FileType::RegularFile | FileType::Fifo | FileType::Socket))
}

fn read_all(input: impl Read, left: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let unread = |error| Failure::new(Class::Usage, format!("standard input cannot be read: {error}"));
    input.take(left + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > left { Err(too_long()) } else { Ok(bytes) }
}

fn too_long() -> Failure {
    Failure::new(Class::Usage, "more than 1 MiB is attached").with_hint("attach the part that matters")
}

fn part(name: &str, bytes: &[u8], left: &mut u64, talk: &mut Talk) -> Option<Content> {
    *left = left.saturating_sub(bytes.len() as u64);
    if bytes.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    if text.contains('\0') || text.contains('\u{fffd}') {
        talk.warn(format!("{name} is not all text; what is none was replaced"));
    }
    let text = text.replace('\0', "\u{fffd}");
    Some(Content::InputText { text: format!("<attached name=\"{}\">\n{text}\n</attached>", attribute(name)) })
}

/// A file's name may be anything.
fn attribute(name: &str) -> String {
    crate::failure::visible(name).replace('"', "?")
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn texts(item: &Item) -> Vec<String> {
        let Item::Message(message) = item else { panic!("{item:?}") };
        let text = |content: &Content| match content {
            Content::InputText { text } => text.clone(),
            other => panic!("{other:?}"),
        };
        message.content.iter().map(text).collect()
    }

    #[test]
    fn files_are_parts_of_their_own_behind_the_prompt() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("a"), "one\n").unwrap();
        std::fs::write(path("b"), b"t\xffw\0o").unwrap();
        std::fs::write(path("c"), "").unwrap();
        let mut talk = Talk::default();
        let message = message("why", &[path("a"), path("b"), path("c")], &mut talk).unwrap();
        let texts = texts(&message);
        assert_eq!((texts.len(), texts[0].as_str()), (3, "why"));
        assert!(texts[1].contains("/a\">\none\n\n</attached>"), "{}", texts[1]);
        assert!(texts[2].contains("t\u{fffd}w\u{fffd}o"), "{}", texts[2]);
        assert_eq!(talk.lines(false).count(), 1);
    }

    #[test]
    fn what_is_no_file_or_too_long_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let long = dir.path().join("long");
        std::fs::write(&long, vec![b'x'; 700 * 1024]).unwrap();
        let code = |files: &[PathBuf]| {
            message("x", files, &mut Talk::default()).map_err(|failure| failure.class.exit_code()).err()
        };
        assert_eq!(code(std::slice::from_ref(&long)), None);
        assert_eq!(code(&[long.clone(), long]), Some(64));
        assert_eq!(code(&[dir.path().join("missing")]), Some(64));
        assert_eq!(code(&[dir.path().to_owned()]), Some(64));
    }

    #[test]
    fn only_a_pipe_or_a_file_is_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("f"), "x").unwrap();
        assert!(is_worth_reading(File::open(dir.path().join("f")).unwrap()));
        assert!(!is_worth_reading(File::open("/dev/null").unwrap()));
        let (reader, _writer) = std::io::pipe().unwrap();
        assert!(is_worth_reading(reader));
        assert_eq!(read_all(&b"12345"[..], 5).unwrap(), b"12345");
        assert!(read_all(&b"123456"[..], 5).is_err());
    }
}
