//! Rescue slots: room on the disk, made long before it is needed, for answers that may exist only once.
//!
//! A slot is taken before a refresh token is presented and holds the sealed answer until the database has it. Its file
//! keeps its size for life, so that neither a full disk nor a quota can refuse the write that matters.
//!
//! ```text
//!        8            4             n
//!  +------------+------------+-------------+- - - - - -
//!  | "SXRESCU1" |     n      |   sealed    |  leftovers      98,304 bytes in all
//!  +------------+------------+-------------+- - - - - -
//! ```
//!
//! Eight zero bytes at the start mean that the slot is free. A write that was torn does not open: the seal notices.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::fingerprint::Fingerprint;
use crate::provider::RawAnswer;
use crate::seal::Sealer;

mod encoding;
mod file;

use file::{Found, Side, SlotFile};

/// An answer with what is needed to settle it after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescued {
    /// Id of the credential.
    pub credential: String,
    /// Epoch of the claim under which the token was presented.
    pub epoch: u64,
    /// Generation before the answer.
    pub generation: u64,
    /// Fingerprint of the refresh token that was presented.
    pub fingerprint: Fingerprint,
    /// The answer as it came.
    pub answer: RawAnswer,
}

/// The answer is in memory only.
#[derive(Debug, thiserror::Error)]
pub enum RescueError {
    /// No directory took it: each with its reason. The slot may be asked again.
    #[error("the answer could not be written to a rescue slot: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Refused(Vec<io::Error>),
    /// It is larger than a slot. Cannot happen to an answer of at most 64 KiB.
    #[error("the answer is larger than a rescue slot")]
    TooLarge,
}

/// Which directory took an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The first, as usual.
    InFirst,
    /// The second, because the first failed: somebody should look at it.
    InSecond,
}

/// A slot whose content could not be read. Its file was left as it is and is not used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedSlot {
    /// The file.
    pub path: PathBuf,
    /// For people.
    pub reason: String,
}

/// All rescue slots of a broker. Cheap to clone.
#[derive(Clone)]
pub struct RescueSlots(Arc<Shared>);

struct Shared {
    sealer: Sealer,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    first: Pool,
    second: Pool,
    /// What stood in the slots when they were opened, until [`RescueSlots::kept`] takes it.
    kept: Vec<(SlotFile, Rescued)>,
    damaged: Vec<DamagedSlot>,
}

/// The files of one directory.
#[derive(Default)]
struct Pool {
    capacity: usize,
    free: VecDeque<SlotFile>,
}

/// What the slots of a directory hold, each as the bytes of its file, for a copy. Nothing is changed, and what is being
/// written at this moment is left out.
pub fn survey(directory: &Path, sealer: &Sealer) -> io::Result<Vec<(Vec<u8>, Rescued)>> {
    let mut held = Vec::new();
    for number in file::numbers_in(directory)? {
        if let Found::Kept(rescued) = SlotFile::open(Side::First, directory, number)?.read(sealer)?
            && let Ok(mut bytes) = file::content(sealer, &rescued)
        {
            bytes.resize(file::SIZE, 0);
            held.push((bytes, *rescued));
        }
    }
    Ok(held)
}

impl RescueSlots {
    /// Opens the slots in `directory`, and in `second` if there is one, and makes those that are missing, until `count` in
    /// each can be used. Both directories must exist.
    ///
    /// `second` takes an answer when writing to the first fails; best on another disk.
    pub fn open(directory: &Path, second: Option<&Path>, count: usize, sealer: Sealer) -> io::Result<Self> {
        let mut state = State::default();
        state.fill(Side::First, directory, count, &sealer)?;
        if let Some(directory) = second {
            state.fill(Side::Second, directory, count, &sealer)?;
        }
        Ok(Self(Arc::new(Shared { sealer, state: Mutex::new(state) })))
    }

    /// Takes a slot; `None` when all are in use or the disk takes no write.
    ///
    /// Writes and syncs an empty header, so that a slot in the hand is one that could be written a moment ago.
    pub fn take(&self) -> Option<Slot> {
        for _ in 0..self.free() {
            let file = self.0.state().first.free.pop_front()?;
            if file.clear().is_ok() {
                return Some(Slot { shared: Arc::clone(&self.0), files: vec![file], written: false });
            }
            // Back to the end of the queue: disks recover.
            self.0.give_back(file);
        }
        None
    }

    /// Overwrites what free slots held last. One after the other: whoever wants one meanwhile finds the rest.
    pub fn scrub(&self) -> io::Result<()> {
        for side in [Side::First, Side::Second] {
            let free = self.0.state().pool(side).free.len();
            for _ in 0..free {
                let Some(file) = self.0.state().pool(side).free.pop_front() else { break };
                let scrubbed = file.write(&[0; file::SIZE]);
                self.0.give_back(file);
                scrubbed?;
            }
        }
        Ok(())
    }

