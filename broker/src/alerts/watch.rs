//! Looks at the broker every two seconds, and delivers what is to be told.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Outbox;
use crate::registrar::Registrar;
use crate::timeline::Timeline;

/// How soon somebody is told.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Looks and delivers until the broker stops and no renewal is under way any more: what goes wrong with the last ones is
/// told too. It holds on to nothing that the stop waits for.
pub async fn run(registrar: Weak<Registrar>, outbox: Arc<Outbox>, timeline: Timeline) {
    for place in 0..outbox.sinks().len() {
        drop(tokio::spawn(deliver(Arc::downgrade(&outbox), place, timeline.clone())));
    }
    loop {
        {
            let Some(registrar) = registrar.upgrade() else { return };
            if registrar.is_done() {
                return;
            }
            outbox.see(&registrar.conditions());
        }
        outbox.save().await;
        timeline.sleep(BETWEEN_LOOKS).await;
    }
}

/// One sink that is slow keeps no other one waiting.
async fn deliver(outbox: Weak<Outbox>, place: usize, timeline: Timeline) {
    while let Some(outbox) = outbox.upgrade() {
        let posted = outbox.posted.notified();
        tokio::pin!(posted);
        // What is posted from here on wakes this task, also while it delivers.
        posted.as_mut().enable();
        let wait = outbox.deliver(place).await;
        let nap = timeline.sleep(wait.unwrap_or(Duration::from_secs(60)));
        tokio::select! {
            () = posted => {}
            () = nap => {}
        }
    }
}
