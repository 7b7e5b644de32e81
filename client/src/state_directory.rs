//! The user's private directory for what survives a command: cached tokens, remembered failures, locks.
//!
//! Directory 0700, files 0600, each replaced as a whole or not at all. Nothing here is worth an fsync: after a power
//! cut a file is either whole or counts as missing.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};
use zeroize::Zeroizing;

use crate::bounded_file::{self, Symlinks};

/// The longest file that is read back, in bytes: an answer of 64 KiB and what we add to it.
const LONGEST_FILE: u64 = 128 * 1024;
const GROUP_AND_OTHERS: u32 = 0o077;
/// Ends the name of a file that is being written.
const UNFINISHED: &str = "new";

/// The directory; it need not exist yet.
#[derive(Debug, Clone)]
pub struct StateDirectory(Keeping);

#[derive(Debug, Clone)]
enum Keeping {
    In(PathBuf),
    /// There is no place, which is a pity.
    Nowhere,
    /// Nothing is to be kept.
    Nothing,
}

/// Held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "closing the file frees the lock")] Option<File>);

/// What became of an attempt to lock.
#[derive(Debug)]
pub enum Locking {
    /// It is ours.
    Acquired(Lock),
    /// Another process holds it.
    Held,
    /// There is no place for a lock.
    Impossible(io::Error),
}

impl StateDirectory {
    /// `None` where there is no place for one: then nothing is kept.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self(path.map_or(Keeping::Nowhere, Keeping::In))
    }

    /// One that keeps nothing and remembers nothing, on purpose.
    pub fn forgetful() -> Self {
        Self(Keeping::Nothing)
    }

    fn path(&self) -> Option<&Path> {
        match &self.0 {
            Keeping::In(path) => Some(path),
            Keeping::Nowhere | Keeping::Nothing => None,
        }
    }

    fn is_forgetful(&self) -> bool {
        matches!(self.0, Keeping::Nothing)
    }

    /// A file of ours; anything else (missing, somebody else's, readable by others, too long) counts as missing.
    pub fn read(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.read_up_to(name, LONGEST_FILE)
    }

    /// The same for a file of at most `longest` bytes.
    pub fn read_up_to(&self, name: &str, longest: u64) -> Option<Zeroizing<Vec<u8>>> {
        let path = self.path()?.join(name);
        let content = bounded_file::read(&path, longest, Symlinks::Refuse).ok()?;
        let is_ours = content.metadata.uid() == rustix::process::geteuid().as_raw();
        (is_ours && content.metadata.mode() & GROUP_AND_OTHERS == 0).then_some(content.bytes)
    }

    /// Replaces a file. When this fails, the old one is gone too: what it said no longer holds.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.is_forgetful() {
            return Ok(());
        }
        let directory = self.prepare()?;
        let path = directory.join(name);
        let unfinished = directory.join(format!("{name}.{}.{UNFINISHED}", std::process::id()));
        let written = write_new(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &path));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
            let _ = fs::remove_file(&path);
        }
        written
    }

    /// Removes a file; it need not exist.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        let Some(directory) = self.path() else { return Ok(()) };
        match fs::remove_file(directory.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Names of the files that begin so; a file that a living process is just writing is not among them.
    pub fn names(&self, prefix: &str) -> Vec<String> {
        let entries = self.path().and_then(|path| fs::read_dir(path).ok());
        let names = entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name.starts_with(prefix) && !is_being_written(name)).collect()
    }

    /// Tries to become the only one that works on `name`. Does not wait.
    pub fn try_lock(&self, name: &str) -> Locking {
        if self.is_forgetful() {
            return Locking::Acquired(Lock(None));
        }
        let opened = self.prepare().and_then(|directory| {
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(directory.join(name))
        });
        let file = match opened {
            Ok(file) => file,
            Err(error) => return Locking::Impossible(error),
        };
        match file.try_lock() {
            Ok(()) => Locking::Acquired(Lock(Some(file))),
            Err(TryLockError::WouldBlock) => Locking::Held,
            Err(TryLockError::Error(error)) => Locking::Impossible(error),
        }
    }

    fn prepare(&self) -> io::Result<&Path> {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "neither XDG_CACHE_HOME nor HOME is set");
        let path = self.path().ok_or_else(missing)?;
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        }
        let metadata = fs::metadata(path)?;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the directory belongs to another user"));
        }
        if metadata.mode() & GROUP_AND_OTHERS != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
        Ok(path)
    }
}

fn is_being_written(name: &str) -> bool {
    let unfinished = name.strip_suffix(UNFINISHED).and_then(|name| name.strip_suffix('.'));
    let writer = unfinished.and_then(|name| name.rsplit('.').next()?.parse().ok()).and_then(Pid::from_raw);
    writer.is_some_and(|writer| test_kill_process(writer).is_ok())
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Left behind by a process that was killed and had our process id.
    let _ = fs::remove_file(path);
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, StateDirectory) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDirectory::new(Some(dir.path().join("a/scorpiox")));
        (dir, state)
    }

    #[test]
    fn a_forgetful_one_keeps_nothing_and_complains_of_nothing() {
        let state = StateDirectory::forgetful();
        state.replace("x.token", b"secret").unwrap();
        assert!(state.read("x.token").is_none());
        assert!(matches!(state.try_lock("x.lock"), Locking::Acquired(_)));
        state.remove("x.token").unwrap();
    }

    #[test]
    fn what_is_kept_is_private() {
        let (dir, state) = directory();
        state.replace("x.token", b"secret").unwrap();
        let mode = |path: &str| fs::metadata(dir.path().join(path)).unwrap().mode() & 0o777;
        assert_eq!((mode("a/scorpiox"), mode("a/scorpiox/x.token")), (0o700, 0o600));
        assert_eq!(state.read("x.token").unwrap().as_slice(), b"secret");
        assert_eq!(state.names("x."), ["x.token"]);
        fs::set_permissions(dir.path().join("a/scorpiox/x.token"), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(state.read("x.token").is_none(), "somebody else may have written it");
    }

    #[test]
    fn a_second_lock_waits_for_the_first() {
        let (_dir, state) = directory();
        let Locking::Acquired(lock) = state.try_lock("x.lock") else { panic!("free") };
        assert!(matches!(state.try_lock("x.lock"), Locking::Held));
        drop(lock);
        assert!(matches!(state.try_lock("x.lock"), Locking::Acquired(_)));
    }

    #[test]
    fn what_a_killed_process_left_is_named_and_what_is_being_written_is_not() {
        let (_dir, state) = directory();
        let (mine, gone) = (format!("x.a.{}.new", std::process::id()), format!("x.a.{}.new", i32::MAX));
        for name in [&mine, &gone] {
            state.replace(name, b"").unwrap();
        }
        assert_eq!(state.names("x."), [gone]);
    }

    #[test]
    fn without_a_place_nothing_is_kept_and_nothing_breaks() {
        let state = StateDirectory::new(None);
        assert!(state.read("x").is_none() && state.replace("x", b"").is_err() && state.remove("x").is_ok());
        assert!(matches!(state.try_lock("x"), Locking::Impossible(_)));
    }
}
