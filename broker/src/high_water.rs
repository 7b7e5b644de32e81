//! The high-water mark: how far every credential had come, kept apart from the database.
//!
//! A database that was restored from an older copy, or lost the end of its log, looks whole. Only something outside of
//! it can tell that a refresh token in it has been redeemed already. So this file lies better on another volume.
//!
//! ```text
//! scorpiox-mark 1
//! instance 0123456789abcdef               whose mark it is: the same id stands in the database
//! key 3d9688cf68cb76bc                    id of the master key behind the MAC
//! counter 42                              how often it was written
//! audit 120 64 hexadecimal digits         the newest entry of the audit when this was written; absent before the first
//! credential 4k2j9x0c7m1d 3 7             id, epoch, generation; sorted by id
//! removed 7s0q4hd2m9xa 12 11              the same of credentials that were removed
//! mac 64 hexadecimal digits               over everything above
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use crate::audit_chain::Link;
use crate::durable_file;
use crate::seal::Sealer;

mod text;

use text::ReadError;

/// How far a credential has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Position {
    /// Counts claims.
    pub epoch: u64,
    /// Counts token sets.
    pub generation: u64,
}

impl Position {
    /// The higher of both in each.
    pub fn raised_to(self, other: Self) -> Self {
        Self { epoch: self.epoch.max(other.epoch), generation: self.generation.max(other.generation) }
    }

    /// Whether any of its numbers is lower than the other's.
    pub fn is_behind(self, other: Self) -> bool {
        self.raised_to(other) != self
    }
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    counter: u64,
    audit: Link,
    positions: BTreeMap<String, Position>,
    /// Of credentials that were removed: an old copy of the database brings them back.
    removed: BTreeMap<String, Position>,
}

/// What came of reading a mark.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "made once at a start")]
pub enum Reading {
    /// There is no file.
    Missing,
    /// It is damaged, changed by somebody without the master key, or cannot be read; for people.
    Unreadable(String),
    /// It is whole as far as can be told, and belongs to another broker.
    Foreign,
    /// It is ours.
    Good(HighWater),
}

/// The mark of this broker, as durable as its last answer said.
#[derive(Debug)]
pub struct HighWater {
    path: PathBuf,
    instance: String,
    sealer: Sealer,
    /// What the file holds for certain.
    mark: RwLock<Mark>,
    /// The newest entry of the audit, to be written along with the next change.
    audit: Mutex<Link>,
    waiting: Mutex<Vec<Wish>>,
    writer: Mutex<()>,
}

/// A change that somebody waits for.
#[derive(Debug)]
struct Wish {
    credential: String,
    change: Change,
    outcome: Arc<OnceLock<Outcome>>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Raise(Position),
    Forget,
    KeepAudit(Link),
}

/// An [`io::Error`] that several can have.
type Outcome = Result<(), Arc<io::Error>>;

impl HighWater {
    /// Writes the first mark of a new broker. [`io::ErrorKind::AlreadyExists`] when a file is there: it is left as it is.
    pub fn create(path: &Path, instance: &str, sealer: Sealer) -> io::Result<Self> {
        let mark = Mark { counter: 1, audit: Link::START, positions: BTreeMap::new(), removed: BTreeMap::new() };
        durable_file::create_new(path, text::write(&mark, instance, &sealer).as_bytes())?;
        Ok(Self::of(path, instance, sealer, mark))
    }

    /// Starts the mark anew at these positions, in place of whatever the file holds: a person said that the database
    /// is to be believed. It remembers no entry of the audit until it is told one.
    pub fn anew(
        path: &Path,
        instance: &str,
        sealer: Sealer,
        positions: BTreeMap<String, Position>,
    ) -> io::Result<Self> {
        positions.keys().try_for_each(|id| check_id(id))?;
        let mark = Mark { counter: 1, audit: Link::START, positions, removed: BTreeMap::new() };
        durable_file::replace(path, text::write(&mark, instance, &sealer).as_bytes())?;
        Ok(Self::of(path, instance, sealer, mark))
    }

