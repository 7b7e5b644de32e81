//! From an answer to the next generation: rescue, settle, mark, publish, clear.
//!
//! An answer that was obtained is never thrown away: while the database does not take it, memory serves it, the slot
//! keeps it, nothing new begins, and `saving` tries again.

use std::sync::Arc;

use tracing::{error, info, warn};

use super::Rotator;
use super::attempt::{Armed, Attempt};
use super::flight::log_failure;
use super::saving::{MemoryOnly, Saving};
use crate::domain::answer::{TokenGrant, Verdict};
use crate::domain::credential::{Credential, Granted};
use crate::domain::rotation::{Quarantine, Rotation, State};
use crate::failpoint::Point;
use crate::fence::position;
use crate::holding::{Failure, Holding, Outcome};
use crate::provider::RawAnswer;
use crate::rescue::Kept;
use crate::store::Swap;

impl Rotator {
    /// Seals the answer into the slot, before anybody has read meaning into it.
    pub(super) async fn rescue(&self, holding: &Arc<Holding>, attempt: &Attempt) {
        let (Some(rescued), Some(mut slot)) = (attempt.rescued(), attempt.take_slot()) else { return };
        let (slot, kept) = self
            .parts
            .activity
            .blocking(move || {
                let kept = slot.keep(&rescued);
                (slot, kept)
            })
            .await;
        match kept {
            Ok(Kept::InFirst) => attempt.note_in_slot(),
            Ok(kept @ Kept::InSecond) => {
                attempt.note_in_slot();
                warn!(credential = %holding.id(), ?kept, "the first rescue directory failed, the second has the answer");
            }
            Err(error) => error!(credential = %holding.id(), %error, "no rescue slot took the answer"),
        }
        attempt.return_slot(slot);
    }

    /// What the answer means, made durable.
    pub(super) async fn conclude(&self, holding: &Arc<Holding>, attempt: &Attempt) -> Outcome {
        let (Some(answer), Some(armed)) = (attempt.answer(), attempt.presented()) else {
            return Outcome::Failed(Failure::Panicked);
        };
        let _in_memory = (!attempt.in_slot()).then(|| MemoryOnly::begin(&self.memory_only));
        self.apply(holding, attempt, &armed, &answer).await
    }

    async fn apply(&self, holding: &Arc<Holding>, attempt: &Attempt, armed: &Armed, answer: &RawAnswer) -> Outcome {
        let (now, quiet) = (self.parts.timeline.now(), self.parts.policy.quiet_time);
        let print = armed.fingerprint;
        let failure = match self.parts.provider.classify(answer) {
            Verdict::Granted(grant) => return self.accept(holding, attempt, armed, answer, &grant).await,
            Verdict::Ended(ending) => {
                self.record(holding, attempt, Failure::Ended, |rotation| rotation.ended(ending, print, None).ok()).await
            }
            Verdict::NotConsumed { retry_after, why } => {
                attempt.wait_for(retry_after);
                let step = |rotation: &Rotation| rotation.not_consumed(now, quiet).ok();
                self.record(holding, attempt, Failure::NotConsumed(why), step).await
            }
            Verdict::Refused { why } => {
                let step = |rotation: &Rotation| rotation.refused(print, &why, now).ok();
                self.record(holding, attempt, Failure::NotConsumed(why.clone()), step).await
            }
            Verdict::Unknown { why } => {
                let step = |rotation: &Rotation| rotation.lost(&why, now, quiet).ok();
                let failure = self.record(holding, attempt, Failure::InDoubt(why.clone()), step).await;
                error!(credential = %holding.id(), why, "IN DOUBT: the provider's answer cannot be understood");
                failure
            }
        };
        log_failure(holding, &failure);
        Outcome::Failed(failure)
    }

