//! Contents of files, kept as long as the conversation lasts, in a directory that only this user may enter.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};

use crate::tool::sandbox::scratch::Scratch;

/// Names a content: its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ContentId([u8; 32]);

impl ContentId {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(digest(&SHA256, bytes).as_ref().try_into().expect("a SHA-256 has 32 bytes"))
    }

    fn file_name(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A directory of contents, each once. Removed when it is dropped; what a killed process left, by the next one.
#[derive(Debug)]
pub(super) struct Store(Option<Scratch>);

impl Store {
    /// Makes one below `base`.
    pub(super) fn make(base: &Path) -> io::Result<Self> {
        Scratch::make(base).map(|scratch| Self(Some(scratch)))
    }

    /// Keeps a content. Nothing here has to outlast this process.
    pub(super) fn keep(&self, bytes: &[u8]) -> io::Result<ContentId> {
        let id = ContentId::of(bytes);
        let path = self.path(id);
        if path.exists() {
            return Ok(id);
        }
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(bytes));
        if written.is_err() {
            // A part of it would pass for the whole.
            let _ = fs::remove_file(&path);
        }
        written.map(|()| id)
    }

    /// A content that was kept.
    pub(super) fn read(&self, id: ContentId) -> io::Result<Vec<u8>> {
        let bytes = fs::read(self.path(id))?;
        match ContentId::of(&bytes) == id {
            true => Ok(bytes),
            false => Err(io::Error::new(io::ErrorKind::InvalidData, "what was kept has been changed")),
        }
    }

    /// Removes all other contents. One that cannot be removed now will be with the directory.
    pub(super) fn keep_only(&self, needed: &HashSet<ContentId>) {
        let needed: HashSet<String> = needed.iter().map(|id| id.file_name()).collect();
        let Ok(entries) = fs::read_dir(self.folder()) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_none_or(|name| !needed.contains(name)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.0.as_ref().expect("it is there until it is dropped").temporary().to_owned()
    }

    fn path(&self, id: ContentId) -> PathBuf {
        self.folder().join(id.file_name())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // What is left in the temporary directory harms nobody, and the next one removes it.
        let _ = self.0.take().map(Scratch::remove);
    }
}
