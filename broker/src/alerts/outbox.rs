//! What was told, what waits, and who is told.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::{error, info, warn};

use super::Notice;
use super::queue::{Due, Queue};
use super::sink::Sink;
use crate::domain::alarm::{Change, Condition, Memory};
use crate::metrics::meters::AlertMeters;
use crate::store::{Store, StoreError};
use crate::timeline::Timeline;

/// What was told, what waits, and who is told.
pub struct Outbox {
    sinks: Vec<Sink>,
    store: Store,
    timeline: Timeline,
    meters: AlertMeters,
    /// Where clients reach the broker: how a notice says which broker it is of.
    url: String,
    held: Mutex<Held>,
    /// Something waits that did not before.
    pub(super) posted: Notify,
    /// One writer at a time, so that the newest state is the one that stays.
    saving: tokio::sync::Mutex<()>,
}

struct Held {
    memory: Memory,
    /// One for each sink, in their order.
    queues: Vec<Queue>,
    /// The database does not know yet.
    is_unsaved: bool,
}

impl Outbox {
    /// Brings back what was told and what waits. What waited for a sink that is not configured any more is forgotten.
    pub async fn open(
        sinks: Vec<Sink>,
        store: Store,
        timeline: Timeline,
        meters: AlertMeters,
        url: String,
    ) -> Result<Self, StoreError> {
        let (memory, waiting) = store.alarms().await?;
        let mut queues: Vec<Queue> = sinks.iter().map(|_| Queue::default()).collect();
        for (sink, notice) in waiting {
            if let Some(place) = sinks.iter().position(|known| known.name() == sink) {
                queues[place].push(notice);
            }
        }
        let held = Mutex::new(Held { memory, queues, is_unsaved: false });
        let (posted, saving) = (Notify::new(), tokio::sync::Mutex::default());
        Ok(Self { sinks, store, timeline, meters, url, held, posted, saving })
    }

    /// Who is told.
    pub fn sinks(&self) -> &[Sink] {
        &self.sinks
    }

    /// Takes in what needs a person now; what is new or over becomes a notice for each sink.
    pub fn see(&self, conditions: &[Condition]) {
        let now = self.timeline.now();
        let mut held = self.held();
        let changes = held.memory.see(conditions, now);
        if changes.is_empty() {
            return;
        }
        for change in &changes {
            log(change);
            let notice = Notice::of(change, &self.url, now, random());
            for (queue, sink) in held.queues.iter_mut().zip(&self.sinks) {
                if let Some(dropped) = queue.push(notice.clone()) {
                    self.give_up(sink, &dropped, "too many alerts wait");
                }
            }
        }
        held.is_unsaved = true;
        drop(held);
        self.posted.notify_waiters();
    }

    /// Writes what the database does not know yet. While it fails, memory goes on alone, and the next call tries again.
    pub async fn save(&self) {
        let _saving = self.saving.lock().await;
        let (memory, waiting) = {
            let mut held = self.held();
            if !std::mem::take(&mut held.is_unsaved) {
                return;
            }
            let waiting = held
                .queues
                .iter()
                .zip(&self.sinks)
                .flat_map(|(queue, sink)| queue.waiting().map(|notice| (sink.name().to_owned(), notice.clone())));
            (held.memory.clone(), waiting.collect())
        };
        if let Err(error) = self.store.save_alarms(&memory, &waiting).await {
            warn!(%error, "what was told is in memory only");
            self.held().is_unsaved = true;
        }
    }

    /// Delivers what is due to this sink and tells how long nothing else will be.
    pub(super) async fn deliver(&self, place: usize) -> Option<Duration> {
        let sink = &self.sinks[place];
        loop {
            let due = {
                let mut held = self.held();
                for old in held.queues[place].expire(self.timeline.now()) {
                    self.give_up(sink, &old, "nobody took it for a day");
                    held.is_unsaved = true;
                }
                held.queues[place].due(self.timeline.monotonic())
            };
            let notice = match due {
                Due::Now(notice) => notice,
                Due::In(wait) => return Some(wait),
                Due::Nothing => return None,
            };
            match sink.deliver(&notice, &self.timeline).await {
                Ok(()) => {
                    self.meters.delivered.inc();
                    info!(id = notice.id, sink = sink.name(), to = sink.who(), "an alert was delivered");
                    let mut held = self.held();
                    held.queues[place].delivered(&notice.id);
                    held.is_unsaved = true;
                }
                Err(why) => {
                    self.meters.failed.inc();
                    let again = self.held().queues[place].failed(self.timeline.monotonic());
                    let again_in = again.as_secs();
                    warn!(id = notice.id, sink = sink.name(), why, again_in, "an alert was not delivered");
                }
            }
            self.save().await;
        }
    }

    /// Tells each sink, once and now, that this is a test.
    pub async fn test(&self) -> Vec<(&Sink, Result<(), String>)> {
        let notice = Notice::test(&self.url, self.timeline.now(), random());
        let mut outcomes = Vec::new();
        for sink in &self.sinks {
            outcomes.push((sink, sink.deliver(&notice, &self.timeline).await));
        }
        outcomes
    }

    fn give_up(&self, sink: &Sink, notice: &Notice, why: &str) {
        self.meters.given_up.inc();
        error!(id = notice.id, sink = sink.name(), notice = notice.body, why, "an alert is given up");
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(change: &Change) {
    match change {
        Change::Raised(condition) => {
            let (what, subject) = (condition.key.what.as_str(), &condition.key.subject);
            warn!(what, subject, next = condition.next, "ALERT: {}", condition.reason);
        }
        Change::Resolved(key, standing) => {
            info!(what = key.what.as_str(), subject = key.subject, "over: {}", standing.reason);
        }
    }
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the machine has a random source");
    bytes
}
