//! Several files replaced, all or none: everything that can fail for want of space or rights is done under other names
//! first; then names are exchanged, and exchanged back when one of them cannot be.
//!
//! A kill in the middle may leave some files new and some old, and names that begin with `.scorpiox-patch-`; each file
//! by itself is whole at every moment.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

use rustix::fs::{Access, AtFlags, Mode, OFlags, accessat, fchmod, linkat, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::directory::Directory;
use super::path::RelativePath;
use super::plan::Change;
use super::rejection::Rejection;

/// Begins the names of what is being made ready and of what may have to come back.
const SCRATCH: &str = ".scorpiox-patch-";

/// The replacement of several files.
pub(super) struct Replacement<'a> {
    directory: &'a Directory,
    /// Made for files to come, outermost first.
    made: Vec<(OwnedFd, String)>,
    steps: Vec<Step<'a>>,
    scratch_names: u32,
}

/// One file of it.
struct Step<'a> {
    path: &'a RelativePath,
    parent: OwnedFd,
    existed: bool,
    /// Under which name its new bytes wait; `None` when it goes.
    ready: Option<String>,
    /// Under which name the old file is kept until all is done.
    kept: String,
}

impl<'a> Replacement<'a> {
    /// Makes everything ready. When that fails, nothing has changed.
    pub(super) fn of(directory: &'a Directory, changes: &'a [Change]) -> Result<Self, Rejection> {
        let mut replacement = Self { directory, made: Vec::new(), steps: Vec::new(), scratch_names: 0 };
        for change in changes {
            if let Err(rejection) = replacement.prepare(change) {
                replacement.clear_away();
                replacement.unmake_directories();
                return Err(rejection);
            }
        }
        Ok(replacement)
    }

    /// Exchanges the names.
    pub(super) fn perform(self) -> Result<(), Rejection> {
        let failed =
            self.steps.iter().enumerate().find_map(|(at, step)| step.exchange().err().map(|error| (at, error)));
        let Some((at, error)) = failed else {
            self.clear_away();
            return Ok(());
        };
        let back = self.steps[..=at].iter().rev();
        let left: Vec<String> = back.filter(|step| step.undo().is_err()).map(|step| step.path.to_string()).collect();
        let why = format!("cannot be replaced: {error}");
        let path = self.steps[at].path;
        if left.is_empty() {
            self.clear_away();
            self.unmake_directories();
            return Err(Rejection::file(path, why));
        }
        // What is kept under other names is all that is left of the old files.
        Err(Rejection::Left { path: path.to_string(), why, left: left.join(", ") })
    }

    fn prepare(&mut self, change: &'a Change) -> Result<(), Rejection> {
        let path = &change.path;
        let cannot = |error: io::Error| Rejection::file(path, format!("cannot be written: {error}"));
        let made = &mut self.made;
        let parent = self.directory.walk(path, |parent, name| {
            mkdirat(parent, name, Mode::RWXU | Mode::RWXG | Mode::RWXO)?;
            made.push((parent.try_clone()?, name.to_owned()));
            Ok(Some(()))
        })?;
        let parent = parent.ok_or_else(|| Rejection::file(path, "cannot be reached"))?;
        let found = self.directory.find(path)?;
        if found.as_ref().map(|found| &found.bytes) != change.before.as_ref() {
            return Err(Rejection::file(path, "was changed by somebody else meanwhile; read it again"));
        }
        // A rename would not ask. Who says what mode a file gets may also undo that it cannot be written.
        if found.is_some() && change.mode.is_none() {
            accessat(&parent, path.name(), Access::WRITE_OK, AtFlags::EACCESS).map_err(|error| cannot(error.into()))?;
        }
        let mode = match (change.mode, &change.moved_from) {
            (Some(bits), _) => Some(Mode::from_raw_mode(bits)),
            (None, Some(from)) => self.directory.find(from)?.map(|found| found.mode),
            (None, None) => found.map(|found| found.mode),
        };
        let kept = self.scratch_name();
        let step = Step { path, parent, existed: change.before.is_some(), ready: None, kept };
        // First in the list, then made: what fails half-way is cleared away too.
        self.steps.push(step);
        if let Some(bytes) = &change.after {
            let name = self.scratch_name();
            let step = self.steps.last_mut().expect("it was just pushed");
            step.ready = Some(name.clone());
            write(&step.parent, &name, bytes, mode).map_err(cannot)?;
        }
        Ok(())
    }

    fn scratch_name(&mut self) -> String {
        self.scratch_names += 1;
        format!("{SCRATCH}{}-{}", std::process::id(), self.scratch_names)
    }

    /// Removes what was ready or kept. A name that stays harms nobody.
    fn clear_away(&self) {
        for step in &self.steps {
            for name in step.ready.iter().chain([&step.kept]) {
                let _ = unlinkat(&step.parent, name.as_str(), AtFlags::empty());
            }
        }
    }

    fn unmake_directories(&self) {
        for (parent, name) in self.made.iter().rev() {
            let _ = unlinkat(parent, name.as_str(), AtFlags::REMOVEDIR);
        }
    }
}

impl Step<'_> {
    fn exchange(&self) -> io::Result<()> {
        let name = self.path.name();
        match (&self.ready, self.existed) {
            (Some(ready), true) => {
                second_name(&self.parent, name, &self.kept)?;
                renameat(&self.parent, ready.as_str(), &self.parent, name)?;
            }
            // Fails when somebody else has made one meanwhile.
            (Some(ready), false) => second_name(&self.parent, ready, name)?,
            (None, _) => renameat(&self.parent, name, &self.parent, self.kept.as_str())?,
        }
        Ok(())
    }

    /// Takes the exchange back, as far as it went.
    fn undo(&self) -> io::Result<()> {
        let name = self.path.name();
        if !self.existed {
            return self.undo_new();
        }
        match renameat(&self.parent, self.kept.as_str(), &self.parent, name) {
            // It had not come so far.
            Err(Errno::NOENT) => Ok(()),
            undone => Ok(undone?),
        }
    }

    /// Removes the new file, but not one that somebody else has made.
    fn undo_new(&self) -> io::Result<()> {
        let stat = |name: &str| rustix::fs::statat(&self.parent, name, AtFlags::SYMLINK_NOFOLLOW);
        let (Some(ready), Ok(there)) = (&self.ready, stat(self.path.name())) else { return Ok(()) };
        let is_ours = match stat(ready) {
            Ok(ready) => (ready.st_dev, ready.st_ino) == (there.st_dev, there.st_ino),
            // It was renamed, not linked.
            Err(_) => true,
        };
        if is_ours {
            unlinkat(&self.parent, self.path.name(), AtFlags::empty())?;
        }
        Ok(())
    }
}

/// Gives a file a second name, which must be free; where the file system knows no hard links, another name.
fn second_name(parent: &OwnedFd, old: &str, new: &str) -> io::Result<()> {
    match linkat(parent, old, parent, new, AtFlags::empty()) {
        Err(Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => {
            if rustix::fs::statat(parent, new, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                return Err(Errno::EXIST.into());
            }
            Ok(renameat(parent, old, parent, new)?)
        }
        linked => Ok(linked?),
    }
}

fn write(parent: &OwnedFd, name: &str, bytes: &[u8], mode: Option<Mode>) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // A new file has what the umask leaves; one that replaces another has its mode before it has its bytes.
    let new = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
    let mut file = File::from(openat(parent, name, flags, new)?);
    if let Some(mode) = mode {
        fchmod(&file, mode)?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}
