//! A start: rows, slots and the mark are brought together before anything is served or renewed.
//!
//! * `aftermath`: what the audit hears of it, once that can be written.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::{error, info, warn};

use crate::clock::Timestamp;
use crate::domain::answer::Verdict;
use crate::domain::credential::{Credential, CredentialId};
use crate::domain::permission::Policy;
use crate::domain::recovery::{KeptAnswer, Replay, replay, restarted, was_ever_armed};
use crate::domain::rotation::{Resting, Rotation, State};
use crate::fence::{Fence, position};
use crate::holding::{Holding, Holdings};
use crate::provider::Provider;
use crate::rescue::{RescueSlots, Rescued};
use crate::seal::Sealer;
use crate::store::credentials::Found;
use crate::store::{Store, StoreError, Swap};

mod aftermath;

use aftermath::Aftermath;

/// What a start works with.
pub struct Recovery<'a> {
    /// The database.
    pub store: &'a Store,
    /// Reads meaning into the answers that slots kept.
    pub provider: &'a dyn Provider,
    /// The slots.
    pub slots: &'a RescueSlots,
    /// Names refresh tokens.
    pub sealer: &'a Sealer,
    /// Times.
    pub policy: &'a Policy,
    /// Now.
    pub now: Timestamp,
}

/// What a start found.
pub struct Recovered {
    /// All credentials, ready to be served.
    pub holdings: Holdings,
    /// The high-water mark, or its fence.
    pub fence: Fence,
    /// What was done, for the audit.
    pub aftermath: Aftermath,
}