    /// Makes a verdict durable; memory obeys it at once.
    async fn record(
        &self,
        holding: &Arc<Holding>,
        attempt: &Attempt,
        failure: Failure,
        step: impl Fn(&Rotation) -> Option<Rotation>,
    ) -> Failure {
        match self.advance(holding, &step).await {
            Ok(_) => {}
            Err(Failure::Storage(error)) => {
                self.assume(holding, &step);
                attempt.tell(Outcome::Failed(failure.clone()));
                let mut saving = Saving::new(self, attempt.in_slot());
                let mut error = error;
                loop {
                    if !saving.again(holding, &error).await {
                        return failure;
                    }
                    match self.make_sure(holding).await {
                        Err(Failure::Storage(again)) => error = again,
                        Ok(()) | Err(_) => break,
                    }
                }
            }
            // Somebody logged in meanwhile: the verdict is about a token that nobody has any more.
            Err(_) => {
                self.clear(holding, attempt).await;
                return Failure::Superseded;
            }
        }
        self.clear(holding, attempt).await;
        match holding.desk().credential.rotation.state {
            State::Reauth(_) => Failure::Ended,
            State::Resting(_) | State::Claimed(_) | State::Sent(_) | State::Quarantine(_) => failure,
        }
    }

    /// Tokens came back.
    async fn accept(
        &self,
        holding: &Arc<Holding>,
        attempt: &Attempt,
        armed: &Armed,
        answer: &RawAnswer,
        grant: &TokenGrant,
    ) -> Outcome {
        let current = holding.desk().credential.clone();
        let unchanged = current.rotation.generation == armed.rotation.generation
            && current.tokens.as_ref().is_some_and(|tokens| tokens.fingerprint == armed.fingerprint);
        let fingerprint =
            grant.refresh_token.as_ref().map_or(armed.fingerprint, |token| self.parts.sealer.fingerprint(token));
        let reached = current.tokens.as_ref().map(|tokens| (current.rotation.generation, tokens.fingerprint));
        if reached == Some((armed.rotation.generation + 1, fingerprint)) {
            // Concluded once more after a panic that came behind the commit.
            return self.announce(holding, attempt, &current).await;
        }
        let granted = current.grant(grant, fingerprint, answer.received_at);
        let next = match granted {
            Ok(Granted::Next(next)) if unchanged => *next,
            Ok(Granted::OtherAccount(_)) if unchanged => return self.keep_aside(holding, attempt, armed, answer).await,
            Ok(_) | Err(_) => return self.keep_late(holding, attempt, armed, answer, "late").await,
        };
        match self.settle(holding, attempt, &next, armed.rotation.generation).await {
            Settled::Saved => {}
            Settled::Superseded => return self.keep_late(holding, attempt, armed, answer, "late").await,
            Settled::LeftInSlot => return Outcome::Renewed(next.rotation.generation),
        }
        self.parts.failpoints.reach(Point::AfterSettle).await;
        self.announce(holding, attempt, &next).await
    }

    /// The next generation is committed: the mark, then everyone is told, then the slot is free.
    async fn announce(&self, holding: &Arc<Holding>, attempt: &Attempt, next: &Credential) -> Outcome {
        if let Err(error) = self.parts.fence.raise(holding.id(), position(&next.rotation)).await {
            // A mark behind the database is safe: a start adopts what the database has.
            error!(credential = %holding.id(), %error, "the high-water mark could not be raised");
        }
        self.parts.failpoints.reach(Point::BeforePublish).await;
        let renewed = Outcome::Renewed(next.rotation.generation);
        // Ahead of the hand-outs that it makes possible.
        self.note(holding, attempt, &renewed);
        holding.publish();
        attempt.tell(renewed.clone());
        info!(credential = %next.name, generation = next.rotation.generation, "renewed");
        self.parts.failpoints.reach(Point::BeforeClear).await;
        self.clear(holding, attempt).await;
        renewed
    }