    /// What the slots held when they were opened, each with its slot: settle it, then clear the slot. A second call
    /// finds nothing.
    pub fn kept(&self) -> Vec<(Slot, Rescued)> {
        let kept = std::mem::take(&mut self.0.state().kept);
        let slot = |file| Slot { shared: Arc::clone(&self.0), files: vec![file], written: true };
        kept.into_iter().map(|(file, rescued)| (slot(file), rescued)).collect()
    }

    /// Slots that held something unreadable when they were opened.
    pub fn damaged(&self) -> Vec<DamagedSlot> {
        self.0.state().damaged.clone()
    }

    /// How many slots nobody holds.
    pub fn free(&self) -> usize {
        self.0.state().first.free.len()
    }

    /// How many slots there are.
    pub fn capacity(&self) -> usize {
        self.0.state().first.capacity
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is one step, so a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, file: SlotFile) {
        self.state().pool(file.side()).free.push_back(file);
    }
}

impl State {
    fn pool(&mut self, side: Side) -> &mut Pool {
        match side {
            Side::First => &mut self.first,
            Side::Second => &mut self.second,
        }
    }

    fn fill(&mut self, side: Side, directory: &Path, count: usize, sealer: &Sealer) -> io::Result<()> {
        // All that are there, also beyond `count`: one of them may hold the only copy of a token.
        let numbers = file::numbers_in(directory)?;
        for number in &numbers {
            self.admit(SlotFile::open(side, directory, *number)?, count, sealer)?;
        }
        // A damaged file does not count, or a few stops at the wrong moment would leave no slot for anybody.
        for number in (0..).filter(|number| !numbers.contains(number)) {
            if self.pool(side).capacity >= count {
                break;
            }
            self.admit(SlotFile::create(side, directory, number)?, count, sealer)?;
        }
        Ok(())
    }

    fn admit(&mut self, file: SlotFile, count: usize, sealer: &Sealer) -> io::Result<()> {
        let found = file.read(sealer)?;
        let pool = self.pool(file.side());
        match found {
            Found::Free if pool.capacity >= count => {}
            Found::Free => {
                pool.capacity += 1;
                pool.free.push_back(file);
            }
            Found::Kept(rescued) => {
                pool.capacity += 1;
                self.kept.push((file, *rescued));
            }
            Found::Damaged(reason) => self.damaged.push(DamagedSlot { path: file.path().to_owned(), reason }),
        }
        Ok(())
    }
}

/// A slot in the hand of one rotation.
///
/// Dropped before anything was written to it, it is free again. Dropped afterwards, it stays occupied: its content is
/// found by the next start.
pub struct Slot {
    shared: Arc<Shared>,
    files: Vec<SlotFile>,
    written: bool,
}

impl Slot {
    /// Seals the answer and writes it, synced, into the space that is already there. When the first directory
    /// fails, the second is tried. May be called again after an error.
    pub fn keep(&mut self, rescued: &Rescued) -> Result<Kept, RescueError> {
        let content = file::content(&self.shared.sealer, rescued)?;
        self.written = true;
        let mut refusals = Vec::new();
        for file in &self.files {
            match file.write(&content) {
                Ok(()) => return Ok(file.side().into()),
                Err(error) => refusals.push(error),
            }
        }
        let spare = self.shared.state().second.free.pop_front();
        if let Some(file) = spare {
            let outcome = file.write(&content);
            let kept = Kept::from(file.side());
            // In the slot also when it failed: part of the content may be in it, and clearing takes that away.
            self.files.push(file);
            match outcome {
                Ok(()) => return Ok(kept),
                Err(error) => refusals.push(error),
            }
        }
        Err(RescueError::Refused(refusals))
    }

    /// Empties the slot, synced, and frees it. On an error it is free too: what may still stand in it is settled, a
    /// replay changes nothing, and [`RescueSlots::take`] hands it out only once the disk takes writes again.
    pub fn clear(mut self) -> io::Result<()> {
        let mut outcome = Ok(());
        for file in self.files.drain(..) {
            let cleared = file.clear();
            self.shared.give_back(file);
            outcome = outcome.and(cleared);
        }
        outcome
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.written {
            for file in self.files.drain(..) {
                self.shared.give_back(file);
            }
        }
    }
}

impl From<Side> for Kept {
    fn from(side: Side) -> Self {
        match side {
            Side::First => Self::InFirst,
            Side::Second => Self::InSecond,
        }
    }
}

#[cfg(test)]
mod tests;
