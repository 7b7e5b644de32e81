//! One conversation, as a document.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::{named, not_at_hand};
use crate::cli::outcome;
use crate::durable_file::PRIVATE;
use crate::failure::{Class, Failure};
use crate::session::entry::Line;
use crate::session::markdown::Document;
use crate::session::store::Store;
use crate::session::transcript::{self, Wanted};
use crate::terminal::sanitize::sanitized;

/// Who gets the document.
#[derive(Debug, Clone, Copy)]
pub(super) enum To<'a> {
    /// A person: nothing of it moves the terminal.
    Person,
    /// Whoever reads standard output.
    Stdout,
    /// A new file.
    File(&'a Path),
}

/// Writes it.
pub(super) fn write(store: &Store, word: &str, to: To<'_>) -> Result<(), Failure> {
    let id = named(store, word)?;
    // Whoever cannot go on with it is told why, instead of half a document.
    let told = store.read(&id).map_err(|error| not_at_hand(&id, &error))?.told;
    let mut document = Document::default();
    let read = transcript::each_line(&store.folder(&id), &mut |line| {
        Line::decode(line).iter().for_each(|line| document.take(line));
        Wanted::More
    });
    read.map_err(|error| not_at_hand(&id, &error.into()))?;
    let text = document.finish() + &missing(told.unreadable);
    match to {
        To::Person => outcome::answer(&sanitized(&text)),
        To::Stdout if io::stdout().is_terminal() => outcome::answer(&sanitized(&text)),
        To::Stdout => outcome::answer(&text),
        To::File(path) => create(path, &text),
    }
}

/// What a reader must know of a document that is not whole.
fn missing(lines: u64) -> String {
    match lines {
        0 => String::new(),
        1 => "\n_1 line of the transcript cannot be read; what it said is missing here._\n".to_owned(),
        lines => format!("\n_{lines} lines of the transcript cannot be read; what they said is missing here._\n"),
    }
}

/// What was said may be private.
fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path);
    file.and_then(|file| fill(path, file, text)).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let text = format!("{} exists", path.display());
            Failure::new(Class::Usage, text).with_hint("name a new file")
        }
        _ => Failure::temporary(format!("{}: {error}", path.display())),
    })
}

/// Half a document is taken away again: the same command would be refused because of it.
fn fill(path: &Path, mut file: impl io::Write, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes()).inspect_err(|_| {
        let _ = fs::remove_file(path);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_document_is_taken_away() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("talk.md");
        create(&path, "whole").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        let mut too_small = [0; 3];
        assert!(fill(&path, &mut too_small[..], "whole").is_err());
        assert!(!path.exists());
    }

    #[test]
    fn a_document_says_how_much_of_it_is_missing() {
        assert_eq!(missing(0), "");
        assert!(missing(1).contains("1 line of") && missing(2).contains("2 lines of"));
    }
}