    /// One transaction for the next token set. While it fails, memory serves it (matrix R12).
    async fn settle(&self, holding: &Arc<Holding>, attempt: &Attempt, next: &Credential, expected: u64) -> Settled {
        let mut saving = Saving::new(self, attempt.in_slot());
        loop {
            let writing = holding.writing.lock().await;
            match self.parts.store.settle(next, expected, self.parts.timeline.now()).await {
                Ok(Swap::Done) => {
                    take_over(holding, next, expected);
                    return Settled::Saved;
                }
                Ok(Swap::Superseded) => return Settled::Superseded,
                Err(error) => {
                    take_over(holding, next, expected);
                    drop(writing);
                    holding.publish();
                    attempt.tell(Outcome::Renewed(next.rotation.generation));
                    if !saving.again(holding, &error).await {
                        return Settled::LeftInSlot;
                    }
                }
            }
        }
    }

    /// The provider answered with somebody else's tokens: theirs and ours are kept, none of theirs is published.
    async fn keep_aside(
        &self,
        holding: &Arc<Holding>,
        attempt: &Attempt,
        armed: &Armed,
        answer: &RawAnswer,
    ) -> Outcome {
        // A login that took its place while this waited for its turn is not concerned.
        let presented = armed.rotation.generation;
        let quarantine = |rotation: &Rotation| {
            (rotation.generation == presented).then(|| rotation.quarantined(Quarantine::OtherAccount))
        };
        // Set aside before the slot is free: until then a start finds the answer there and does the same.
        let set_aside = self.advance(holding, quarantine).await;
        if holding.desk().credential.rotation.generation != presented {
            return self.keep_late(holding, attempt, armed, answer, "other account").await;
        }
        error!(credential = %holding.id(), "QUARANTINE: the provider answered with another account's tokens");
        if set_aside.is_err() {
            self.assume(holding, quarantine);
            let mut saving = Saving::new(self, attempt.in_slot());
            while let Err(Failure::Storage(error)) = self.make_sure(holding).await {
                if !saving.again(holding, &error).await {
                    return Outcome::Failed(Failure::Quarantined);
                }
            }
        }
        match self.keep_late(holding, attempt, armed, answer, "other account").await {
            Outcome::Renewed(_) | Outcome::Failed(Failure::Superseded) => Outcome::Failed(Failure::Quarantined),
            failed @ Outcome::Failed(_) => failed,
        }
    }

    /// An answer that may not be published is kept, sealed.
    async fn keep_late(
        &self,
        holding: &Arc<Holding>,
        attempt: &Attempt,
        armed: &Armed,
        answer: &RawAnswer,
        reason: &str,
    ) -> Outcome {
        warn!(credential = %holding.id(), reason, "an answer with tokens is kept sealed and not published");
        let mut saving = Saving::new(self, attempt.in_slot());
        loop {
            let now = self.parts.timeline.now();
            let body = &answer.body;
            match self.parts.store.keep_answer(&armed.credential, &armed.rotation, reason, body, now).await {
                Ok(()) => break,
                Err(error) => {
                    if !saving.again(holding, &error).await {
                        return Outcome::Failed(Failure::Superseded);
                    }
                }
            }
        }
        self.clear(holding, attempt).await;
        Outcome::Failed(Failure::Superseded)
    }

    /// The answer is in the database: the slot is free again.
    async fn clear(&self, holding: &Arc<Holding>, attempt: &Attempt) {
        let Some(slot) = attempt.take_slot() else { return };
        if let Err(error) = self.parts.activity.blocking(move || slot.clear()).await {
            // Harmless: a start finds that the answer is in the database already.
            warn!(credential = %holding.id(), %error, "a rescue slot could not be cleared");
        }
    }
}

enum Settled {
    Saved,
    Superseded,
    LeftInSlot,
}

/// Memory gets the next generation; what an administrator changed meanwhile stays.
fn take_over(holding: &Holding, next: &Credential, expected: u64) {
    let mut desk = holding.desk();
    if desk.credential.rotation.generation == expected {
        desk.credential = Credential { pause: desk.credential.pause, ..next.clone() };
    }
}
