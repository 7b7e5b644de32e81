//! Writes anchors: every so many entries, and every so often when there is something new.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{error, warn};

use crate::activity::Activity;
use crate::anchors::{Anchor, Anchors};
use crate::audit_chain::Link;
use crate::clock::Monotonic;
use crate::store::Store;
use crate::timeline::Timeline;

/// After a file that could not be written.
const RETRY: Duration = Duration::from_secs(60);

/// How often.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// After so many entries at the latest.
    pub entries: u64,
    /// After this time at the latest.
    pub span: Duration,
}

/// What it works with.
pub struct Anchorer {
    /// The file.
    pub anchors: Arc<Anchors>,
    /// Remembers how far the audit was anchored, so that a missing file is missed.
    pub store: Store,
    /// The calendar.
    pub timeline: Timeline,
    /// Counts the effects under way.
    pub activity: Activity,
    /// How often.
    pub pace: Pace,
}

impl Anchorer {
    /// Runs until nobody writes the audit any more, and then writes the last anchor.
    pub async fn run(self, mut newest: watch::Receiver<Link>) {
        self.recall().await;
        let mut since = self.timeline.monotonic();
        loop {
            // Due, or over; when it is over there is still the last one to write.
            self.until_due(&mut newest, since).await;
            let ended = newest.has_changed().is_err();
            let link = *newest.borrow_and_update();
            if link.seq > self.anchors.newest() && !self.write(link).await && !ended {
                tokio::select! {
                    () = self.timeline.sleep(RETRY) => {}
                    _ = newest.wait_for(|_| false) => {}
                }
                continue;
            }
            since = self.timeline.monotonic();
            if ended {
                return;
            }
        }
    }

    async fn recall(&self) {
        let (anchors, turn) = (Arc::clone(&self.anchors), self.anchors.turn().await);
        self.activity.blocking(move || anchors.recall(&turn)).await;
    }

    async fn until_due(&self, newest: &mut watch::Receiver<Link>, since: Monotonic) {
        loop {
            // Asked each time: the file may have been put aside meanwhile.
            let waiting = newest.borrow_and_update().seq.saturating_sub(self.anchors.newest());
            let left = self.pace.span.saturating_sub(self.timeline.monotonic().since(since));
            if waiting >= self.pace.entries || (waiting > 0 && left.is_zero()) {
                return;
            }
            tokio::select! {
                changed = newest.changed() => if changed.is_err() { return },
                () = self.timeline.sleep(left.max(Duration::from_millis(1))), if waiting > 0 => {}
            }
        }
    }

    async fn write(&self, link: Link) -> bool {
        let (anchors, turn) = (Arc::clone(&self.anchors), self.anchors.turn().await);
        let anchor = Anchor { link, at: self.timeline.now() };
        let anchored = match self.store.anchored().await {
            Ok(anchored) => anchored,
            Err(error) => {
                warn!(%error, "the audit is not anchored now: the database does not answer");
                return false;
            }
        };
        let append = move || anchors.append(&turn, anchor, anchored).map(|()| turn);
        let _turn = match self.activity.blocking(append).await {
            Ok(turn) => turn,
            Err(error) => {
                error!(%error, "the audit was not anchored; scorpiox-broker audit --verify");
                return false;
            }
        };
        if let Err(error) = self.store.set_anchored(link.seq).await {
            warn!(%error, "the database does not know of the newest anchor; a missing file would not be missed");
        }
        true
    }
}
