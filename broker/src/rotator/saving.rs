//! Saving an answer until it works or the process is told to leave, and counting what is not saved yet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tracing::error;

use super::Rotator;
use crate::holding::Holding;

/// Waits between attempts to save; the last one repeats.
const SAVE_STEPS: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
];

/// How an answer is being saved.
pub(super) struct Saving<'a> {
    rotator: &'a Rotator,
    tries: usize,
    /// True when the process may leave: the slot has it.
    in_slot: bool,
}

impl<'a> Saving<'a> {
    pub(super) fn new(rotator: &'a Rotator, in_slot: bool) -> Self {
        Self { rotator, tries: 0, in_slot }
    }

    /// Waits for the next attempt; false when it is time to leave it to the slot.
    pub(super) async fn again(&mut self, holding: &Holding, error: &(dyn std::fmt::Display + Send + Sync)) -> bool {
        if self.tries == 0 {
            self.rotator.unsaved.fetch_add(1, Ordering::SeqCst);
        }
        let place = if self.in_slot { "it is safe in a rescue slot" } else { "IT IS IN MEMORY ONLY" };
        error!(credential = %holding.id(), %error, place, "an answer could not be saved; trying again");
        if self.in_slot && self.rotator.is_stopping() {
            return false;
        }
        let step = SAVE_STEPS[self.tries.min(SAVE_STEPS.len() - 1)];
        self.tries += 1;
        self.rotator.parts.timeline.sleep(step).await;
        true
    }
}

impl Drop for Saving<'_> {
    fn drop(&mut self) {
        if self.tries > 0 {
            self.rotator.unsaved.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// An answer is nowhere but in memory, for as long as this lives: also through a panic.
pub(super) struct MemoryOnly<'a>(&'a AtomicUsize);

impl<'a> MemoryOnly<'a> {
    pub(super) fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for MemoryOnly<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
