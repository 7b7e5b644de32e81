//! One rotation from its begin to its end: in a task that nobody who goes away can stop (matrix R13), where a panic is
//! one credential's doubt and not the process's end (R14), and whose end everyone hears who waits.

use std::sync::Arc;

use tracing::field::Empty;
use tracing::{Instrument, Span, error, info, warn};

use super::Rotator;
use super::attempt::Attempt;
use crate::clock::Timestamp;
use crate::domain::answer::Ending;
use crate::domain::credential::Credential;
use crate::domain::rotation::Rotation;
use crate::holding::{Failure, Holding, Outcome};
use crate::metrics::meters::outcome_word;
use crate::telemetry::trace::step;

impl Rotator {
    /// Runs the rotation where a panic in it can be caught, and tells everyone who waits.
    pub(super) async fn supervise(self: Arc<Self>, holding: Arc<Holding>, attempt: Arc<Attempt>) {
        let flight = Arc::clone(&self).rotate(Arc::clone(&holding), Arc::clone(&attempt));
        let outcome = match tokio::spawn(flight.in_current_span()).await {
            Ok(outcome) => outcome,
            Err(failure) if failure.is_panic() => self.after_panic(&holding, &attempt).await,
            // The runtime is being dropped: nobody is left to tell.
            Err(_) => return,
        };
        Span::current().record("scorpiox.rotation.outcome", outcome_word(&outcome));
        self.land(&holding, &attempt, outcome);
    }

    /// The end of every rotation: the audit hears of it, backoff, the desk is free, everyone is told.
    fn land(&self, holding: &Arc<Holding>, attempt: &Attempt, outcome: Outcome) {
        // While this counts as under way, so that a stop waits until it is queued.
        self.note(holding, attempt, &outcome);
        self.parts.meters.rotations.ended(&outcome);
        {
            let mut desk = holding.desk();
            match &outcome {
                // A login that took its place begins without a history.
                Outcome::Renewed(_) | Outcome::Failed(Failure::Superseded) => {
                    desk.backoff.succeed();
                    desk.last_failure = None;
                }
                Outcome::Failed(failure) => {
                    let spread = desk.credential.rotation.epoch.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()[0];
                    desk.backoff.fail(attempt.retry_after(), spread, self.parts.timeline.monotonic());
                    desk.last_failure = Some(failure.to_string());
                }
            }
            self.rest_in_doubt(&mut desk);
            desk.flight = None;
        }
        holding.publish();
        attempt.tell(outcome);
        self.wake();
    }

    async fn rotate(self: Arc<Self>, holding: Arc<Holding>, attempt: Arc<Attempt>) -> Outcome {
        match self.present(&holding, &attempt).await {
            Ok(()) => self.conclude(&holding, &attempt).instrument(step!("settle")).await,
            Err(failure) => {
                log_failure(&holding, &failure);
                Outcome::Failed(failure)
            }
        }
    }

    /// A doubt that has lasted a day beyond the token's end is an ending.
    pub(super) async fn give_up(self: Arc<Self>, holding: Arc<Holding>, attempt: Arc<Attempt>) {
        let outcome = match self.make_sure(&holding).await {
            Err(failure) => failure,
            Ok(()) => {
                let fingerprint = holding.desk().credential.tokens.as_ref().map(|tokens| tokens.fingerprint);
                let end = |rotation: &Rotation| rotation.ended(Ending::DoubtTooLong, fingerprint?, None).ok();
                match self.advance(&holding, end).await {
                    Ok(_) => Failure::Ended,
                    Err(failure) => failure,
                }
            }
        };
        self.land(&holding, &attempt, Outcome::Failed(outcome));
    }

    /// After a panic: what was answered is settled, what was sent is in doubt, what was claimed is free.
    async fn after_panic(self: &Arc<Self>, holding: &Arc<Holding>, attempt: &Arc<Attempt>) -> Outcome {
        error!(credential = %holding.id(), "a rotation panicked; the process goes on");
        if attempt.answer().is_some() {
            let (rotator, held, again) = (Arc::clone(self), Arc::clone(holding), Arc::clone(attempt));
            let settled = tokio::spawn(async move {
                if !again.in_slot() {
                    rotator.rescue(&held, &again).await;
                }
                rotator.conclude(&held, &again).await
            });
            let settled = settled.await;
            return settled.unwrap_or(Outcome::Failed(Failure::Panicked));
        }
        let was_sent = holding.is_in_doubt();
        if was_sent {
            self.doubt(holding, "a bug stopped the rotation").await;
        } else {
            self.put_back(holding).await;
        }
        Outcome::Failed(Failure::Panicked)
    }
}

/// Belongs to the request that began it; the scheduler's begin a trace of their own.
pub(super) fn span_of(credential: &Credential) -> Span {
    step!(
        "rotation",
        scorpiox.credential.name = credential.name.as_str(),
        scorpiox.credential.generation = credential.rotation.generation,
        scorpiox.rotation.outcome = Empty,
    )
}

pub(super) fn log_failure(holding: &Holding, failure: &Failure) {
    let credential: &Credential = &holding.served().credential;
    let until: Option<Timestamp> = credential.tokens.as_ref().map(|tokens| tokens.expires_at);
    match until {
        Some(until) => warn!(credential = %credential.name, %failure, token_good_until = %until, "not renewed"),
        None => info!(credential = %credential.name, %failure, "not renewed"),
    }
}
