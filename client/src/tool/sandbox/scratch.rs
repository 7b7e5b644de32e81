//! A session's own directory: the temporary directory of its commands, and what covers hidden files.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const NAME_BYTES: usize = 8;

/// The directory. [`remove`](Self::remove) it at the end of the session.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
}

impl Scratch {
    /// Makes it below `base`, which must exist and is canonical afterwards.
    pub fn make(base: &Path) -> io::Result<Self> {
        let root = base.canonicalize()?.join(format!("scorpiox-{}", random_name()?));
        // Not recursive: a directory that somebody else has put there is an error.
        DirBuilder::new().mode(0o700).create(&root)?;
        let scratch = Self { root };
        DirBuilder::new().mode(0o700).create(scratch.temporary())?;
        DirBuilder::new().mode(0o000).create(scratch.blank_directory())?;
        OpenOptions::new().write(true).create_new(true).mode(0o000).open(scratch.blank_file())?;
        Ok(scratch)
    }

    /// The temporary directory of commands.
    pub fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Puts a text into a file of the temporary directory, for the standard input of a command.
    pub fn input(&self, text: &str) -> io::Result<PathBuf> {
        let path = self.temporary().join(format!("input-{}", random_name()?));
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(text.as_bytes())?;
        Ok(path)
    }

    /// A file that nobody can read.
    pub fn blank_file(&self) -> PathBuf {
        self.root.join("blank-file")
    }

    /// A directory that nobody can read.
    pub fn blank_directory(&self) -> PathBuf {
        self.root.join("blank-directory")
    }

    /// A place in it that no policy opens.
    pub(super) fn closed(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Removes it with all that commands left in it.
    pub fn remove(self) -> io::Result<()> {
        fs::remove_dir(self.blank_directory())?;
        fs::remove_dir_all(&self.root)
    }
}

fn random_name() -> io::Result<String> {
    let mut name = [0; NAME_BYTES];
    aws_lc_rs::rand::fill(&mut name).map_err(|_| io::Error::other("no random bytes"))?;
    Ok(name.iter().map(|byte| format!("{byte:02x}")).collect())
}
