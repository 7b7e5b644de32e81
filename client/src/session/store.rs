//! All conversations of a user that are kept.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::entry::{Entry, Line, SCHEMA, Session};
use super::replay::Replayed;
use super::transcript::{self, NotOpened, Transcript, Wanted};
use super::usage_file::Tally;
use crate::conversation::item::{Item, Role};

/// The folder with a folder for each conversation.
#[derive(Debug, Clone)]
pub struct Store {
    place: PathBuf,
}

/// A conversation at a glance.
#[derive(Debug, Clone)]
pub struct Glance {
    /// How it began.
    pub session: Session,
    /// When it began, in milliseconds since the Unix epoch.
    pub began_unix_ms: Option<i64>,
    /// When something was said last, in milliseconds since the Unix epoch.
    pub used_unix_ms: i64,
    /// What the person said first.
    pub prompt: String,
    /// What it has cost; `None` when no turn has ended yet.
    pub tally: Option<Tally>,
}

/// Why no conversation is meant by what was typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// None begins so.
    #[error("there is no conversation {0}")]
    Unknown(String),
    /// Several begin so.
    #[error("several conversations begin with {0}")]
    Several(String),
}

impl Store {
    /// The conversations in this folder, see [`super::place`]; it need not exist yet.
    pub fn at(place: PathBuf) -> Self {
        Self { place }
    }

    /// Where a conversation is kept, or would be.
    pub fn folder(&self, id: &str) -> PathBuf {
        self.place.join(id)
    }

    /// The id that begins so.
    pub fn named(&self, word: &str) -> Result<String, NotFound> {
        let word = word.to_ascii_lowercase();
        let mut found = self.ids().into_iter().filter(|id| !word.is_empty() && id.starts_with(&word));
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(id),
            (None, _) => Err(NotFound::Unknown(word)),
            (Some(_), Some(_)) => Err(NotFound::Several(word)),
        }
    }

    /// All that tell a conversation, the one that was used last first.
    pub fn all(&self) -> Vec<Glance> {
        self.by_use().into_iter().filter_map(|(used, id)| self.glance(&id, used)).collect()
    }

    /// The conversation of this directory that was used last.
    pub fn latest_of(&self, directory: &Path) -> Option<Glance> {
        let mut glances = self.by_use().into_iter().filter_map(|(used, id)| self.glance(&id, used));
        glances.find(|glance| glance.is_of(directory))
    }

    /// Opens a conversation to go on with it.
    pub fn resume(&self, id: &str) -> Result<(Transcript, Replayed), NotOpened> {
        Transcript::open(&self.folder(id))
    }

    /// Reads a conversation, even while it is held.
    pub fn read(&self, id: &str) -> Result<Replayed, NotOpened> {
        transcript::read(&self.folder(id))
    }

    /// Copies a conversation as far as it is whole, even while it is held.
    pub fn copy(&self, id: &str, copy: &str, unix_ms: i64) -> Result<(), NotOpened> {
        let session = Session { id: copy.to_owned(), copy_of: Some(id.to_owned()), ..self.read(id)?.session };
        let folder = self.folder(copy);
        let to = Transcript::create(&folder)?;
        self.copy_lines(id, session, to, unix_ms).inspect_err(|_| {
            // Half of a conversation would be the one that was used last.
            let _ = fs::remove_dir_all(&folder);
        })
    }

    fn copy_lines(&self, id: &str, session: Session, mut to: Transcript, unix_ms: i64) -> Result<(), NotOpened> {
        to.append_as_it_is(&Line::new(unix_ms, Entry::Session(session)).encode())?;
        let (mut first, mut written) = (true, Ok(()));
        transcript::each_line(&self.folder(id), &mut |line| {
            if !std::mem::take(&mut first) {
                written = to.append_as_it_is(line);
            }
            if written.is_ok() { Wanted::More } else { Wanted::Enough }
        })?;
        written?;
        Ok(to.sync()?)
    }

    /// Removes a conversation for good, unless somebody holds it.
    pub fn remove(&self, id: &str) -> Result<(), NotOpened> {
        let held = Transcript::open(&self.folder(id));
        match held {
            Err(NotOpened::Held) => return Err(NotOpened::Held),
            // What tells no conversation can be removed too.
            Err(NotOpened::Unreadable(_) | NotOpened::Io(_)) | Ok(_) => {}
        }
        fs::remove_dir_all(self.folder(id))?;
        Ok(crate::durable_file::sync_directory_of(&self.folder(id))?)
    }

    fn ids(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.place).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| is_id(name)).collect()
    }

    /// The last one first.
    fn by_use(&self) -> Vec<(i64, String)> {
        let ids = self.ids().into_iter();
        let mut found: Vec<_> = ids.filter_map(|id| Some((changed(&self.folder(&id)).ok()?, id))).collect();
        found.sort_by(|one, other| other.cmp(one));
        found
    }

    /// From the first two lines: transcripts can be long.
    fn glance(&self, id: &str, used_unix_ms: i64) -> Option<Glance> {
        let folder = self.folder(id);
        let (mut begun, mut prompt) = (None, None);
        let read = transcript::each_line(&folder, &mut |line| {
            match Line::decode(line).map(|line| (line.unix_ms(), line.entry)) {
                Ok((at, Entry::Session(session))) if session.schema <= SCHEMA => begun = Some((at, session)),
                Ok((_, Entry::Turn { prompt: items, .. })) => prompt = Some(spoken(&items)),
                Ok(_) | Err(_) => {}
            }
            if begun.is_none() || prompt.is_some() { Wanted::Enough } else { Wanted::More }
        });
        let (began_unix_ms, session) = read.ok().and(begun)?;
        let tally = Tally::read(&folder);
        Some(Glance { session, began_unix_ms, used_unix_ms, prompt: prompt.unwrap_or_default(), tally })
    }
}

impl Glance {
    /// Whether the conversation was begun in this directory.
    pub fn is_of(&self, directory: &Path) -> bool {
        self.session.directory == directory.to_string_lossy()
    }
}

/// What the person said, of all that a turn begins with: it stands last.
pub fn spoken(prompt: &[Item]) -> String {
    let messages = prompt.iter().rev().filter_map(|item| match item {
        Item::Message(message) if message.role == Role::User => Some(message.text()),
        _ => None,
    });
    messages.into_iter().next().unwrap_or_default()
}

/// A folder of ours has a UUID for its name; anything else there is none of ours.
fn is_id(name: &str) -> bool {
    let lengths = name.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    lengths && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'))
}

fn changed(folder: &Path) -> io::Result<i64> {
    let metadata = fs::symlink_metadata(folder.join(transcript::FILE_NAME))?;
    Ok(metadata.mtime() * 1000 + metadata.mtime_nsec() / 1_000_000)
}

#[cfg(test)]
mod tests;
