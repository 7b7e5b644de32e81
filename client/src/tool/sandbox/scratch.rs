//! A session's own directory: the temporary directory of its commands, and what covers hidden files.
//!
//! All of a user's sessions have theirs in one folder, which is hidden from commands: a session sees nothing of another.
//! A session that is killed leaves its directory behind. It holds a lock as long as it lives, so that the next one can
//! tell what is left and remove it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

const MOST_DOCUMENTS: u32 = 1_000;
const NAME_BYTES: usize = 8;
const PREFIX: &str = "scorpiox-";
/// What others may do with a file.
const FOR_OTHERS: u32 = 0o077;
/// Held by a living session. It appears locked, under this name.
const LOCK: &str = "lock";
const LOCK_TO_BE: &str = "lock-to-be";

/// The directory. [`remove`](Self::remove) it at the end of the session.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
    #[expect(dead_code, reason = "closing the file frees the lock")]
    lock: File,
}

/// The end of a command's standard input at which it is written to. Writing never waits.
#[derive(Debug)]
pub struct InputEnd {
    writing: Option<File>,
    /// What was written stays there until the command has opened its own end.
    #[expect(dead_code, reason = "its being open is what it is for")]
    reading: File,
}

impl InputEnd {
    /// Writes as much as the command has room for, and says how much; `None`: it was ended.
    pub fn write(&mut self, bytes: &[u8]) -> Option<io::Result<usize>> {
        let writing = self.writing.as_mut()?;
        let mut rest = bytes;
        while !rest.is_empty() {
            match writing.write(rest) {
                Ok(0) => break,
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(bytes.len() - rest.len()))
    }

    /// The command reads an end after what was written.
    pub fn end(&mut self) {
        self.writing = None;
    }
}

impl Scratch {
    /// Makes it in the user's folder below `base`, which must exist and is canonical afterwards. What dead sessions left
    /// there goes.
    pub fn make(base: &Path) -> io::Result<Self> {
        let base = base.canonicalize()?;
        let folder = users_folder(&base)?;
        remove_what_is_left(&folder);
        let root = folder.join(random_name()?);
        // Not recursive: a directory that somebody else has put there is an error.
        DirBuilder::new().mode(0o700).create(&root)?;
        let lock = OpenOptions::new().write(true).create_new(true).mode(0o600).open(root.join(LOCK_TO_BE))?;
        lock.try_lock().map_err(io::Error::from)?;
        fs::rename(root.join(LOCK_TO_BE), root.join(LOCK))?;
        let scratch = Self { root, lock };
        DirBuilder::new().mode(0o700).create(scratch.temporary())?;
        DirBuilder::new().mode(0o700).create(scratch.inputs())?;
        DirBuilder::new().mode(0o000).create(scratch.blank_directory())?;
        OpenOptions::new().write(true).create_new(true).mode(0o000).open(scratch.blank_file())?;
        Ok(scratch)
    }

    /// The temporary directory of commands.
    pub fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// The folder of all of the user's sessions: no command may look into it, but for what its policy opens.
    pub fn folder(&self) -> PathBuf {
        self.root.parent().map(Path::to_owned).unwrap_or_default()
    }

    /// Where the standard inputs of commands are. They may be read in the sandbox.
    pub fn inputs(&self) -> PathBuf {
        self.root.join("inputs")
    }

    /// Puts a text where a command may read it as its standard input, and none can change it.
    pub fn input(&self, text: &[u8]) -> io::Result<PathBuf> {
        let path = self.inputs().join(random_name()?);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(text)?;
        Ok(path)
    }

