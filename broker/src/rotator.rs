//! The effects of a rotation, in their order: claim, slot, dial, arm, send, rescue, settle, publish, clear.
//!
//! What may happen is decided in [`crate::domain`]; what an answer means, in [`crate::provider`]. Here is only the order,
//! and what to do when a step fails. This file decides whether a rotation begins; `flight` carries one from its begin to
//! its end, `presenting` goes as far as an answer, `settling` from there to the next generation. `durable` makes the
//! steps of both durable, and `concluded` tells the audit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tracing::{Instrument, error, warn};

use crate::activity::Activity;
use crate::auditor::Auditor;
use crate::domain::permission::{Permission, Policy, Why, Wish, permission};
use crate::domain::rotation::{Quarantine, Resting, Rotation, State};
use crate::failpoint::Failpoints;
use crate::fence::Fence;
use crate::holding::{Desk, Failure, Flight, Holding, Holdings};
use crate::metrics::Meters;
use crate::provider::Provider;
use crate::rescue::RescueSlots;
use crate::seal::Sealer;
use crate::store::Store;
use crate::timeline::Timeline;

mod attempt;
mod concluded;
mod durable;
mod flight;
mod presenting;
mod saving;
mod settling;

use attempt::Attempt;
pub use concluded::Asker;
use concluded::Cause;
use flight::span_of;

/// Everything a rotation touches.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Who redeems.
    pub provider: Arc<dyn Provider>,
    /// Where answers are kept before anything else.
    pub slots: RescueSlots,
    /// The high-water mark.
    pub fence: Fence,
    /// Hears how rotations end.
    pub auditor: Auditor,
    /// The calendar.
    pub timeline: Timeline,
    /// Names refresh tokens and seals what is kept.
    pub sealer: Sealer,
    /// The times an administrator may set.
    pub policy: Policy,
    /// All credentials.
    pub holdings: Arc<Holdings>,
    /// Counts the effects under way.
    pub activity: Activity,
    /// Counts what came of them.
    pub meters: Meters,
    /// Where tests interfere.
    pub failpoints: Failpoints,
}

/// Renews credentials, one rotation each at a time.
pub struct Rotator {
    parts: Parts,
    /// Answers with tokens that are nowhere but in memory.
    memory_only: AtomicUsize,
    /// Answers that are safe in a slot while the database does not take them.
    unsaved: AtomicUsize,
    stopping: AtomicBool,
    changed: Notify,
    /// Where rotations run: never the runtime of a worker that serves requests, which ends when serving does.
    runtime: Handle,
}

/// Why no rotation begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotNow {
    /// Try again after this.
    Wait(Duration),
    /// Not until a person acts.
    Never(Why),
    /// The high-water mark is missing.
    Fenced,
    /// The broker is stopping.
    Stopping,
}

impl Rotator {
    /// Takes the parts. Rotations run on the runtime that this is called on.
    pub fn new(parts: Parts) -> Arc<Self> {
        let rotator = Self {
            parts,
            memory_only: AtomicUsize::new(0),
            unsaved: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            changed: Notify::new(),
            runtime: Handle::current(),
        };
        for holding in rotator.parts.holdings.all() {
            rotator.rest_in_doubt(&mut holding.desk());
        }
        Arc::new(rotator)
    }

    /// Where work belongs that must outlive the request which began it.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// What it works with.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Begins a rotation that is due, as [`Self::renew_for`] does one that somebody wants.
    pub fn renew(self: &Arc<Self>, holding: &Arc<Holding>, wish: Wish) -> Result<Flight, NotNow> {
        self.renew_for(Asker::Schedule, holding, wish)
    }

