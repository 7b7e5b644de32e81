//! One conversation, as a document.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
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
    store.read(&id).map_err(|error| not_at_hand(&id, &error))?;
    let mut document = Document::default();
    let read = transcript::each_line(&store.folder(&id), &mut |line| {
        Line::decode(line).iter().for_each(|line| document.take(line));
        Wanted::More
    });
    read.map_err(|error| not_at_hand(&id, &error.into()))?;
    let text = document.finish();
    match to {
        To::Person => outcome::answer(&sanitized(&text)),
        To::Stdout if io::stdout().is_terminal() => outcome::answer(&sanitized(&text)),
        To::Stdout => outcome::answer(&text),
        To::File(path) => create(path, &text),
    }
}

/// What was said may be private.
fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let text = format!("{} exists", path.display());
            Failure::new(Class::Usage, text).with_hint("name a new file")
        }
        _ => Failure::temporary(format!("{}: {error}", path.display())),
    })
}
