//! The beginning of one file of instructions.
//!
//! A file of the project is reached through no link that leads out of it. What a link leads to is found first and then
//! opened name by name without following any: a link that is swapped in between is an error, not a way out.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, openat};

use super::search::Candidate;

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
// Without NONBLOCK a FIFO would wait for a writer.
const FILE: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// What of a file is told.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) text: String,
    /// So many bytes of the file it is.
    pub(super) bytes: usize,
    /// So many more there are.
    pub(super) left_out: u64,
}

/// At most `limit` bytes of it; `None` when there is none.
pub(super) fn head(candidate: &Candidate, hidden: &[PathBuf], limit: usize) -> Result<Option<Head>, String> {
    let opened = match &candidate.root {
        Some(root) => open_in(root, &candidate.path, hidden),
        None => open_own(&candidate.path),
    };
    opened?.map(|file| read(file, limit).map_err(|error| error.to_string())).transpose()
}

fn open_own(path: &Path) -> Result<Option<File>, String> {
    let opened = rustix::fs::open(path, FILE, Mode::empty());
    present(opened.map_err(io::Error::from))?.map(regular).transpose()
}

fn open_in(root: &Path, path: &Path, hidden: &[PathBuf]) -> Result<Option<File>, String> {
    let Some(target) = present(path.canonicalize())? else {
        return match path.symlink_metadata() {
            Ok(_) => Err("it is a link that leads nowhere".to_owned()),
            Err(_) => Ok(None),
        };
    };
    let root = root.canonicalize().map_err(|error| error.to_string())?;
    let Ok(below) = target.strip_prefix(&root) else { return Err("it leads out of the project".to_owned()) };
    if hidden.iter().any(|closed| target.starts_with(closed)) {
        return Err("it leads to a file that is closed to the model".to_owned());
    }
    let opened = open_below(&root, below).map_err(|error| error.to_string())?;
    regular(opened).map(Some)
}

/// No name on the way is followed through a link.
fn open_below(root: &Path, below: &Path) -> io::Result<OwnedFd> {
    let names: Vec<_> = below.components().collect();
    let (Some((Component::Normal(name), directories)), true) =
        (names.split_last(), names.iter().all(|name| matches!(name, Component::Normal(_))))
    else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut directory = rustix::fs::open(root, DIRECTORY, Mode::empty())?;
    for name in directories {
        directory = openat(&directory, name.as_os_str(), DIRECTORY, Mode::empty())?;
    }
    Ok(openat(&directory, *name, FILE | OFlags::NOFOLLOW, Mode::empty())?)
}

fn present<T>(opened: io::Result<T>) -> Result<Option<T>, String> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn regular(opened: OwnedFd) -> Result<File, String> {
    let stat = rustix::fs::fstat(&opened).map_err(|error| error.to_string())?;
    if FileType::from_raw_mode(stat.st_mode).is_file() { Ok(opened.into()) } else { Err("it is no file".to_owned()) }
}

fn read(file: File, limit: usize) -> io::Result<Head> {
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(limit as u64).read_to_end(&mut bytes)?;
    let left_out = length.saturating_sub(bytes.len() as u64);
    if let (1.., Err(error)) = (left_out, std::str::from_utf8(&bytes))
        && error.error_len().is_none()
    {
        // The cut went through a character.
        bytes.truncate(error.valid_up_to());
    }
    let text = String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}");
    Ok(Head { text: text.trim_start_matches('\u{feff}').to_owned(), bytes: bytes.len(), left_out })
}
