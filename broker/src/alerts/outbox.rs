//! What was told, what waits, and who is told.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tracing::{error, info, warn};

use super::Notice;
use super::digest::digest;
use super::queue::{Due, Queue};
use super::sink::{Sink, Undelivered};
use super::written::Written;
use crate::domain::alarm::{Change, Condition, Memory};
use crate::metrics::meters::AlertMeters;
use crate::store::{Store, StoreError};
use crate::timeline::Timeline;

/// So long a delivery waits for the database to know of the notice: without it, a crash makes another one of it.
const LONGEST_SAVE: Duration = Duration::from_secs(2);

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
    saved: tokio::sync::Mutex<Saved>,
    /// The newest version that was given to the database, whether it took it or not.
    tried: watch::Sender<u64>,
}

struct Held {
    memory: Memory,
    /// One for each sink, in their order.
    queues: Vec<Queue>,
    /// Goes up with each change.
    version: u64,
}

#[derive(Default)]
struct Saved {
    version: u64,
    /// None while what the database holds is not known exactly.
    written: Option<Written>,
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
                queues[place].push(notice, timeline.monotonic());
            }
        }
        let held = Mutex::new(Held { memory, queues, version: 0 });
        let (posted, saved, tried) = (Notify::new(), tokio::sync::Mutex::default(), watch::Sender::new(0));
        Ok(Self { sinks, store, timeline, meters, url, held, posted, saved, tried })
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
        changes.iter().for_each(log);
        for told in digest(changes) {
            let notice = Notice::of(&told, &self.url, now, random());
            for (queue, sink) in held.queues.iter_mut().zip(&self.sinks) {
                if let Some(dropped) = queue.push(notice.clone(), self.timeline.monotonic()) {
                    self.give_up(sink, &dropped, "too many alerts wait");
                }
            }
        }
        held.version += 1;
        drop(held);
        self.posted.notify_waiters();
    }

    /// Writes what the database does not know yet. While it fails, memory goes on alone, and the next call tries again.
    pub async fn save(&self) {
        let mut saved = self.saved.lock().await;
        let known = saved.written.take();
        let (version, (changes, after)) = {
            let held = self.held();
            if held.version == saved.version {
                saved.written = known;
                return;
            }
            let waiting = held.queues.iter().zip(&self.sinks);
            let waiting = waiting.flat_map(|(queue, sink)| queue.waiting().map(|notice| (sink.name(), notice)));
            (held.version, known.clone().unwrap_or_default().towards(&held.memory, waiting))
        };
        let outcome = match known {
            Some(_) => self.store.change_alarms(&changes).await,
            None => self.store.replace_alarms(&changes).await,
        };
        match outcome {
            Ok(()) => *saved = Saved { version, written: Some(after) },
            Err(error) => warn!(%error, "what was told is in memory only"),
        }
        self.tried.send_replace(version);
    }

    /// Delivers what is due to this sink and tells how long nothing else will be.
    pub(super) async fn deliver(&self, place: usize) -> Option<Duration> {
        let sink = &self.sinks[place];
        loop {
            let (due, version) = self.due(place);
            let notice = match due {
                Due::Now(notice) => notice,
                Due::In(wait) => return Some(wait),
                Due::Nothing => return None,
            };
            self.wait_until_written(version).await;
            match sink.deliver(&notice, &self.timeline).await {
                Ok(()) => {
                    self.meters.delivered.inc();
                    info!(id = notice.id, sink = sink.name(), to = sink.who(), "an alert was delivered");
                    let mut held = self.held();
                    held.queues[place].delivered(&notice.id);
                    held.version += 1;
                }
                Err(why) => {
                    self.meters.failed.inc();
                    let again_in = self.put_off(place, &notice, &why).as_secs();
                    warn!(id = notice.id, sink = sink.name(), %why, again_in, "an alert was not delivered");
                }
            }
            self.save().await;
        }
    }

    /// What is to be done, and the version in which that stands.
    fn due(&self, place: usize) -> (Due, u64) {
        let mut held = self.held();
        for old in held.queues[place].expire(self.timeline.now()) {
            self.give_up(&self.sinks[place], &old, "nobody took it for a day");
            held.version += 1;
        }
        (held.queues[place].due(self.timeline.monotonic()), held.version)
    }

    /// Returns once the database was given this version, or took too long.
    async fn wait_until_written(&self, version: u64) {
        let mut tried = self.tried.subscribe();
        tokio::select! {
            biased;
            // The sender is as old as this.
            _ = tried.wait_for(|tried| *tried >= version) => {}
            () = self.timeline.sleep(LONGEST_SAVE) => {}
        }
    }

    /// When something is tried again.
    fn put_off(&self, place: usize, notice: &Notice, why: &Undelivered) -> Duration {
        let now = self.timeline.monotonic();
        let queue = &mut self.held().queues[place];
        match why {
            Undelivered::Failed(_) => queue.failed(now),
            Undelivered::Refused(_) => queue.refused(&notice.id, now),
        }
    }

    /// Tells each sink, once and now, that this is a test.
    pub async fn test(&self) -> Vec<(&Sink, Result<(), String>)> {
        let notice = Notice::test(&self.url, self.timeline.now(), random());
        let mut outcomes = Vec::new();
        for sink in &self.sinks {
            let outcome = sink.deliver(&notice, &self.timeline).await;
            outcomes.push((sink, outcome.map_err(|why| why.to_string())));
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

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
