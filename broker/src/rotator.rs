//! The effects of a rotation, in their order: claim, slot, dial, arm, send, rescue, settle, publish, clear.
//!
//! What may happen is decided in [`crate::domain`]; what an answer means, in [`crate::provider`]. Here is only the order,
//! and what to do when a step fails. A rotation runs in a task of its own that no request owns, so nobody who goes away
//! can stop it (matrix R13), and a panic in it is one credential's doubt and not the process's end (R14).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use scorpiox_wire::Secret;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tracing::field::Empty;
use tracing::{Instrument, Span, error, info, warn};

use crate::activity::Activity;
use crate::auditor::Auditor;
use crate::clock::Timestamp;
use crate::domain::credential::Credential;
use crate::domain::permission::{Permission, Policy, Why, Wish, permission};
use crate::domain::rotation::{Quarantine, Resting, Rotation, State};
use crate::failpoint::{Failpoints, Point};
use crate::fence::{Fence, position};
use crate::holding::{Desk, Failure, Flight, Holding, Holdings, Outcome};
use crate::metrics::Meters;
use crate::metrics::meters::outcome_word;
use crate::provider::{Connection, Provider, RawAnswer, Sent, Unsent};
use crate::rescue::RescueSlots;
use crate::seal::Sealer;
use crate::store::Store;
use crate::telemetry::trace::step;
use crate::timeline::Timeline;

mod attempt;
mod concluded;
mod durable;
mod settling;

use attempt::Attempt;
pub use concluded::Asker;
use concluded::Cause;

