//! A change of the master key while the broker serves.
//!
//! ```text
//! ring: both keys ─▶ database: the new key ─▶ cells, batch by batch ─▶ nothing is left ─▶ the key's file ─▶ ring: the new key
//! ```
//!
//! From the first step on everything new is sealed under the new key. A stop between any two steps is gone on with by the
//! next start, with whichever of the two keys its source gives: until the last step each opens the ring. The old key
//! leaves its file only when nothing is sealed under it any more.

use std::io;
use std::sync::Arc;

use tracing::warn;

use crate::activity::Activity;
use crate::failpoint::{Failpoints, Point};
use crate::key_file::KeyFileError;
use crate::key_ring::Change;
use crate::key_source::KeySourceError;
use crate::rescue::RescueSlots;
use crate::seal::MasterKey;
use crate::store::sealed_cells::SEALED;
use crate::store::{Store, StoreError};
use crate::vault::Vault;

/// What a change works on.
pub struct Rekey<'a> {
    /// The database.
    pub store: &'a Store,
    /// The keys.
    pub vault: &'a Arc<Vault>,
    /// Freed slots hold what was in them last.
    pub slots: &'a RescueSlots,
    /// Runs what blocks.
    pub activity: &'a Activity,
    /// Where tests interfere.
    pub failpoints: &'a Failpoints,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Cells that were sealed anew.
    pub cells: u64,
    /// Cells that do not open: left as they are.
    pub damaged: u64,
    /// Whether the key's source gives the new key.
    pub standing: Standing,
}

/// Whether a change is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is: the old key opens nothing.
    Done,
    /// The source is not ours to write: a person gives it the new key, and the next start ends the change.
    WaitsForSource,
}

/// Why a change does not go on. What was done stays; the next attempt goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum RekeyError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the data directory.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The key's file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key's file was written and does not give the key.
    #[error(transparent)]
    Source(#[from] KeySourceError),
}

impl Rekey<'_> {
    /// Begins a change to `next`: from now on everything is sealed under it.
    pub async fn begin(&self, next: MasterKey) -> Result<(), RekeyError> {
        self.vault.adopt(self.vault.ring().changing_to(next))?;
        // From now on the database is of no use without the ring, and a start without it must not pass for a good one.
        self.store.note_key().await?;
        self.failpoints.reach(Point::RekeyBegun).await;
        Ok(())
    }

    /// Goes on with a change that has begun. Without one, it moves cells that were late for the last.
    pub async fn go_on(&self) -> Result<Moved, RekeyError> {
        let (mut cells, mut damaged);
        let mut all = 0;
        loop {
            (cells, damaged) = self.pass().await?;
            all += cells;
            // Somebody may have begun to seal before the change and written after its batch.
            if cells == 0 {
                break;
            }
        }
        self.store.note_key().await?;
        let slots = self.slots.clone();
        self.activity.blocking(move || slots.scrub()).await?;
        let was_under_way = all > 0 || self.vault.ring().change() != Change::Settled;
        if was_under_way && let Err(error) = self.store.empty_log().await {
            // The next stop empties it.
            warn!(%error, "what was sealed under the old key is still in the database's log");
        }
        self.failpoints.reach(Point::RekeyMoved).await;
        Ok(Moved { cells: all, damaged, standing: self.finish().await? })
    }

    /// Once over all sealed cells.
    async fn pass(&self) -> Result<(u64, u64), RekeyError> {
        let (mut moved, mut damaged) = (0, 0);
        for column in SEALED {
            let mut after = String::new();
            loop {
                let batch = self.store.reseal(column, &after).await?;
                (moved, damaged) = (moved + batch.moved, damaged + batch.damaged);
                let Some(next) = batch.next else { break };
                after = next;
                self.failpoints.reach(Point::RekeyBatch).await;
            }
        }
        Ok((moved, damaged))
    }

    /// Nothing is left under the old key: it goes.
    async fn finish(&self) -> Result<Standing, RekeyError> {
        let ring = self.vault.ring();
        if ring.change() == Change::Settled {
            // A stop may have come right before this.
            self.vault.name_current_key()?;
            return Ok(Standing::Done);
        }
        if self.vault.given() != ring.current().key_id() {
            let vault = Arc::clone(self.vault);
            if !self.activity.blocking(move || put_key(&vault)).await? {
                return Ok(Standing::WaitsForSource);
            }
            self.failpoints.reach(Point::RekeyKeyWritten).await;
        }
        self.vault.adopt(ring.settled())?;
        self.failpoints.reach(Point::RekeySettled).await;
        self.vault.name_current_key()?;
        Ok(Standing::Done)
    }
}

/// Gives the key's source the new key; `false` when that is not ours to write. A passphrase is stretched twice for it.
fn put_key(vault: &Vault) -> Result<bool, RekeyError> {
    let (source, ring) = (&vault.places().source, vault.ring());
    if !source.put(ring.current(), vault.passphrase())? {
        return Ok(false);
    }
    // Read back: the ring is about to forget the way from the old key.
    if source.load(vault.passphrase())?.key_id() != ring.current().key_id() {
        return Err(io::Error::other(format!("{} does not give the key that was put there", source.place())).into());
    }
    Ok(true)
}
