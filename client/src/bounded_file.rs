//! Reading a file that may be anything: never blocks, never reads more than allowed, says what it found instead.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use zeroize::Zeroizing;

/// What a symbolic link in the last part of the path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symlinks {
    /// The file that it points to.
    Follow,
    /// An error.
    Refuse,
}

/// Bytes of a regular file, with what was known of it when they were read.
#[derive(Debug)]
pub struct Content {
    /// All of its bytes; they may hold a secret.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Owner, mode and times, taken before reading.
    pub metadata: Metadata,
}

/// Why the file was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// No such file.
    #[error("does not exist")]
    Missing,
    /// A symbolic link where none is taken.
    #[error("is a symbolic link")]
    Symlink,
    /// A directory, FIFO, socket or device.
    #[error("is {0}, not a file")]
    NotAFile(&'static str),
    /// Longer than allowed.
    #[error("is longer than {0} bytes")]
    TooLong(u64),
    /// It was written while it was read.
    #[error("was being rewritten while it was read")]
    Changed,
    /// Anything else.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Reads a whole regular file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64, symlinks: Symlinks) -> Result<Content, Unread> {
    read_from(open(path, symlinks)?, limit)
}

/// Reads a whole file that was opened by [`open`], of at most `limit` bytes.
pub fn read_from(file: File, limit: u64) -> Result<Content, Unread> {
    read_opened(file, limit, || ())
}

/// The first bytes of a regular file, at most so many.
pub fn beginning(path: &Path, count: usize) -> Result<Vec<u8>, Unread> {
    let file = open(path, Symlinks::Follow)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Unread::NotAFile(kind(&metadata)));
    }
    let mut bytes = Vec::with_capacity(count);
    file.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// `then` is what happens elsewhere between the last byte and the look whether anything has changed.
fn read_opened(mut file: File, limit: u64, then: impl FnOnce()) -> Result<Content, Unread> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Unread::NotAFile(kind(&metadata)));
    }
    if metadata.len() > limit {
        return Err(Unread::TooLong(limit));
    }
    let expected = usize::try_from(metadata.len()).unwrap_or(0);
    // One byte more than expected: the read that finds the end needs no second buffer.
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected + 1));
    Read::by_ref(&mut file).take(limit + 1).read_to_end(&mut bytes)?;
    then();
    if stamp(&file.metadata()?) != stamp(&metadata) || bytes.len() != expected {
        return Err(Unread::Changed);
    }
    Ok(Content { bytes, metadata })
}

/// Opens whatever is there, without waiting for anybody.
pub fn open(path: &Path, symlinks: Symlinks) -> Result<File, Unread> {
    // Without NONBLOCK a FIFO would wait for a writer, perhaps for ever.
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    if symlinks == Symlinks::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    let flags = i32::try_from(flags.bits()).expect("open flags fit the C int that they are");
    OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| {
        let is_loop = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unread::Missing,
            _ if is_loop && symlinks == Symlinks::Refuse => Unread::Symlink,
            // What opening a socket says.
            _ if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => Unread::NotAFile("a socket"),
            _ => Unread::Io(error),
        }
    })
}

fn kind(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else {
        "a device"
    }
}

/// Which bytes of which file: changes with every write.
fn stamp(metadata: &Metadata) -> (u64, u64, u64, i64, i64) {
    (metadata.dev(), metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_regular_file_is_named_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("file"), "abc").unwrap();
        std::os::unix::fs::symlink(path("file"), path("link")).unwrap();
        assert!(rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), rustix::fs::Mode::RWXU).is_ok());

        let refused = |name: &str| read(&path(name), 3, Symlinks::Refuse).unwrap_err().to_string();
        assert_eq!(refused("fifo"), "is a FIFO, not a file");
        assert_eq!(refused("link"), "is a symbolic link");
        assert_eq!(refused("."), "is a directory, not a file");
        assert_eq!(refused("none"), "does not exist");
        assert_eq!(*read(&path("file"), 3, Symlinks::Refuse).unwrap().bytes, b"abc");
        assert_eq!(*read(&path("link"), 3, Symlinks::Follow).unwrap().bytes, b"abc");
        assert!(matches!(read(&path("file"), 2, Symlinks::Refuse), Err(Unread::TooLong(2))));
        assert_eq!(beginning(&path("file"), 2).unwrap(), b"ab");
        assert_eq!(beginning(&path("fifo"), 2).unwrap_err().to_string(), "is a FIFO, not a file");
    }

    #[test]
    fn a_file_that_was_overwritten_in_place_meanwhile_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "old").unwrap();
        let overwrite = || {
            let long_ago = std::time::SystemTime::UNIX_EPOCH;
            std::fs::write(&path, "new").unwrap();
            // Clocks of file systems are coarse: the write may fall into the tick of the one before.
            File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
        };
        let read = read_opened(open(&path, Symlinks::Refuse).unwrap(), 3, overwrite);
        assert!(matches!(read, Err(Unread::Changed)), "{read:?}");
    }
}