/// A sender that finds, right before its first byte, that it armed longer ago than this hangs up (matrix R7d).
const ARMED_FOR: Duration = Duration::from_secs(5);

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
    pub fn set_aside(self: &Arc<Self>, holding: &Arc<Holding>, cause: Quarantine) {
        if matches!(holding.desk().credential.rotation.state, State::Quarantine(_) | State::Reauth(_)) {
            return;
        }
        error!(credential = %holding.id(), ?cause, "QUARANTINE");
        let quarantine = move |rotation: &Rotation| Some(rotation.quarantined(cause));
        self.assume(holding, quarantine);
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

    /// Runs the rotation where a panic in it can be caught, and tells everyone who waits.
    async fn supervise(self: Arc<Self>, holding: Arc<Holding>, attempt: Arc<Attempt>) {
        let flight = Arc::clone(&self).rotate(Arc::clone(&holding), Arc::clone(&attempt));
        let outcome = match tokio::spawn(flight.in_current_span()).await {
            Ok(outcome) => outcome,
            Err(failure) if failure.is_panic() => self.after_panic(&holding, &attempt).await,
            // The runtime is being dropped: nobody is left to tell.
            Err(_) => return,
        };
        Span::current().record("scorpiox.rotation.outcome", outcome_word(&outcome));
        self.land(&holding, &attempt, outcome);
    }

    /// The end of every rotation: the audit hears of it, backoff, the desk is free, everyone is told.
    fn land(&self, holding: &Arc<Holding>, attempt: &Attempt, outcome: Outcome) {
        // While this counts as under way, so that a stop waits until it is queued.
        self.note(holding, attempt, &outcome);
        self.parts.meters.rotations.ended(&outcome);
        {
            let mut desk = holding.desk();
            match &outcome {
                // A login that took its place begins without a history.
                Outcome::Renewed(_) | Outcome::Failed(Failure::Superseded) => {
                    desk.backoff.succeed();
                    desk.last_failure = None;
                }
                Outcome::Failed(failure) => {
                    let spread = desk.credential.rotation.epoch.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()[0];
                    desk.backoff.fail(attempt.retry_after(), spread, self.parts.timeline.monotonic());
                    desk.last_failure = Some(failure.to_string());
                }
            }
            self.rest_in_doubt(&mut desk);
            desk.flight = None;
        }
        holding.publish();
        attempt.tell(outcome);
        self.wake();
    }

    /// The quiet time of a doubt, on the clock that never jumps: whatever becomes of the calendar meanwhile.
    fn rest_in_doubt(&self, desk: &mut Desk) {
        if matches!(desk.credential.rotation.state, State::Resting(Resting::InDoubt(_))) {
            desk.backoff.hold(self.parts.policy.quiet_time, self.parts.timeline.monotonic());
        }
    }

    async fn rotate(self: Arc<Self>, holding: Arc<Holding>, attempt: Arc<Attempt>) -> Outcome {
        match self.present(&holding, &attempt).await {
            Ok(()) => self.conclude(&holding, &attempt).instrument(step!("settle")).await,
            Err(failure) => {
                log_failure(&holding, &failure);
                Outcome::Failed(failure)
            }
        }
    }

    /// Claim, slot, dial, arm, send, rescue. After `Ok` the attempt holds a complete answer.
    async fn present(&self, holding: &Arc<Holding>, attempt: &Attempt) -> Result<(), Failure> {
        let points = &self.parts.failpoints;
        self.make_sure(holding).await?;
        points.reach(Point::BeforeClaim).await;
        let slots = self.parts.slots.clone();
        let slot = self.parts.activity.blocking(move || slots.take()).await.ok_or(Failure::NoSlot)?;
        attempt.begin(slot);
        self.advance(holding, |rotation| rotation.claim().ok()).await?;
        points.reach(Point::AfterClaim).await;

        let connection = match self.dial().instrument(step!("dial", otel.kind = "client")).await {
            Ok(connection) => connection,
            Err(unsent) => return Err(self.hang_up(holding, unsent).await),
        };
        points.reach(Point::AfterDial).await;

        let armed_at = self.parts.timeline.monotonic();
        let token = match self.arm(holding, attempt).instrument(step!("arm")).await {
            Ok(token) => token,
            Err(failure) => {
                drop(connection);
                self.put_back(holding).await;
                return Err(failure);
            }
        };
        points.reach(Point::BeforeSend).await;

        let began = self.parts.timeline.monotonic();
        let span = step!("send", otel.kind = "client", http.request.method = "POST", http.response.status_code = Empty);
        let sent = connection.send(token, armed_at + ARMED_FOR).instrument(span.clone()).await;
        let ended = self.parts.timeline.monotonic();
        match sent {
            Sent::Answered(answer) => {
                span.record("http.response.status_code", i64::from(answer.status));
                self.parts.meters.exchange.took(ended.since(began));
                attempt.answered(self.on_our_calendar(answer));
            }
            Sent::NotWritten(unsent) => return Err(self.hang_up(holding, unsent).await),
            Sent::NoAnswer { why } => return Err(self.doubt(holding, &why).await),
        }
        points.reach(Point::AfterAnswer).await;
        self.rescue(holding, attempt).instrument(step!("rescue")).await;
        self.parts.meters.rescue.took(self.parts.timeline.monotonic().since(ended));
        points.reach(Point::AfterRescue).await;
        Ok(())
    }

    /// The provider's own date decides first who is right about the time; then the answer gets the time that we believe,
    /// not the one that somebody may have set the machine to.
    fn on_our_calendar(&self, answer: RawAnswer) -> RawAnswer {
        if let Some(date) = answer.date {
            self.parts.timeline.witness(date);
        }
        RawAnswer { received_at: self.parts.timeline.now(), ..answer }
    }

    /// Dials; a connection that the far side has closed again is dialed once more.
    async fn dial(&self) -> Result<Box<dyn Connection>, Unsent> {
        let mut connection = self.parts.provider.dial().await?;
        if !connection.is_open() {
            connection = self.parts.provider.dial().await?;
        }
        Ok(connection)
    }

    /// Commits `Sent`, then the mark. After this, nobody may say that the token was not presented.
    async fn arm(&self, holding: &Arc<Holding>, attempt: &Attempt) -> Result<Secret, Failure> {
        let armed = self.advance(holding, |rotation| rotation.arm().ok()).await?;
        self.parts.failpoints.reach(Point::AfterArm).await;
        self.parts
            .fence
            .raise(holding.id(), position(&armed))
            .await
            .map_err(|error| Failure::Storage(format!("the high-water mark: {error}")))?;
        let desk = holding.desk();
        let tokens = desk.credential.tokens.as_ref().ok_or(Failure::Quarantined)?;
        if desk.credential.rotation != armed {
            return Err(Failure::Superseded);
        }
        attempt.armed(holding.id(), &armed, tokens.fingerprint);
        Ok(tokens.refresh_token.clone())
    }

    /// Proven: nothing was written.
    async fn hang_up(&self, holding: &Arc<Holding>, unsent: Unsent) -> Failure {
        self.put_back(holding).await;
        Failure::Unsent(unsent.0)
    }

    /// A doubt that has lasted a day beyond the token's end is an ending.
    async fn give_up(self: Arc<Self>, holding: Arc<Holding>, attempt: Arc<Attempt>) {
        let outcome = match self.make_sure(&holding).await {
            Err(failure) => failure,
            Ok(()) => {
                let fingerprint = holding.desk().credential.tokens.as_ref().map(|tokens| tokens.fingerprint);
                let end = |rotation: &Rotation| {
                    rotation.ended(crate::domain::answer::Ending::DoubtTooLong, fingerprint?, None).ok()
                };
                match self.advance(&holding, end).await {
                    Ok(_) => Failure::Ended,
                    Err(failure) => failure,
                }
            }
        };
        self.land(&holding, &attempt, Outcome::Failed(outcome));
    }

    /// After a panic: what was answered is settled, what was sent is in doubt, what was claimed is free.
    async fn after_panic(self: &Arc<Self>, holding: &Arc<Holding>, attempt: &Arc<Attempt>) -> Outcome {
        error!(credential = %holding.id(), "a rotation panicked; the process goes on");
        if attempt.answer().is_some() {
            let (rotator, held, again) = (Arc::clone(self), Arc::clone(holding), Arc::clone(attempt));
            let settled = tokio::spawn(async move {
                if !again.in_slot() {
                    rotator.rescue(&held, &again).await;
                }
                rotator.conclude(&held, &again).await
            });
            let settled = settled.await;
            return settled.unwrap_or(Outcome::Failed(Failure::Panicked));
        }
        let was_sent = holding.is_in_doubt();
        if was_sent {
            self.doubt(holding, "a bug stopped the rotation").await;
        } else {
            self.put_back(holding).await;
        }
        Outcome::Failed(Failure::Panicked)
    }
}

/// Belongs to the request that began it; the scheduler's begin a trace of their own.
fn span_of(credential: &Credential) -> Span {
    step!(
        "rotation",
        scorpiox.credential.name = credential.name.as_str(),
        scorpiox.credential.generation = credential.rotation.generation,
        scorpiox.rotation.outcome = Empty,
    )
}

fn log_failure(holding: &Holding, failure: &Failure) {
    let credential: &Credential = &holding.served().credential;
    let until: Option<Timestamp> = credential.tokens.as_ref().map(|tokens| tokens.expires_at);
    match until {
        Some(until) => warn!(credential = %credential.name, %failure, token_good_until = %until, "not renewed"),
        None => info!(credential = %credential.name, %failure, "not renewed"),
    }
}