    /// Puts a text into the temporary directory for commands to read: `NAME-1.md`, `NAME-2.md`. What is there already is
    /// never written to, nor through.
    pub fn document(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        for number in 1..=MOST_DOCUMENTS {
            let path = self.temporary().join(format!("{name}-{number}.md"));
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                opened => return opened?.write_all(text.as_bytes()).map(|()| path),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Removes the documents of this name.
    pub fn remove_documents(&self, name: &str) {
        let begins = format!("{name}-");
        for entry in fs::read_dir(self.temporary()).into_iter().flatten().flatten() {
            let found = entry.file_name().into_string().unwrap_or_default();
            let number = found.strip_prefix(&begins).and_then(|rest| rest.strip_suffix(".md"));
            if number.is_some_and(|number| number.parse::<u32>().is_ok()) {
                // What cannot be removed now goes with the directory.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The same, to be written later: the path for the command, and the end to write to.
    pub fn open_input(&self) -> io::Result<(PathBuf, InputEnd)> {
        let path = self.inputs().join(random_name()?);
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::RUSR | Mode::WUSR)?;
        let open = |access: OFlags| {
            let flags = access | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::open(&path, flags, Mode::empty()).map(File::from)
        };
        let reading = open(OFlags::RDONLY)?;
        Ok((path.clone(), InputEnd { writing: Some(open(OFlags::WRONLY)?), reading }))
    }

    /// A file that nobody can read.
    pub fn blank_file(&self) -> PathBuf {
        self.root.join("blank-file")
    }

    /// A directory that nobody can read.
    pub fn blank_directory(&self) -> PathBuf {
        blank_directory(&self.root)
    }

    /// A place in it that no policy opens.
    pub(super) fn closed(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Removes it with all that commands left in it.
    pub fn remove(self) -> io::Result<()> {
        remove(&self.root)
    }
}

fn remove(root: &Path) -> io::Result<()> {
    // Nobody can look into it, so it would stop the removal of the rest.
    fs::remove_dir(blank_directory(root))?;
    fs::remove_dir_all(root)
}

fn blank_directory(root: &Path) -> PathBuf {
    root.join("blank-directory")
}

/// Made if need be. In a directory that all may write to, somebody else can have put something there.
fn users_folder(base: &Path) -> io::Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let folder = base.join(format!("{PREFIX}{user}"));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    let found = folder.symlink_metadata()?;
    if found.is_dir() && found.uid() == user && found.permissions().mode() & FOR_OTHERS == 0 {
        Ok(folder)
    } else {
        Err(io::Error::other(format!("{} is not this user's alone; remove it", folder.display())))
    }
}

/// Nothing is lost when it fails: it is tried again with every session.
fn remove_what_is_left(folder: &Path) {
    for root in fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_left(&root.path()) {
            let _ = remove(&root.path());
        }
    }
}

/// Whether it is a directory of ours whose session is dead.
fn is_left(root: &Path) -> bool {
    let is_ours = |metadata: fs::Metadata| metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw();
    let lock = || File::options().write(true).open(root.join(LOCK)).and_then(|lock| Ok(lock.try_lock()?));
    root.symlink_metadata().is_ok_and(is_ours) && lock().is_ok()
}

fn random_name() -> io::Result<String> {
    let mut name = [0; NAME_BYTES];
    aws_lc_rs::rand::fill(&mut name).map_err(|_| io::Error::other("no random bytes"))?;
    Ok(name.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_takes_no_place_that_is_taken() {
        let base = tempfile::tempdir().unwrap();
        let scratch = Scratch::make(base.path()).unwrap();
        let elsewhere = base.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, scratch.temporary().join("talk-1.md")).unwrap();
        fs::write(scratch.temporary().join("talk-2.md"), "theirs").unwrap();
        let path = scratch.document("talk", "ours").unwrap();
        assert_eq!(
            (path.clone(), fs::read_to_string(&path).unwrap()),
            (scratch.temporary().join("talk-3.md"), "ours".into())
        );
        assert!(!elsewhere.exists());
        scratch.remove().unwrap();
    }

    #[test]
    fn documents_go_and_what_else_is_there_stays() {
        let base = tempfile::tempdir().unwrap();
        let scratch = Scratch::make(base.path()).unwrap();
        let document = scratch.document("talk", "x").unwrap();
        let other = scratch.temporary().join("talk-x.md");
        fs::write(&other, "").unwrap();
        scratch.remove_documents("talk");
        assert!(!document.exists() && other.exists());
        scratch.remove().unwrap();
    }

    #[test]
    fn a_folder_that_others_may_enter_is_not_used() {
        let base = tempfile::tempdir().unwrap();
        let folder = users_folder(base.path()).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Scratch::make(base.path()).unwrap_err().to_string().contains("alone"));
        fs::remove_dir(&folder).unwrap();
        std::os::unix::fs::symlink(base.path(), &folder).unwrap();
        assert!(Scratch::make(base.path()).is_err());
    }

    #[test]
    fn what_a_dead_session_left_goes_and_a_living_one_keeps_its_own() {
        let base = tempfile::tempdir().unwrap();
        let (living, dead) = (Scratch::make(base.path()).unwrap(), Scratch::make(base.path()).unwrap());
        fs::write(dead.temporary().join("x"), "").unwrap();
        let other = living.folder().join("other");
        fs::create_dir(&other).unwrap();
        let left = dead.root.clone();
        drop(dead);
        let third = Scratch::make(base.path()).unwrap();
        assert!(!left.exists() && living.temporary().exists() && third.temporary().exists());
        assert!(other.exists(), "nothing says that it is ours");
        third.remove().unwrap();
        living.remove().unwrap();
    }
}
