//! Who is due next: renews early, earliest end first, so that an outage of days costs nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::permission::{Permission, Policy, Wish, permission};
use crate::holding::{Desk, Holding};
use crate::rotator::{NotNow, Rotator};

/// The longest nap: bounds what a calendar that was corrected meanwhile can delay.
const NAP: Duration = Duration::from_secs(60);

/// Renews whatever is due, for as long as the rotator takes work.
pub async fn run(rotator: Arc<Rotator>) {
    while !rotator.is_stopping() {
        let nap = begin_due(&rotator);
        tokio::select! {
            () = rotator.parts().timeline.sleep(nap) => {}
            () = rotator.changed() => {}
        }
    }
}

/// Begins what is due and tells how long nothing else will be.
fn begin_due(rotator: &Arc<Rotator>) -> Duration {
    let parts = rotator.parts();
    let now = parts.timeline.now();
    let mut due: Vec<(Timestamp, Arc<Holding>)> = Vec::new();
    let mut nap = NAP;
    for holding in parts.holdings.all() {
        let desk = holding.desk();
        let Some(moment) = due_at(&desk, now, &parts.policy) else { continue };
        let backing_off = desk.backoff.remaining(parts.timeline.monotonic());
        let wait = backing_off.unwrap_or_default().max(moment.since(now));
        if wait.is_zero() {
            let ends = desk.credential.tokens.as_ref().map_or(now, |tokens| tokens.expires_at);
            drop(desk);
            due.push((ends, holding));
        } else {
            nap = nap.min(wait);
        }
    }
    due.sort_by_key(|(ends, _)| *ends);
    let free = parts.slots.free();
    for (_, holding) in due.into_iter().take(free) {
        let wish = wish(&holding.desk());
        if let Err(NotNow::Wait(wait)) = rotator.renew(&holding, wish) {
            nap = nap.min(wait);
        }
    }
    // A rotation that ends wakes this loop; the floor keeps a wait of under a second from spinning.
    nap.max(Duration::from_millis(50))
}

/// When a credential wants to be renewed though nobody asks; `None` while a rotation is under way or a person must act.
fn due_at(desk: &Desk, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
    if desk.flight.is_some() || desk.removed {
        return None;
    }
    let tokens = desk.credential.tokens.as_ref()?;
    let wanted = if is_refused(desk) { now } else { policy.renew_at(tokens) };
    match permission(&desk.credential, wish(desk), now, policy) {
        Permission::Now | Permission::GiveUp => Some(wanted),
        Permission::NotBefore(moment) => Some(wanted.max(moment)),
        Permission::Never(_) => None,
    }
}

fn wish(desk: &Desk) -> Wish {
    if is_refused(desk) { Wish::Refused } else { Wish::Need }
}

fn is_refused(desk: &Desk) -> bool {
    desk.refused == Some(desk.credential.rotation.generation)
}