    /// Begins a rotation, or joins the one under way. The rotation goes on whether or not anybody waits for it.
    pub fn renew_for(self: &Arc<Self>, asker: Asker<'_>, holding: &Arc<Holding>, wish: Wish) -> Result<Flight, NotNow> {
        let mut desk = holding.desk();
        if let Some(flight) = &desk.flight {
            return Ok(flight.clone());
        }
        if desk.removed {
            return Err(NotNow::Never(Why::Paused));
        }
        if self.stopping.load(Ordering::SeqCst) {
            return Err(NotNow::Stopping);
        }
        if self.parts.fence.reason().is_some() {
            return Err(NotNow::Fenced);
        }
        let now = self.parts.timeline.now();
        let permitted = permission(&desk.credential, wish, now, &self.parts.policy);
        // What only a person can mend is not a matter of waiting.
        if let Permission::Never(why) = permitted {
            return Err(NotNow::Never(why));
        }
        // Somebody else's refusal was answered while this one was written down: what it refuses is not the token any more.
        if wish == Wish::Refused && desk.refused != Some(desk.credential.rotation.generation) {
            return Err(NotNow::Wait(Duration::ZERO));
        }
        if let Some(left) = desk.backoff.remaining(self.parts.timeline.monotonic()) {
            return Err(NotNow::Wait(left));
        }
        let (sender, flight) = watch::channel(None);
        let attempt = Arc::new(Attempt::new(Cause::of(asker), sender));
        let rotator = Arc::clone(self);
        let held = Arc::clone(holding);
        match permitted {
            Permission::Now => {
                let span = span_of(&desk.credential);
                drop(self.runtime.spawn(rotator.supervise(held, attempt).instrument(span)));
            }
            Permission::GiveUp => drop(self.runtime.spawn(rotator.give_up(held, attempt))),
            Permission::NotBefore(moment) => return Err(NotNow::Wait(moment.since(now))),
            Permission::Never(why) => return Err(NotNow::Never(why)),
        }
        desk.flight = Some(flight.clone());
        Ok(flight)
    }

    /// Answers with tokens that are nowhere but in memory.
    pub fn memory_only(&self) -> usize {
        self.memory_only.load(Ordering::SeqCst)
    }

    /// Answers that are safe in a slot while the database does not take them.
    pub fn unsaved(&self) -> usize {
        self.unsaved.load(Ordering::SeqCst)
    }

    /// Wakes when a credential was published, a rotation ended, or a stop was asked for.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Lets the scheduler look again.
    pub fn wake(&self) {
        self.changed.notify_waiters();
        self.changed.notify_one();
    }

    /// No rotation begins any more; those under way go on.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Sets a credential aside because of what a client knows: at once in memory, and on disk as soon as it takes it. One
    /// that waits for a person already stays as it is: whoever knows better says so with every request.
    pub fn set_aside(self: &Arc<Self>, holding: &Arc<Holding>, cause: Quarantine, by: Asker<'_>) {
        let quarantine = |rotation: &Rotation| (!waits_for_a_person(rotation)).then(|| rotation.quarantined(cause));
        // Looked at twice, because most who know better come when it is done already; the second look is the one that counts.
        if waits_for_a_person(&holding.desk().credential.rotation) || !self.assume(holding, quarantine) {
            return;
        }
        error!(credential = %holding.id(), ?cause, "QUARANTINE");
        self.note_set_aside(holding, cause, by);
        let (rotator, held) = (Arc::clone(self), Arc::clone(holding));
        self.runtime.spawn(async move {
            while let Err(Failure::Storage(error)) = rotator.make_sure(&held).await {
                warn!(credential = %held.id(), error, "the quarantine is not on disk yet");
                rotator.parts.timeline.sleep(Duration::from_secs(5)).await;
            }
        });
    }

    /// How many rotations are under way.
    pub fn in_flight(&self) -> usize {
        self.parts.holdings.all().iter().filter(|holding| holding.is_in_flight()).count()
    }

    /// True once a stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The quiet time of a doubt, on the clock that never jumps: whatever becomes of the calendar meanwhile.
    fn rest_in_doubt(&self, desk: &mut Desk) {
        if matches!(desk.credential.rotation.state, State::Resting(Resting::InDoubt(_))) {
            desk.backoff.hold(self.parts.policy.quiet_time, self.parts.timeline.monotonic());
        }
    }
}

fn waits_for_a_person(rotation: &Rotation) -> bool {
    matches!(rotation.state, State::Quarantine(_) | State::Reauth(_))
}
