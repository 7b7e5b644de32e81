//! Writes the audit: one transaction for all that wait, the spool when the database fails, and a refusal when both do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use crate::activity::Activity;
use crate::audit_chain::{Link, Record};
use crate::clock::Timestamp;
use crate::domain::client::ClientId;
use crate::domain::credential::CredentialId;
use crate::fence::Fence;
use crate::spool::{Drained, Spool};
use crate::store::Store;
use crate::store::audit::{Deed, FirstHandout};
use crate::timeline::Timeline;

/// So many deeds share one transaction at most.
const BATCH: usize = 2_048;
/// So many may wait; more are refused at once.
const QUEUE: usize = 16_384;
/// How often a database that failed is tried again when nothing else happens.
const RETRY: Duration = Duration::from_secs(2);

/// Neither the database nor the spool took it: whoever asked gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit cannot be written anywhere")]
pub struct AuditUnavailable;

struct Waiting {
    deed: Deed,
    /// None when nobody waits for it.
    done: Option<oneshot::Sender<Result<(), AuditUnavailable>>>,
}

/// Takes deeds from everywhere; one task writes them.
#[derive(Clone)]
pub struct Auditor {
    queue: mpsc::Sender<Waiting>,
    newest: watch::Receiver<Link>,
    health: Arc<Health>,
}

#[derive(Default)]
struct Health {
    spooling: AtomicBool,
    failing: AtomicBool,
    /// Records in the spool.
    spooled: AtomicU64,
    /// When the oldest of them was put there (Unix seconds).
    spooled_since: AtomicI64,
}

struct Writer {
    store: Store,
    spool: Arc<Spool>,
    fence: Fence,
    timeline: Timeline,
    activity: Activity,
    health: Arc<Health>,
    queue: mpsc::Receiver<Waiting>,
    newest: watch::Sender<Link>,
}

impl Auditor {
    /// Starts the writing task, which tells the mark where the chain ends; it ends when the last auditor is dropped and all is written.
    pub fn start(
        store: Store,
        spool: Spool,
        fence: Fence,
        timeline: Timeline,
        activity: Activity,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, queue) = mpsc::channel(QUEUE);
        let (tell, newest) = watch::channel(Link::START);
        let health = Arc::<Health>::default();
        let writer = Writer {
            store,
            spool: Arc::new(spool),
            fence,
            timeline,
            activity,
            health: Arc::clone(&health),
            queue,
            newest: tell,
        };
        (Self { queue: sender, newest, health }, tokio::spawn(writer.run()))
    }

    /// Returns once the deed is durable.
    pub async fn write(&self, deed: Deed) -> Result<(), AuditUnavailable> {
        let (done, written) = oneshot::channel();
        self.queue.try_send(Waiting { deed, done: Some(done) }).map_err(|_| AuditUnavailable)?;
        written.await.unwrap_or(Err(AuditUnavailable))
    }

    /// Queues a record in its turn and waits for nothing. If it cannot be written anywhere, the log has it.
    pub fn note(&self, record: Record) {
        let waiting = Waiting { deed: Deed { record, handout: None }, done: None };
        if let Err(TrySendError::Full(waiting) | TrySendError::Closed(waiting)) = self.queue.try_send(waiting) {
            log_only(&waiting.deed.record);
        }
    }

    /// Where the chain ends; [`Link::START`] until the first entry of this process.
    pub fn newest(&self) -> watch::Receiver<Link> {
        self.newest.clone()
    }

    /// True while the spool holds what the database does not take.
    pub fn is_spooling(&self) -> bool {
        self.health.spooling.load(Ordering::Relaxed)
    }

    /// How many entries wait in the spool, and since when the oldest does; none when none waits. What a stopped process
    /// left there counts from this start.
    pub fn lag(&self) -> Option<(u64, Timestamp)> {
        let waiting = self.health.spooled.load(Ordering::Relaxed);
        let since = Timestamp::from_unix(self.health.spooled_since.load(Ordering::Relaxed));
        (waiting > 0).then_some((waiting, since))
    }

    /// True after neither took the last deed.
    pub fn is_failing(&self) -> bool {
        self.health.failing.load(Ordering::Relaxed)
    }
}

impl Writer {
    async fn run(mut self) {
        self.health.spooling.store(!self.spool.is_empty(), Ordering::Relaxed);
        self.note_spooled(self.spool.waiting());
        let mut batch = Vec::new();
        loop {
            let troubled = !self.spool.is_empty() || self.health.failing.load(Ordering::Relaxed);
            let received = tokio::select! {
                received = self.queue.recv_many(&mut batch, BATCH) => received,
                () = self.timeline.sleep(RETRY), if troubled => {
                    self.try_again().await;
                    continue;
                }
            };
            if received == 0 {
                return;
            }
            let (deeds, done): (Vec<_>, Vec<_>) =
                batch.drain(..).map(|waiting: Waiting| (waiting.deed, waiting.done)).unzip();
            let result = self.write(&deeds).await;
            self.health.failing.store(result.is_err(), Ordering::Relaxed);
            for (deed, done) in deeds.iter().zip(done) {
                match done {
                    // Whoever went away does not need the answer.
                    Some(done) => drop(done.send(result)),
                    None if result.is_err() => log_only(&deed.record),
                    None => {}
                }
            }
        }
    }

