//! What a start makes of a credential: its row, the answers that slots kept for it, and the high-water mark.
//!
//! Slots come first: an answer that was obtained and not saved is the newest there is. Then the mark: a row that is
//! behind it is an old copy. Only then does what was sent without an answer become a doubt.

use std::time::Duration;

use super::answer::Verdict;
use super::credential::{Credential, Granted};
use super::fingerprint::Fingerprint;
use super::rotation::{Mark, Quarantine, Resting, State};
use crate::clock::Timestamp;

/// An answer that a slot kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Under which claim it was asked for.
    pub epoch: u64,
    /// The generation that was current then.
    pub generation: u64,
    /// The refresh token that was presented.
    pub presented: Fingerprint,
    /// What it means.
    pub verdict: Verdict,
    /// The refresh token that it brought, when it brought one.
    pub brought: Option<Fingerprint>,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// What to do with an answer from a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// It moves the credential on: commit this, then clear the slot.
    Settle(Box<Credential>),
    /// It is in the database already, or says nothing that matters any more: clear the slot.
    Done,
    /// It holds tokens that may not be published: keep it sealed, then clear the slot.
    Keep(&'static str, Option<Box<Credential>>),
}

/// Replays one answer against the row.
pub fn replay(credential: &Credential, kept: &KeptAnswer, quiet_time: Duration) -> Replay {
    let current = credential.tokens.as_ref().map(|tokens| tokens.fingerprint);
    let same_generation = credential.rotation.generation == kept.generation && current == Some(kept.presented);
    match &kept.verdict {
        Verdict::Granted(grant) => {
            let fingerprint = kept.brought.unwrap_or(kept.presented);
            let settled = credential.rotation.generation == kept.generation + 1 && current == Some(fingerprint);
            if settled {
                return Replay::Done;
            }
            // The row is an old copy, but the answer is whole: the newer set wins (matrix S2).
            let row_is_older = credential.rotation.generation < kept.generation && kept.brought.is_some();
            if !same_generation && !row_is_older {
                return Replay::Keep("late", None);
            }
            let mut at = credential.clone();
            at.rotation.generation = kept.generation;
            at.rotation.epoch = at.rotation.epoch.max(kept.epoch);
            match at.grant(grant, fingerprint, kept.received_at) {
                Ok(Granted::Next(next)) => Replay::Settle(next),
                Ok(Granted::OtherAccount(aside)) => Replay::Keep("other account", Some(aside)),
                Err(_) => Replay::Keep("late", None),
            }
        }
        verdict if same_generation && credential.rotation.epoch == kept.epoch => {
            // An answer proves that it was sent, also where the row has lost that.
            let rotation = credential.rotation.arm().unwrap_or_else(|_| credential.rotation.clone());
            let moved = match verdict {
                Verdict::Granted(_) => return Replay::Done,
                Verdict::Ended(ending) => rotation.ended(*ending, kept.presented, None),
                Verdict::NotConsumed { .. } => rotation.not_consumed(kept.received_at, quiet_time),
                Verdict::Refused { why } => rotation.refused(kept.presented, why, kept.received_at),
                Verdict::Unknown { why } => rotation.lost(why, kept.received_at, quiet_time),
            };
            match moved {
                Ok(rotation) => Replay::Settle(Box::new(Credential { rotation, ..credential.clone() })),
                Err(_) => Replay::Done,
            }
        }
        _ => Replay::Done,
    }
}

/// After the slots: the credential as the broker should hold it. Differs from the row only in its rotation.
pub fn restarted(credential: &Credential, mark: Option<Mark>, now: Timestamp, quiet_time: Duration) -> Credential {
    let rotation = &credential.rotation;
    let behind = mark.is_some_and(|mark| rotation.epoch < mark.epoch || rotation.generation < mark.generation);
    let was_set_aside = matches!(rotation.state, State::Quarantine(_));
    // The mark of an epoch is written after the row says Sent: a row that still says Claimed has lost that.
    let was_sent = mark.is_some_and(|mark| mark.epoch >= rotation.epoch);
    let rotation = if credential.tokens.is_none() && !was_set_aside {
        rotation.quarantined(Quarantine::Damaged)
    } else if behind && !was_set_aside {
        rotation.quarantined(Quarantine::BehindMark)
    } else {
        let armed = if was_sent { rotation.arm().ok() } else { None };
        armed.as_ref().unwrap_or(rotation).restarted(now, quiet_time)
    };
    Credential { rotation, ..credential.clone() }
}

/// True when it was ever armed, so that a missing mark means something.
pub fn was_ever_armed(credential: &Credential) -> bool {
    let rotation = &credential.rotation;
    let quiet = matches!(&rotation.state, State::Resting(Resting::Idle(_)));
    rotation.epoch > 0 || rotation.generation > 1 || !quiet
}

#[cfg(test)]
#[path = "recovery_tests.rs"]
mod tests;
