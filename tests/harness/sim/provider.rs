//! The fake provider's oracle behind the broker's own `Provider` trait: no socket, the simulated clock, and a script of
//! what goes wrong on the way.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fake_provider::{Begun, Delivery, EntryId, Fate, Fault, Oracle, Reply, Settings, TokenRef, Told};
use scorpiox_broker::clock::{Clock, Monotonic};
use scorpiox_broker::domain::answer::Verdict;
use scorpiox_broker::provider::{Connection, Later, Provider, RawAnswer, Sent, Unsent, codex};
use scorpiox_wire::Secret;
use tokio::task;

use super::clock::SimClock;
use super::records::Records;

/// What the broker's own provider does: longer, and the answer counts as lost.
const EXCHANGE_LIMIT: Duration = Duration::from_secs(30);
/// What the broker's own provider reads of an answer.
const LONGEST_BODY: usize = 64 * 1024;
/// A token whose answer is unknown must rest for so long.
const QUIET_SECONDS: i64 = 120;

/// One way to the provider and back, and what goes wrong on it.
#[derive(Debug, Clone, Default)]
pub struct Trip {
    /// How dialing goes.
    pub dialing: Dialing,
    /// The sender stands still for so long between arming and its first byte.
    pub stall: Duration,
    /// The far side closes before the first byte.
    pub closed_before_writing: bool,
    /// So long until the provider decides.
    pub there: Duration,
    /// What the provider does.
    pub fault: Option<Fault>,
    /// So long until its answer is here.
    pub back: Duration,
}

/// How dialing goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialing {
    /// Well.
    #[default]
    Good,
    /// It takes so long.
    Slow(Duration),
    /// DNS, TCP or TLS fail.
    Fails,
    /// It works, and the far side closes the connection while it idles.
    ThenClosed,
}

impl Trip {
    /// The provider does this.
    pub fn with(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// Dialing goes like this.
    pub fn dialing(dialing: Dialing) -> Self {
        Self { dialing, ..Self::default() }
    }
}

/// The provider of one world; it outlives the broker's lives.
pub struct SimProvider {
    clock: SimClock,
    oracle: Mutex<Oracle>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    trips: VecDeque<Trip>,
    dials: usize,
    records: Option<Records>,
    complaints: Vec<String>,
    /// Answers that have reached the broker and are in no rescue slot yet, by the task of their rotation.
    unsafe_answers: HashMap<task::Id, EntryId>,
    /// When each token's last presentation left its fate unknown to the broker.
    unknown_since: HashMap<TokenRef, i64>,
}

impl SimProvider {
    pub(super) fn new(clock: SimClock, settings: Settings, seed: u64) -> Arc<Self> {
        Arc::new(Self { clock, oracle: Mutex::new(Oracle::new(settings, seed)), state: Mutex::default() })
    }

    /// The judge.
    pub fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next way to the provider that nobody has planned yet is this one.
    pub fn plan(&self, trip: Trip) {
        self.state().trips.push_back(trip);
    }

    /// From now on all goes well.
    pub fn forget_plans(&self) {
        self.state().trips.clear();
    }

    /// How often somebody dialed.
    pub fn dials(&self) -> usize {
        self.state().dials
    }

    /// What a careful broker would not have done, a sentence each.
    pub fn violations(&self) -> Vec<String> {
        let mut all = self.oracle().violations();
        all.extend(self.state().complaints.iter().cloned());
        all
    }

    pub(super) fn begin_life(&self, records: Records) {
        let mut state = self.state();
        state.records = Some(records);
        state.unsafe_answers.clear();
    }

    /// The broker was killed: the answers that it may not have kept. Whether it did, its next life shows.
    pub(super) fn end_life(&self) -> Vec<EntryId> {
        let mut state = self.state();
        state.records = None;
        state.unsafe_answers.drain().map(|(_, id)| id).collect()
    }

    /// The broker never got to keep this answer.
    pub(super) fn mark_lost(&self, id: EntryId) {
        let now = self.clock.truth();
        let token = {
            let mut oracle = self.oracle();
            oracle.mark_lost(id);
            oracle.log().iter().find(|entry| entry.id == id).and_then(|entry| entry.refresh_token.clone())
        };
        if let Some(token) = token {
            self.state().unknown_since.insert(token, now);
        }
    }

