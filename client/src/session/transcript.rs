//! A transcript's file: appended to by one process at a time, whole after any end.
//!
//! What counts is what ends with a line feed. A write that was cut off leaves a line without one: it is passed over by
//! who reads, and taken away by who goes on.
//!
//! What must outlast a power cut is synced (`fdatasync`) before the conversation goes on: calls before their tools run,
//! what the tools did, the end of a turn. A prompt is not: it is sent before anything comes of it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::entry::Line;
use super::replay::{Replay, Replayed, Unreadable};
use crate::durable_file::{PRIVATE, sync_directory_of};

/// The file's name in a conversation's folder.
pub const FILE_NAME: &str = "transcript.jsonl";
/// A longer line is none of ours, in bytes: the longest have images.
const LONGEST_LINE: u64 = 256 * 1024 * 1024;
/// Directories are entered by their owner only.
pub(super) const PRIVATE_DIRECTORY: u32 = 0o700;

/// A transcript that this process writes. Nobody else does, until it is dropped.
#[derive(Debug)]
pub struct Transcript {
    file: File,
    folder: PathBuf,
    /// Where the last whole line ends.
    length: u64,
    name: Name,
}

/// Whether the file would still be found after a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Fresh,
    Lasting,
}

/// Whether an entry must outlast a power cut before the conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// It must.
    Now,
    /// It will when the next one does.
    Later,
}

/// Why a transcript was not opened.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// Another process writes it.
    #[error("another sx is holding this conversation")]
    Held,
    /// It tells no conversation.
    #[error("the transcript {0}")]
    Unreadable(#[from] Unreadable),
    /// Anything else.
    #[error("the transcript cannot be read: {0}")]
    Io(#[from] io::Error),
}

impl Transcript {
    /// Begins one in a folder that is made for it.
    pub fn create(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(folder)?;
        let path = folder.join(FILE_NAME);
        let file = OpenOptions::new().append(true).create_new(true).mode(PRIVATE).open(path)?;
        lock(&file)?;
        Ok(Self { file, folder: folder.to_owned(), length: 0, name: Name::Fresh })
    }

    /// Goes on with one. What a write that was cut off has left is taken away.
    pub fn open(folder: &Path) -> Result<(Self, Replayed), NotOpened> {
        let file = ours(folder, OpenOptions::new().read(true).append(true))?;
        match lock(&file) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(NotOpened::Held),
            locked => locked?,
        }
        let (replayed, length) = replayed(&file)?;
        if file.metadata()?.len() > length {
            file.set_len(length)?;
            file.sync_data()?;
        }
        Ok((Self { file, folder: folder.to_owned(), length, name: Name::Lasting }, replayed))
    }

    /// The conversation's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds an entry. When it cannot be written, the transcript is as it was before.
    pub fn append(&mut self, line: &Line, lasting: Lasting) -> io::Result<()> {
        self.append_as_it_is(&line.encode())?;
        match lasting {
            Lasting::Now => self.sync(),
            Lasting::Later => Ok(()),
        }
    }

    /// The same for a line, with its end, of another transcript.
    pub fn append_as_it_is(&mut self, line: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(line) {
            // A line without its end would be passed over too.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Makes all of it last.
    pub fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        if self.name == Name::Fresh {
            sync_directory_of(&self.folder.join(FILE_NAME)).and_then(|()| sync_directory_of(&self.folder))?;
            self.name = Name::Lasting;
        }
        Ok(())
    }
}

/// The conversation that a transcript tells, while another process may write it.
pub fn read(folder: &Path) -> Result<Replayed, NotOpened> {
    let file = ours(folder, OpenOptions::new().read(true))?;
    replayed(&file).map(|(replayed, _)| replayed)
}

/// Goes through the whole lines of a transcript until `take` has had enough.
pub fn each_line(folder: &Path, take: &mut dyn FnMut(&[u8]) -> Wanted) -> io::Result<()> {
    let file = ours(folder, OpenOptions::new().read(true))?;
    each_line_of(&file, &mut |line| Ok::<_, io::Error>(take(line))).map(drop)
}

/// Whether more lines are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// They are.
    More,
    /// They are not.
    Enough,
}

fn replayed(file: &File) -> Result<(Replayed, u64), NotOpened> {
    let mut replay = Replay::default();
    let length = each_line_of(file, &mut |line| replay.take(line).map(|()| Wanted::More).map_err(NotOpened::from))?;
    Ok((replay.finish()?, length))
}

/// Returns where the last whole line ends.
fn each_line_of<E: From<io::Error>>(file: &File, take: &mut dyn FnMut(&[u8]) -> Result<Wanted, E>) -> Result<u64, E> {
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let (mut line, mut length) = (Vec::new(), 0);
    loop {
        line.clear();
        reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            if line.len() as u64 == LONGEST_LINE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long").into());
            }
            return Ok(length);
        }
        length += line.len() as u64;
        if take(&line)? == Wanted::Enough {
            return Ok(length);
        }
    }
}

/// A regular file of this user, whatever stands there instead.
fn ours(folder: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).expect("open flags fit the C int that they are");
    let file = options.custom_flags(flags).open(folder.join(FILE_NAME))?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is no file of yours"));
    }
    Ok(file)
}

fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests;