impl Recovery<'_> {
    /// Replays the slots, compares with the mark, doubts what was sent. `open_fence` reads the mark once it is known
    /// whether any credential was ever armed (its argument is true when none was).
    pub async fn run(&self, open_fence: impl FnOnce(bool) -> std::io::Result<Fence>) -> anyhow::Result<Recovered> {
        let mut credentials: BTreeMap<CredentialId, Credential> = BTreeMap::new();
        for Found { credential, damage } in self.store.credentials().await? {
            if let Some(damage) = damage {
                error!(credential = %credential.name, damage, "QUARANTINE: a sealed cell does not open");
            }
            credentials.insert(credential.id.clone(), credential);
        }
        let is_new = !credentials.values().any(was_ever_armed);
        for damaged in self.slots.damaged() {
            error!(path = %damaged.path.display(), reason = damaged.reason, "a rescue slot cannot be read; it is left alone");
        }
        let mut kept = self.slots.kept();
        kept.sort_by_key(|(_, rescued)| rescued.epoch);
        let mut replayed = Vec::new();
        let mut aftermath = Aftermath::default();
        for (slot, rescued) in kept {
            self.replay(&mut credentials, rescued, &mut aftermath).await?;
            replayed.push(slot);
        }
        let fence = open_fence(is_new)?;
        let mut holdings = Vec::new();
        for row in credentials.into_values() {
            let credential = self.settle_standing(&fence, row, &mut aftermath).await?;
            holdings.push(Arc::new(Holding::new(credential)));
        }
        // Only now: a database that loses what was replayed is behind its mark.
        for slot in replayed {
            // A start is the only place that may block: nothing is served yet.
            slot.clear()?;
        }
        Ok(Recovered { holdings: Holdings::new(holdings), fence, aftermath })
    }

    /// Brings one answer into the database. Once more changes nothing, so a start that is killed begins again.
    async fn replay(
        &self,
        credentials: &mut BTreeMap<CredentialId, Credential>,
        rescued: Rescued,
        aftermath: &mut Aftermath,
    ) -> Result<(), anyhow::Error> {
        let id = CredentialId::from_stored(rescued.credential.clone());
        let outcome = match credentials.get(&id) {
            Some(credential) => {
                let kept = self.read(&rescued);
                match replay(credential, &kept, self.policy.quiet_time) {
                    Replay::Keep("late", None) if self.was_settled(&id, &kept).await? => Replay::Done,
                    outcome => outcome,
                }
            }
            None => Replay::Keep("the credential was removed", None),
        };
        match outcome {
            Replay::Done => {}
            Replay::Settle(next) => {
                let before = credentials.get(&id).map_or(0, |credential| credential.rotation.generation);
                self.commit(&next, before, &credentials[&id].rotation).await?;
                info!(credential = %next.name, generation = next.rotation.generation, "an answer from before the stop was settled");
                aftermath.settled(&next, before);
                credentials.insert(id, *next);
            }
            Replay::Keep(reason, aside) => {
                let rotation = Rotation::begun(rescued.generation, rescued.epoch);
                self.store.keep_answer(&id, &rotation, reason, &rescued.answer.body, self.now).await?;
                warn!(credential = %id, reason, "an answer from before the stop is kept sealed and not published");
                let name = credentials.get(&id).map_or(id.as_str(), |credential| credential.name.as_str());
                aftermath.kept(name, &rotation, reason, aside.is_some());
                if let Some(aside) = aside {
                    let before = credentials[&id].rotation.clone();
                    swap(self.store.advance(&id, &before, &aside.rotation).await)?;
                    credentials.insert(id, *aside);
                }
            }
        }
        Ok(())
    }

    /// True when the refresh token that came with it was this credential's own already: the answer was settled by a
    /// start that was killed before it cleared the slot, and others followed.
    async fn was_settled(&self, id: &CredentialId, kept: &KeptAnswer) -> Result<bool, StoreError> {
        let Some(brought) = kept.brought.filter(|brought| *brought != kept.presented) else { return Ok(false) };
        Ok(self.store.seen(brought).await?.is_some_and(|seen| seen.credential == *id))
    }

    async fn commit(&self, next: &Credential, before: u64, rotation: &Rotation) -> anyhow::Result<()> {
        if next.rotation.generation == before {
            return swap(self.store.advance(&next.id, rotation, &next.rotation).await);
        }
        swap(self.store.settle(next, before, self.now).await)
    }

    fn read(&self, rescued: &Rescued) -> KeptAnswer {
        let verdict = self.provider.classify(&rescued.answer);
        let brought = match &verdict {
            Verdict::Granted(grant) => grant.refresh_token.as_ref().map(|token| self.sealer.fingerprint(token)),
            Verdict::Ended(_) | Verdict::NotConsumed { .. } | Verdict::Refused { .. } | Verdict::Unknown { .. } => None,
        };
        KeptAnswer {
            epoch: rescued.epoch,
            generation: rescued.generation,
            presented: rescued.fingerprint,
            verdict,
            brought,
            received_at: rescued.answer.received_at,
        }
    }

    /// Compares with the mark, doubts what was sent, and raises a mark that is behind.
    async fn settle_standing(
        &self,
        fence: &Fence,
        row: Credential,
        aftermath: &mut Aftermath,
    ) -> anyhow::Result<Credential> {
        let credential = restarted(&row, fence.mark(&row.id), self.now, self.policy.quiet_time);
        if credential.rotation != row.rotation {
            swap(self.store.advance(&row.id, &row.rotation, &credential.rotation).await)?;
            announce(&credential);
            aftermath.stands(&credential);
        }
        if fence.reason().is_none() && was_ever_armed(&credential) {
            fence.raise(&credential.id, position(&credential.rotation)).await?;
        }
        Ok(credential)
    }
}

fn announce(credential: &Credential) {
    match &credential.rotation.state {
        State::Quarantine(cause) => error!(credential = %credential.name, ?cause, "QUARANTINE"),
        State::Resting(Resting::InDoubt(doubt)) => {
            error!(credential = %credential.name, why = doubt.why, "IN DOUBT: a refresh token was presented and its answer is unknown");
        }
        State::Resting(Resting::Idle(_)) | State::Claimed(_) | State::Sent(_) | State::Reauth(_) => {}
    }
}

/// At a start nobody else writes, so a row that has moved on is an error.
fn swap(result: Result<Swap, StoreError>) -> anyhow::Result<()> {
    match result? {
        Swap::Done => Ok(()),
        Swap::Superseded => anyhow::bail!("a row changed while the broker was starting"),
    }
}

#[cfg(test)]
mod tests;
