//! The files below a directory. No name on the way is ever followed through a symbolic link, and a file that has a
//! second name (a hard link) is not touched: what it is elsewhere is not for a patch to change.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use rustix::io::Errno;

use super::path::RelativePath;
use super::plan::{Change, Files};
use super::rejection::Rejection;
use super::replacement::Replacement;

/// The longest file that a patch changes, in bytes.
const LONGEST_FILE: u64 = 16 * 1024 * 1024;
const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
// Without NONBLOCK a FIFO would wait for a writer.
const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// A directory and what is below it.
#[derive(Debug)]
pub struct Directory {
    root: OwnedFd,
    /// Files and directories in it that are not for the model.
    closed: Vec<PathBuf>,
}

/// A regular file with one name.
#[derive(Debug)]
pub struct Found {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Permission bits, without set-user-ID and its like.
    pub mode: Mode,
}

impl Directory {
    /// Opens it; links on the way to it are followed, since the person chose it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { root: rustix::fs::open(path, flags, Mode::empty())?, closed: Vec::new() })
    }

    /// The same without these, which are named by whole paths; `path` is where the directory is.
    pub fn without(self, path: &Path, closed: &[PathBuf]) -> Self {
        let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let inside = closed.iter().filter_map(|closed| closed.strip_prefix(&place).ok());
        Self { closed: inside.map(Path::to_owned).collect(), ..self }
    }

    /// The directory in which the file stands or would stand; `None` when it does not exist.
    pub(super) fn parent(&self, path: &RelativePath) -> Result<Option<OwnedFd>, Rejection> {
        self.walk(path, |_, _| Ok(None))
    }

    /// The same; what does not exist is made by `make`, which says whether it did.
    pub(super) fn walk(
        &self,
        path: &RelativePath,
        mut make: impl FnMut(&OwnedFd, &str) -> io::Result<Option<()>>,
    ) -> Result<Option<OwnedFd>, Rejection> {
        if self.closed.iter().any(|closed| Path::new(&path.to_string()).starts_with(closed)) {
            return Err(Rejection::file(path, "is closed: it belongs to logins, keys or settings"));
        }
        let cannot = |error: io::Error| Rejection::file(path, format!("cannot be reached: {error}"));
        let mut directory = self.root.try_clone().map_err(cannot)?;
        for name in path.directories() {
            let mut entered = openat(&directory, name, DIRECTORY, Mode::empty());
            if matches!(entered, Err(Errno::NOENT)) {
                if make(&directory, name).map_err(cannot)?.is_none() {
                    return Ok(None);
                }
                entered = openat(&directory, name, DIRECTORY, Mode::empty());
            }
            directory = match entered {
                Ok(entered) => entered,
                Err(Errno::LOOP | Errno::NOTDIR) => {
                    let why = format!("goes through '{name}', which is a symbolic link or no directory");
                    return Err(Rejection::file(path, why));
                }
                Err(error) => return Err(cannot(error.into())),
            };
        }
        Ok(Some(directory))
    }

    /// The file; `None` when there is nothing of this name.
    pub fn find(&self, path: &RelativePath) -> Result<Option<Found>, Rejection> {
        let Some(parent) = self.parent(path)? else { return Ok(None) };
        let file = match openat(&parent, path.name(), FILE, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(Rejection::file(path, "is a symbolic link")),
            Err(error) => return Err(Rejection::file(path, format!("cannot be read: {}", io::Error::from(error)))),
        };
        read(file).map(Some).map_err(|why| Rejection::file(path, why))
    }
}

impl Directory {
    /// Whether there is a directory of this name.
    pub fn has_directory(&self, path: &RelativePath) -> bool {
        let parent = self.parent(path).ok().flatten();
        parent.is_some_and(|parent| openat(&parent, path.name(), DIRECTORY, Mode::empty()).is_ok())
    }

    /// Removes a directory with nothing in it; anything else stays.
    pub fn remove_empty(&self, path: &RelativePath) {
        if let Ok(Some(parent)) = self.parent(path) {
            let _ = unlinkat(&parent, path.name(), AtFlags::REMOVEDIR);
        }
    }
}

impl Files for Directory {
    fn read(&self, path: &RelativePath) -> Result<Option<Vec<u8>>, Rejection> {
        Ok(self.find(path)?.map(|found| found.bytes))
    }

    fn replace(&mut self, changes: &[Change]) -> Result<(), Rejection> {
        Replacement::of(self, changes)?.perform()
    }
}

fn read(file: File) -> Result<Found, String> {
    let cannot = |error: io::Error| format!("cannot be read: {error}");
    let stat = rustix::fs::fstat(&file).map_err(|error| cannot(error.into()))?;
    if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() {
        return Err("is no regular file".to_owned());
    }
    if stat.st_nlink > 1 {
        return Err("has several names (hard links); changing it would change or break the others".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(LONGEST_FILE + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(format!("is longer than {LONGEST_FILE} bytes"));
    }
    let permissions = Mode::RWXU | Mode::RWXG | Mode::RWXO;
    Ok(Found { bytes, mode: Mode::from_raw_mode(stat.st_mode) & permissions })
}

#[cfg(test)]
mod tests;
