//! Steps of the state machine, made durable one at a time, and what memory does while the disk does not take them.

use std::sync::Arc;

use tracing::{error, warn};

use super::Rotator;
use crate::domain::rotation::Rotation;
use crate::fence::position;
use crate::holding::{Failure, Holding};
use crate::store::{StoreError, Swap};

impl Rotator {
    /// One durable step, queued behind other writers of this credential.
    pub(super) async fn advance(
        &self,
        holding: &Arc<Holding>,
        step: impl Fn(&Rotation) -> Option<Rotation>,
    ) -> Result<Rotation, Failure> {
        let _writing = holding.writing.lock().await;
        let before = holding.desk().credential.rotation.clone();
        let after = step(&before).ok_or(Failure::Superseded)?;
        match self.parts.store.advance(holding.id(), &before, &after).await {
            Ok(Swap::Done) => {}
            Ok(Swap::Superseded) => {
                holding.desk().unsure = true;
                return Err(Failure::Superseded);
            }
            Err(error) => {
                holding.desk().unsure = true;
                return Err(Failure::Storage(error.to_string()));
            }
        }
        if !take_step(holding, &before, &after) {
            return Err(Failure::Superseded);
        }
        self.mark_verdict(holding, &after).await;
        Ok(after)
    }

    /// Back to where it rested. If that cannot be written, memory knows better than the disk until it can.
    pub(super) async fn put_back(&self, holding: &Arc<Holding>) {
        if let Err(failure) = self.advance(holding, |rotation| rotation.disarm().ok()).await {
            self.assume(holding, |rotation| rotation.disarm().ok());
            warn!(credential = %holding.id(), %failure, "the database does not know yet that nothing was sent");
        }
    }

    /// Nobody knows whether the token was redeemed: serve on, tell a person, probe later.
    pub(super) async fn doubt(&self, holding: &Arc<Holding>, why: &str) -> Failure {
        let (now, quiet) = (self.parts.timeline.now(), self.parts.policy.quiet_time);
        if self.advance(holding, |rotation| rotation.lost(why, now, quiet).ok()).await.is_err() {
            // On disk it stays Sent, which a restart reads as the same doubt.
            self.assume(holding, |rotation| rotation.lost(why, now, quiet).ok());
        }
        error!(credential = %holding.id(), why, "IN DOUBT: a refresh token was presented and its answer is unknown");
        Failure::InDoubt(why.to_owned())
    }

    /// The step in memory only; the disk is corrected before the next rotation. False when there was none to take.
    pub(super) fn assume(&self, holding: &Arc<Holding>, step: impl Fn(&Rotation) -> Option<Rotation>) -> bool {
        let mut desk = holding.desk();
        let after = step(&desk.credential.rotation);
        let is_taken = after.is_some();
        if let Some(after) = after {
            desk.credential.rotation = after;
        }
        desk.unsure = true;
        drop(desk);
        holding.publish();
        is_taken
    }

    /// When the outcome of an earlier write is unknown: reads what is on disk and writes what memory knows.
    pub(super) async fn make_sure(&self, holding: &Arc<Holding>) -> Result<(), Failure> {
        if !holding.desk().unsure {
            return Ok(());
        }
        let _writing = holding.writing.lock().await;
        let storage = |error: StoreError| Failure::Storage(error.to_string());
        let stored = self.parts.store.rotation(holding.id()).await.map_err(storage)?.ok_or(Failure::Superseded)?;
        let known = holding.desk().credential.rotation.clone();
        if stored.generation != known.generation {
            // A token set is still being saved, or somebody changed the database behind our back.
            return Err(Failure::Storage("the database has another generation".to_owned()));
        }
        let sure = Rotation { epoch: known.epoch.max(stored.epoch), ..known.clone() };
        match self.parts.store.advance(holding.id(), &stored, &sure).await.map_err(storage)? {
            Swap::Superseded => return Err(Failure::Superseded),
            Swap::Done => {
                let mut desk = holding.desk();
                if desk.credential.rotation != known {
                    return Err(Failure::Superseded);
                }
                desk.credential.rotation = sure.clone();
                desk.unsure = false;
            }
        }
        self.mark_verdict(holding, &sure).await;
        Ok(())
    }

    /// A verdict is in the mark too, so that a database that loses it is seen to be behind and asks nobody again.
    async fn mark_verdict(&self, holding: &Arc<Holding>, rotation: &Rotation) {
        if rotation.is_spent()
            && let Err(error) = self.parts.fence.raise(holding.id(), position(rotation)).await
        {
            error!(credential = %holding.id(), %error, "the high-water mark could not be raised");
        }
    }
}

/// Memory follows the disk, unless it has learned something else meanwhile: then the disk is corrected later.
fn take_step(holding: &Holding, before: &Rotation, after: &Rotation) -> bool {
    let mut desk = holding.desk();
    let unchanged = desk.credential.rotation == *before;
    if unchanged {
        desk.credential.rotation = after.clone();
    } else {
        desk.unsure = true;
    }
    drop(desk);
    holding.publish();
    unchanged
}