    /// While nothing is handed out nobody may ask any more, so that only a write of our own shows that it works again.
    async fn try_again(&self) {
        let works =
            if self.spool.is_empty() { self.store.try_to_write().await.is_ok() } else { self.empty_spool().await };
        if works && self.health.failing.swap(false, Ordering::Relaxed) {
            info!("the audit can be written again");
        }
    }

    /// The spool goes first, so that the chain keeps the order in which things happened.
    async fn write(&self, deeds: &[Deed]) -> Result<(), AuditUnavailable> {
        if self.spool.is_empty() || self.empty_spool().await {
            match self.store.append_deeds(deeds).await {
                Ok(newest) => {
                    self.note(newest);
                    return Ok(());
                }
                Err(error) => warn!(%error, "the audit goes to its spool: the database does not take it"),
            }
        }
        self.health.spooling.store(true, Ordering::Relaxed);
        let count = deeds.len();
        let records: Vec<Vec<u8>> = deeds.iter().map(|deed| Spooled::from(deed).to_bytes()).collect();
        let spool = Arc::clone(&self.spool);
        self.activity.blocking(move || spool.append(&records)).await.map_err(|error| {
            error!(%error, "AUDIT FAILING: neither the database nor the spool takes it; nothing is handed out");
            AuditUnavailable
        })?;
        self.note_spooled(count);
        Ok(())
    }

    /// So many more wait in the spool.
    fn note_spooled(&self, count: usize) {
        if self.health.spooled.fetch_add(count as u64, Ordering::Relaxed) == 0 {
            self.health.spooled_since.store(self.timeline.now().as_unix(), Ordering::Relaxed);
        }
    }

    fn note(&self, newest: Link) {
        self.fence.note_audit(newest);
        self.newest.send_replace(newest);
    }

    /// True when nothing is left in the spool.
    async fn empty_spool(&self) -> bool {
        let spool = Arc::clone(&self.spool);
        let drained = match self.activity.blocking(move || spool.drain()).await {
            Ok(drained) => drained,
            Err(error) => {
                error!(%error, "the audit's spool cannot be read");
                return false;
            }
        };
        let deeds = read(&drained);
        match self.store.append_deeds(&deeds).await {
            Ok(newest) => self.note(newest),
            Err(error) => {
                warn!(%error, waiting = deeds.len(), "the audit's spool cannot be emptied yet");
                return false;
            }
        }
        let spool = Arc::clone(&self.spool);
        if let Err(error) = self.activity.blocking(move || spool.clear(&drained)).await {
            warn!(%error, "the audit's spool was written to the database and could not be cleared");
        }
        info!(entries = deeds.len(), "the audit's spool is empty again");
        self.health.spooled.store(0, Ordering::Relaxed);
        self.health.spooling.store(false, Ordering::Relaxed);
        true
    }
}

fn log_only(record: &Record) {
    let Record { actor, action, object, outcome, detail, .. } = record;
    let (actor, action, object) = (actor.as_str(), action.as_str(), object.as_str());
    let (outcome, detail) = (outcome.as_str(), detail.as_str());
    error!(actor, action, object, outcome, detail, "an entry of the audit is in this log only");
}

fn read(drained: &Drained) -> Vec<Deed> {
    drained.records.iter().filter_map(|bytes| Spooled::read(bytes)).collect()
}

/// A deed as the spool keeps it.
#[derive(Serialize, Deserialize)]
struct Spooled {
    record: Record,
    handout: Option<SpooledHandout>,
}

#[derive(Serialize, Deserialize)]
struct SpooledHandout {
    client: String,
    credential: String,
    generation: u64,
    expires_at: i64,
}

impl From<&Deed> for Spooled {
    fn from(deed: &Deed) -> Self {
        let handout = deed.handout.as_ref().map(|handout| SpooledHandout {
            client: handout.client.as_str().to_owned(),
            credential: handout.credential.as_str().to_owned(),
            generation: handout.generation,
            expires_at: handout.expires_at.as_unix(),
        });
        Self { record: deed.record.clone(), handout }
    }
}

impl Spooled {
    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data is always JSON")
    }

    fn read(bytes: &[u8]) -> Option<Deed> {
        let Self { record, handout } = serde_json::from_slice(bytes).ok()?;
        let handout = handout.map(|handout| FirstHandout {
            client: ClientId::from_stored(handout.client),
            credential: CredentialId::from_stored(handout.credential),
            generation: handout.generation,
            expires_at: Timestamp::from_unix(handout.expires_at),
        });
        Some(Deed { record, handout })
    }
}