    /// The rotation that runs in this task has put its answer into a slot.
    pub(super) fn answer_is_safe(&self) {
        if let Some(id) = task::try_id() {
            self.state().unsafe_answers.remove(&id);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn complain(&self, complaint: String) {
        self.state().complaints.push(complaint);
    }

    /// Sending and answering, until the answer is here or will never be.
    async fn exchange(self: Arc<Self>, refresh_token: Secret, trip: Trip) -> Sent {
        let records = self.state().records.clone();
        if let Some(records) = records
            && let Some(complaint) = records.complaint(&refresh_token).await
        {
            self.complain(complaint);
        }
        let mut presentation = Presentation::begin(&self, &refresh_token, trip.fault);
        self.clock.sleep(trip.there).await;
        let reply = presentation.decide();
        let transfer = match reply.delivery {
            Delivery::Drip { every_ms } => {
                Duration::from_millis(every_ms) * u32::try_from(reply.answer.body().len()).unwrap_or(u32::MAX)
            }
            Delivery::Whole | Delivery::Cut { .. } => Duration::ZERO,
        };
        self.clock.sleep(trip.back + transfer).await;
        presentation.deliver(&reply)
    }
}

/// The provider as the broker holds it.
#[derive(Clone)]
pub(super) struct Handle(pub(super) Arc<SimProvider>);

impl Provider for Handle {
    fn dial(&self) -> Later<'_, Result<Box<dyn Connection>, Unsent>> {
        let provider = Arc::clone(&self.0);
        Box::pin(async move {
            let trip = {
                let mut state = provider.state();
                state.dials += 1;
                state.trips.pop_front().unwrap_or_default()
            };
            match trip.dialing {
                Dialing::Good | Dialing::ThenClosed => {}
                Dialing::Slow(span) => provider.clock.sleep(span).await,
                Dialing::Fails => return Err(Unsent("connection refused".to_owned())),
            }
            Ok(Box::new(SimConnection { provider, trip }) as Box<dyn Connection>)
        })
    }

    fn classify(&self, answer: &RawAnswer) -> Verdict {
        codex::classify(answer)
    }
}

struct SimConnection {
    provider: Arc<SimProvider>,
    trip: Trip,
}

impl Connection for SimConnection {
    fn is_open(&mut self) -> bool {
        self.trip.dialing != Dialing::ThenClosed
    }

    fn send(self: Box<Self>, refresh_token: Secret, write_before: Monotonic) -> Later<'static, Sent> {
        Box::pin(async move {
            let Self { provider, trip } = *self;
            let clock = provider.clock.clone();
            if !trip.stall.is_zero() {
                clock.sleep(trip.stall).await;
            }
            if clock.monotonic() > write_before {
                return Sent::NotWritten(Unsent("the time to write had passed".to_owned()));
            }
            if trip.closed_before_writing {
                return Sent::NotWritten(Unsent("closed before the request".to_owned()));
            }
            tokio::select! {
                biased;
                sent = provider.exchange(refresh_token, trip) => sent,
                () = clock.sleep(EXCHANGE_LIMIT) => Sent::NoAnswer { why: "no complete answer within 30 s".to_owned() },
            }
        })
    }
}

/// A refresh token that has been presented. Dropped before its answer was delivered, the client has gone away: the
/// provider decides all the same, and nobody hears it.
struct Presentation {
    provider: Arc<SimProvider>,
    begun: Begun,
    token: TokenRef,
    decided: bool,
    ended: bool,
}

impl Presentation {
    fn begin(provider: &Arc<SimProvider>, refresh_token: &Secret, fault: Option<Fault>) -> Self {
        let now = provider.clock.truth();
        let (begun, token) = {
            let mut oracle = provider.oracle();
            oracle.clear_faults();
            if let Some(fault) = fault {
                oracle.fault(fault);
            }
            let begun = oracle.present(refresh_token.expose(), now);
            let entry = oracle.log().last().expect("a presentation was just logged");
            let token = entry.refresh_token.clone().expect("a presentation has a token");
            (begun, token)
        };
        let unknown_since = provider.state().unknown_since.remove(&token);
        if let Some(since) = unknown_since
            && now - since < QUIET_SECONDS
        {
            provider.complain(format!(
                "entry {}: the refresh token of {token} was presented {} s after an answer that nobody heard",
                begun.id.0,
                now - since
            ));
        }
        Self { provider: Arc::clone(provider), begun, token, decided: false, ended: false }
    }

    fn decide(&mut self) -> Reply {
        self.decided = true;
        self.provider.oracle().answer(&self.begun, self.provider.clock.truth())
    }

    fn deliver(&mut self, reply: &Reply) -> Sent {
        let whole = reply.whole().filter(|answer| answer.body().len() <= LONGEST_BODY);
        let Some(answer) = whole.filter(|answer| answer.header("content-encoding").is_none()) else {
            self.end(Fate::Cut);
            return Sent::NoAnswer { why: "connection closed".to_owned() };
        };
        let clock = &self.provider.clock;
        let retry_after = answer.header("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
        let date = Some(scorpiox_broker::clock::Timestamp::from_unix(clock.truth()));
        let (received_at, body) = (clock.wall(), answer.body().into());
        let answer = RawAnswer { status: answer.status, retry_after, date, received_at, body };
        let is_unknown = matches!(codex::classify(&answer), Verdict::Unknown { .. });
        self.end(Fate::Delivered);
        if is_unknown {
            self.provider.state().unknown_since.insert(self.token.clone(), self.provider.clock.truth());
        }
        Sent::Answered(answer)
    }

    fn end(&mut self, fate: Fate) {
        self.ended = true;
        let now = self.provider.clock.truth();
        let told = {
            let mut oracle = self.provider.oracle();
            oracle.finish(self.begun.id, fate, now);
            oracle.log().iter().find(|entry| entry.id == self.begun.id).map_or(Told::Nothing, |entry| entry.told)
        };
        let mut state = self.provider.state();
        if fate != Fate::Delivered {
            state.unknown_since.insert(self.token.clone(), now);
        } else if told != Told::Nothing
            && let Some(task) = task::try_id()
        {
            state.unsafe_answers.insert(task, self.begun.id);
        }
    }
}

impl Drop for Presentation {
    fn drop(&mut self) {
        if !self.decided {
            let _ = self.decide();
        }
        if !self.ended {
            self.end(Fate::ClientGone);
        }
    }
}
