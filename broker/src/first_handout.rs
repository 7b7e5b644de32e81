//! The first hand-out of a generation to a client: written once, however many of its requests wait for that.
//!
//! Ten thousand requests of one client that waited for the same renewal are one entry of the audit and not ten
//! thousand. Whoever comes while it is being written shares the outcome, a failure too: nobody queues behind a
//! database that is locked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::auditor::AuditUnavailable;

type Told = Option<Result<(), AuditUnavailable>>;

/// What one client was given.
#[derive(Debug, Default)]
pub struct FirstHandouts {
    newest: AtomicU64,
    under_way: Mutex<Option<(u64, watch::Receiver<Told>)>>,
}

/// What a request has to do before its token may leave.
#[derive(Debug)]
pub enum Turn {
    /// Nothing: the audit has it.
    Written,
    /// Wait for another request's entry.
    Wait(Outcome),
    /// Write the entry, and [`FirstHandouts::end`] whatever comes of it; then wait like the others.
    Write(Writing, Outcome),
}

/// The duty to write.
#[derive(Debug)]
pub struct Writing {
    generation: u64,
    tell: watch::Sender<Told>,
}

/// What will have come of it.
#[derive(Debug)]
pub struct Outcome(watch::Receiver<Told>);

impl FirstHandouts {
    /// The newest generation whose hand-out is in the audit; 0 before the first.
    pub fn newest(&self) -> u64 {
        self.newest.load(Ordering::Acquire)
    }

    /// What a request for this generation has to do.
    pub fn turn(&self, generation: u64) -> Turn {
        if self.newest() == generation {
            return Turn::Written;
        }
        let mut under_way = self.under_way();
        if self.newest() == generation {
            return Turn::Written;
        }
        match &*under_way {
            // One that nobody will tell any more belonged to a task that is gone.
            Some((known, told)) if *known == generation && told.has_changed().is_ok() => {
                Turn::Wait(Outcome(told.clone()))
            }
            Some(_) | None => {
                let (tell, told) = watch::channel(None);
                *under_way = Some((generation, told.clone()));
                Turn::Write(Writing { generation, tell }, Outcome(told))
            }
        }
    }

    /// Tells everybody who waits.
    pub fn end(&self, writing: Writing, outcome: Result<(), AuditUnavailable>) {
        let mut under_way = self.under_way();
        if outcome.is_ok() {
            self.newest.fetch_max(writing.generation, Ordering::AcqRel);
        }
        if under_way.as_ref().is_some_and(|(known, _)| *known == writing.generation) {
            *under_way = None;
        }
        drop(under_way);
        // Everybody may have gone away.
        let _ = writing.tell.send(Some(outcome));
    }

    fn under_way(&self) -> MutexGuard<'_, Option<(u64, watch::Receiver<Told>)>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outcome {
    /// Waits for it. A writer that vanished wrote nothing that anybody could rely on.
    pub async fn wait(mut self) -> Result<(), AuditUnavailable> {
        let told = self.0.wait_for(Option::is_some).await;
        told.ok().and_then(|told| *told).unwrap_or(Err(AuditUnavailable))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(handouts: &FirstHandouts, generation: u64) -> (Writing, Outcome) {
        match handouts.turn(generation) {
            Turn::Write(writing, outcome) => (writing, outcome),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn one_writes_and_the_others_share_its_outcome() {
        for outcome in [Ok(()), Err(AuditUnavailable)] {
            let handouts = FirstHandouts::default();
            let (writing, own) = write(&handouts, 3);
            let Turn::Wait(other) = handouts.turn(3) else { panic!("written twice") };
            handouts.end(writing, outcome);
            assert_eq!((own.wait().await, other.wait().await), (outcome, outcome));
            assert_eq!(matches!(handouts.turn(3), Turn::Written), outcome.is_ok(), "a failure is tried again");
        }
    }

    #[tokio::test]
    async fn a_writer_that_vanished_is_replaced() {
        let handouts = FirstHandouts::default();
        let (writing, own) = write(&handouts, 3);
        drop(writing);
        assert_eq!(own.wait().await, Err(AuditUnavailable));
        let (writing, own) = write(&handouts, 3);
        handouts.end(writing, Ok(()));
        assert_eq!(own.wait().await, Ok(()));
    }

    #[test]
    fn the_next_generation_does_not_wait_for_the_one_before() {
        let handouts = FirstHandouts::default();
        let (old, _) = write(&handouts, 3);
        let (new, _) = write(&handouts, 4);
        handouts.end(new, Ok(()));
        handouts.end(old, Ok(()));
        assert_eq!(handouts.newest(), 4);
        assert!(matches!(handouts.turn(4), Turn::Written));
    }
}