    /// Reads the mark. Writes nothing, except that it removes what an interrupted write of a good mark left behind.
    pub fn read(path: &Path, instance: &str, sealer: Sealer) -> Reading {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Reading::Missing,
            Err(error) => return Reading::Unreadable(durable_file::about(path, error).to_string()),
        };
        match text::read(&bytes, instance, &sealer) {
            Err(ReadError::Foreign) => Reading::Foreign,
            Err(ReadError::Unreadable(why)) => Reading::Unreadable(format!("{}: {why}", path.display())),
            Ok(mark) => match durable_file::remove_stray(path) {
                Err(error) => Reading::Unreadable(error.to_string()),
                Ok(()) => Reading::Good(Self::of(path, instance, sealer, mark)),
            },
        }
    }

    fn of(path: &Path, instance: &str, sealer: Sealer, mark: Mark) -> Self {
        Self {
            path: path.to_owned(),
            instance: instance.to_owned(),
            sealer,
            audit: Mutex::new(mark.audit),
            mark: RwLock::new(mark),
            waiting: Mutex::default(),
            writer: Mutex::default(),
        }
    }

    /// Raises a credential's mark; never lowers it. On return it is on the disk; after an error it counts as not raised.
    ///
    /// Blocks for a few synced writes. Those that ask meanwhile share the next write.
    pub fn raise(&self, credential: &str, position: Position) -> io::Result<()> {
        check_id(credential)?;
        self.change(credential, Change::Raise(position))
    }

    /// Forgets a credential that was removed.
    pub fn forget(&self, credential: &str) -> io::Result<()> {
        self.change(credential, Change::Forget)
    }

    /// Takes note of the newest entry of the audit. Free: it is written along with the next change, or by
    /// [`Self::keep_audit`].
    pub fn note_audit(&self, newest: Link) {
        let mut noted = lock(&self.audit);
        if newest.seq > noted.seq {
            *noted = newest;
        }
    }

    /// Writes down the entry that was noted last: for a clean stop, and now and then.
    pub fn keep_audit(&self) -> io::Result<()> {
        let noted = *lock(&self.audit);
        self.change("", Change::KeepAudit(noted))
    }

    /// Forgets where the audit ended: a person believes a database whose audit ends earlier.
    pub fn forget_audit(&self) -> io::Result<()> {
        *lock(&self.audit) = Link::START;
        self.change("", Change::KeepAudit(Link::START))
    }

    /// The newest entry of the audit that the file remembers; [`Link::START`] when there was none. An audit that ends
    /// before it has been cut off.
    pub fn audit(&self) -> Link {
        self.mark.read().unwrap_or_else(PoisonError::into_inner).audit
    }

    /// How far a credential had come, also one that was removed; `None` for one that was never armed.
    pub fn position(&self, credential: &str) -> Option<Position> {
        let mark = self.mark.read().unwrap_or_else(PoisonError::into_inner);
        mark.positions.get(credential).or_else(|| mark.removed.get(credential)).copied()
    }

    /// Whether this credential was removed after it had been armed.
    pub fn was_removed(&self, credential: &str) -> bool {
        self.mark.read().unwrap_or_else(PoisonError::into_inner).removed.contains_key(credential)
    }

    /// All of them, sorted by id.
    pub fn entries(&self) -> Vec<(String, Position)> {
        self.current().positions.into_iter().collect()
    }

    /// How often the file was written.
    pub fn counter(&self) -> u64 {
        self.mark.read().unwrap_or_else(PoisonError::into_inner).counter
    }

    fn current(&self) -> Mark {
        self.mark.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, credential: &str, change: Change) -> io::Result<()> {
        let outcome = Arc::new(OnceLock::new());
        lock(&self.waiting).push(Wish { credential: credential.to_owned(), change, outcome: Arc::clone(&outcome) });
        let writer = lock(&self.writer);
        // Whoever held the pen before may have written this one too.
        if outcome.get().is_none() {
            self.write_all_that_wait();
        }
        drop(writer);
        let outcome = outcome.get().cloned().unwrap_or_else(|| Err(Arc::new(io::Error::other("the writer panicked"))));
        outcome.map_err(|error| io::Error::new(error.kind(), error))
    }

    fn write_all_that_wait(&self) {
        let wishes = std::mem::take(&mut *lock(&self.waiting));
        let before = self.current();
        let mut next = before.clone();
        for wish in &wishes {
            next.apply(&wish.credential, wish.change);
        }
        let outcome = if next == before { Ok(()) } else { self.write(next) };
        for wish in wishes {
            let answered = wish.outcome.set(outcome.clone());
            debug_assert!(answered.is_ok(), "a wish is taken once");
        }
    }

    fn write(&self, mut next: Mark) -> Outcome {
        next.counter += 1;
        next.audit = *lock(&self.audit);
        let text = text::write(&next, &self.instance, &self.sealer);
        durable_file::replace(&self.path, text.as_bytes())?;
        *self.mark.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}

impl Mark {
    fn apply(&mut self, credential: &str, change: Change) {
        match change {
            Change::Raise(position) => {
                let before = self.removed.remove(credential).unwrap_or_default();
                let entry = self.positions.entry(credential.to_owned()).or_insert(before);
                *entry = entry.raised_to(position);
            }
            Change::Forget => {
                if let Some(reached) = self.positions.remove(credential) {
                    self.removed.insert(credential.to_owned(), reached);
                }
            }
            Change::KeepAudit(newest) => self.audit = newest,
        }
    }
}

/// The file is text, so an id must not look like anything else in it.
fn check_id(credential: &str) -> io::Result<()> {
    if !credential.is_empty() && credential.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "a credential's id is visible ASCII without spaces"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
