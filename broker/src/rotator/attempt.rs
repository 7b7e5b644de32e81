//! What one rotation has in its hands: outlives a panic of the task that runs it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::concluded::Cause;
use crate::domain::credential::CredentialId;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::rotation::Rotation;
use crate::holding::Outcome;
use crate::provider::RawAnswer;
use crate::rescue::{Rescued, Slot};

/// One rotation: the slot it took, what it armed, the answer it got.
pub(super) struct Attempt {
    cause: Cause,
    hands: Mutex<Hands>,
    told: watch::Sender<Option<Outcome>>,
}

#[derive(Default)]
struct Hands {
    slot: Option<Slot>,
    armed: Option<Armed>,
    answer: Option<RawAnswer>,
    retry_after: Option<Duration>,
    in_slot: bool,
    /// The audit has heard how it ended.
    noted: bool,
}

/// What was presented.
#[derive(Debug, Clone)]
pub(super) struct Armed {
    pub(super) credential: CredentialId,
    pub(super) rotation: Rotation,
    pub(super) fingerprint: Fingerprint,
}

impl Attempt {
    pub(super) fn new(cause: Cause, told: watch::Sender<Option<Outcome>>) -> Self {
        Self { cause, hands: Mutex::default(), told }
    }

    pub(super) fn cause(&self) -> &Cause {
        &self.cause
    }

    /// True for the first who tells the audit how it ended.
    pub(super) fn is_first_word(&self) -> bool {
        !std::mem::replace(&mut self.hands().noted, true)
    }

    pub(super) fn begin(&self, slot: Slot) {
        self.hands().slot = Some(slot);
    }

    pub(super) fn armed(&self, credential: &CredentialId, rotation: &Rotation, fingerprint: Fingerprint) {
        self.hands().armed = Some(Armed { credential: credential.clone(), rotation: rotation.clone(), fingerprint });
    }

    pub(super) fn answered(&self, answer: RawAnswer) {
        self.hands().answer = Some(answer);
    }

    pub(super) fn answer(&self) -> Option<RawAnswer> {
        self.hands().answer.clone()
    }

    /// What goes into the slot, when there is an answer.
    pub(super) fn rescued(&self) -> Option<Rescued> {
        let hands = self.hands();
        let armed = hands.armed.as_ref()?;
        Some(Rescued {
            credential: armed.credential.as_str().to_owned(),
            epoch: armed.rotation.epoch,
            generation: armed.rotation.generation,
            fingerprint: armed.fingerprint,
            answer: hands.answer.clone()?,
        })
    }

    pub(super) fn presented(&self) -> Option<Armed> {
        self.hands().armed.clone()
    }

    pub(super) fn take_slot(&self) -> Option<Slot> {
        self.hands().slot.take()
    }

    pub(super) fn return_slot(&self, slot: Slot) {
        self.hands().slot = Some(slot);
    }

    /// The slot has the answer: it survives whatever happens to this process.
    pub(super) fn note_in_slot(&self) {
        self.hands().in_slot = true;
    }

    pub(super) fn in_slot(&self) -> bool {
        self.hands().in_slot
    }

    pub(super) fn wait_for(&self, retry_after: Option<Duration>) {
        self.hands().retry_after = retry_after;
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.hands().retry_after
    }

    /// Wakes everyone who waits; the first word stands.
    pub(super) fn tell(&self, outcome: Outcome) {
        self.told.send_if_modified(|told| {
            let first = told.is_none();
            if first {
                *told = Some(outcome);
            }
            first
        });
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
