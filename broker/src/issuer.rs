//! A token request: decide, wait if need be, write it down, hand out.
//!
//! Precedence when rules collide: revocation and pause, then the audit, then serving.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::{Code, TokenTag};
use tracing::Instrument;

use crate::audit_chain::{Line, Record};
use crate::auditor::{AuditUnavailable, Auditor};
use crate::clock::Timestamp;
use crate::domain::admission::{self, Denied};
use crate::domain::credential::{Credential, Pause};
use crate::domain::freshness::{self, Freshness, Refusal, is_renewable};
use crate::domain::limits::Allowance;
use crate::domain::meter::Quota;
use crate::domain::permission::{Why, Wish};
use crate::domain::refusal::{About, about, admit};
use crate::domain::rotation::Quarantine;
use crate::first_handout::Turn;
use crate::gate::Caller;
use crate::handout::Handout;
use crate::holding::{Flight, Holding, Served};
use crate::metrics::meters::Counted;
use crate::rotator::{NotNow, Rotator};
use crate::store::audit::{Deed, FirstHandout};
use crate::telemetry::trace::step;

/// Where a request came from, for the audit.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// The request id in the log.
    pub request_id: &'a str,
    /// The client's address; none for what is on this machine already.
    pub address: Option<IpAddr>,
    /// The client's `User-Agent`.
    pub agent: &'a str,
}

impl Origin<'_> {
    /// Where, in words.
    pub fn place(&self) -> String {
        self.address.map_or_else(|| "local".to_owned(), |address| address.to_string())
    }
}

/// What a token request asks.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// `?refused=`: the provider refused this token.
    pub refused: Option<TokenTag>,
    /// `If-None-Match`: the client has this one.
    pub known: Option<TokenTag>,
    /// A token with less left than this is renewed first, if it may be and its successor lasts longer.
    pub at_least: Duration,
    /// A token with no more than this left is of no use, and is neither charged nor written down.
    pub floor: Duration,
}

/// What is handed out.
#[derive(Debug)]
pub enum Handed {
    /// The token.
    Token(Handout),
    /// The client has it already.
    Unchanged(TokenTag),
}

/// Why nothing is handed out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The client has no credential, or not this one.
    #[error("this key may not use any login")]
    NoGrant,
    /// Revoked, or given another key, while it waited.
    #[error("this key was revoked")]
    Revoked,
    /// The client is paused, expired, elsewhere, or asks too often.
    #[error("{0}")]
    Denied(#[from] Denied),
    /// An administrator paused the credential.
    #[error("the login '{0}' is paused")]
    Paused(String),
    /// A person must log in.
    #[error("the login '{0}' has ended")]
    Reauth(String),
    /// A person must look.
    #[error("the login '{0}' was set aside")]
    Quarantined(String),
    /// The token has ended and the provider cannot be asked now.
    #[error("the token has ended and the provider cannot be asked at the moment")]
    BackingOff(Duration),
    /// A refusal may not cause a rotation yet.
    #[error("this token was renewed too recently to be renewed again because of a refusal")]
    TooSoon(Duration),
    /// A renewal is under way and takes longer than this request may wait.
    #[error("a renewal is under way")]
    Busy(Duration),
    /// What is left of the token is not enough for who asks, and no other can be had.
    #[error("the token of the login '{credential}' ends in {} s, and a newer one cannot be had at the moment", left.as_secs())]
    Short {
        /// What is left of it.
        left: Duration,
        /// Whose.
        credential: String,
        /// Whether a person must log in.
        mending: Mending,
    },
    /// The token has ended and the broker renews nothing until it is promoted.
    #[error("the broker is fenced")]
    Fenced,
    /// The audit cannot be written anywhere.
    #[error("the audit cannot be written")]
    Audit(#[from] AuditUnavailable),
}

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mending {
    /// The broker tries again by itself.
    Itself,
    /// Somebody must log in.
    LogIn,
}

impl Refused {
    /// The stable name of this refusal.
    pub fn code(&self) -> Code {
        match self {
            Self::NoGrant | Self::Denied(Denied::Paused | Denied::Expired(_) | Denied::Elsewhere(_)) => Code::Forbidden,
            Self::Denied(Denied::Requests { .. } | Denied::Handouts { .. }) => Code::TooMany,
            Self::Revoked => Code::Unauthorized,
            Self::Paused(_) => Code::Paused,
            Self::Reauth(_) | Self::Short { mending: Mending::LogIn, .. } => Code::ReauthRequired,
            Self::Quarantined(_) => Code::Quarantined,
            Self::BackingOff(_) | Self::Short { mending: Mending::Itself, .. } => Code::BackingOff,
            Self::TooSoon(_) => Code::TooSoon,
            Self::Busy(_) => Code::Busy,
            Self::Fenced => Code::Unavailable,
            Self::Audit(_) => Code::AuditUnavailable,
        }
    }

    /// True for what somebody may want to know of later, because of who asked and not of what was asked for.
    fn concerns_the_client(&self) -> bool {
        match self {
            Self::NoGrant | Self::Denied(_) | Self::Revoked | Self::Paused(_) => true,
            Self::Reauth(_)
            | Self::Quarantined(_)
            | Self::BackingOff(_)
            | Self::TooSoon(_)
            | Self::Busy(_)
            | Self::Short { .. }
            | Self::Fenced
            | Self::Audit(_) => false,
        }
    }
}

/// Refusals of one client that are written down.
const DENIALS: Quota = Quota::per_minute(NonZeroU32::MIN);

/// How the issuer behaves.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// How long a request waits for a renewal.
    pub wait: Duration,
    /// How long a client may use its copy without asking again.
    pub revalidate_after: Duration,
    /// What every client is allowed unless an administrator said otherwise for it.
    pub allowance: Allowance,
}

/// Hands out tokens.
pub struct Issuer {
    rotator: Arc<Rotator>,
    auditor: Auditor,
    terms: Terms,
}

impl Issuer {
    /// Takes its parts.
    pub fn new(rotator: Arc<Rotator>, auditor: Auditor, terms: Terms) -> Self {
        Self { rotator, auditor, terms }
    }

    /// Answers one token request of a recognised caller, and counts the answer.
    pub async fn hand_out(&self, caller: &Arc<Caller>, ask: &Ask, origin: Origin<'_>) -> Result<Handed, Refused> {
        let outcome = self.decide(caller, ask, origin).await;
        let answers = &self.rotator.parts().meters.answers;
        match &outcome {
            Ok(Handed::Token(_)) => answers.served(),
            Ok(Handed::Unchanged(_)) => answers.unchanged(),
            Err(refused) => {
                answers.refused(refused.code());
                self.note(caller, refused, origin);
            }
        }
        outcome
    }

    /// Counts somebody who was turned away before a client was known.
    pub fn turned_away(&self, code: Code) {
        self.rotator.parts().meters.answers.refused(code);
    }

    async fn decide(&self, caller: &Arc<Caller>, ask: &Ask, origin: Origin<'_>) -> Result<Handed, Refused> {
        let timeline = &self.rotator.parts().timeline;
        let (usual, meters) = (&self.terms.allowance, &caller.meters);
        let monotonic = timeline.monotonic();
        admission::admit(&caller.terms.load(), usual, meters, origin.address, || timeline.now(), monotonic)?;
        let holding = caller.holding.as_ref().ok_or(Refused::NoGrant)?;
        if let Some(tag) = &ask.refused {
            self.refused(caller, holding, tag, origin).await?;
        }
        if let Some(tag) = &ask.known {
            self.witness(holding, tag);
        }
        let (served, now) = self.fresh(holding, ask.at_least).await?;
        if !caller.is_admitted() {
            return Err(Refused::Revoked);
        }
        long_enough(&served.credential, ask.floor, now)?;
        let unchanged = (ask.known.as_ref()).filter(|tag| ask.refused.is_none() && **tag == tag_of(&served.credential));
        if unchanged.is_none() {
            admission::charge(&caller.terms.load(), usual, meters, timeline.monotonic())?;
        }
        self.write_down(caller, &served.credential, origin, now).await?;
        self.still_admitted(caller)?;
        if let Some(tag) = unchanged {
            return Ok(Handed::Unchanged(tag.clone()));
        }
        match Handout::of(Arc::clone(&served), now, self.terms.revalidate_after) {
            Some(handout) => Ok(Handed::Token(handout)),
            None => Err(Refused::Quarantined(name(&served.credential))),
        }
    }

    /// While a request waits for whatever it is, its client may be revoked or paused, or the credential: asked after the
    /// last wait.
    pub fn still_admitted(&self, caller: &Caller) -> Result<(), Refused> {
        if !caller.is_admitted() {
            return Err(Refused::Revoked);
        }
        admission::still_admitted(&caller.terms.load(), || self.rotator.parts().timeline.now())?;
        match &caller.holding {
            Some(holding) if holding.served().credential.pause == Pause::All => {
                Err(Refused::Paused(name(&holding.served().credential)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The credential with a token that may be handed out, and the moment that this is true of.
    async fn fresh(&self, holding: &Arc<Holding>, at_least: Duration) -> Result<(Arc<Served>, Timestamp), Refused> {
        let parts = self.rotator.parts();
        let now = parts.timeline.now();
        let served = arc_swap::Guard::into_inner(holding.served());
        match freshness::decide(&served.credential, served.refused, now, &parts.policy) {
            Freshness::Serve | Freshness::ServeAndRefresh
                if parts.policy.is_short(&served.credential, at_least, now) =>
            {
                self.renewed_first(holding).await
            }
            Freshness::Serve => Ok((served, now)),
            Freshness::ServeAndRefresh => {
                // The scheduler does it too, within its nap; a request is a good moment to begin.
                let _ = self.rotator.renew(holding, Wish::Need);
                Ok((served, now))
            }
            Freshness::Refuse(refusal) => Err(refused(&served.credential, refusal, now)),
            Freshness::RefreshFirst => self.renewed_first(holding).await,
        }
    }

    async fn renewed_first(&self, holding: &Arc<Holding>) -> Result<(Arc<Served>, Timestamp), Refused> {
        let waited = match self.rotator.renew(holding, Wish::Need) {
            Ok(flight) => self.wait(flight).await,
            Err(not_now) => Err(not_now),
        };
        self.after_waiting(holding, waited)
    }

    /// What is served after a wait: the new token, or the old one while it lasts.
    fn after_waiting(
        &self,
        holding: &Arc<Holding>,
        waited: Result<(), NotNow>,
    ) -> Result<(Arc<Served>, Timestamp), Refused> {
        let parts = self.rotator.parts();
        let now = parts.timeline.now();
        let served = arc_swap::Guard::into_inner(holding.served());
        let decided = freshness::decide(&served.credential, served.refused, now, &parts.policy);
        if let Freshness::Refuse(refusal) = decided {
            return Err(refused(&served.credential, refusal, now));
        }
        if served.credential.tokens.as_ref().is_some_and(|tokens| tokens.expires_at > now) {
            return Ok((served, now));
        }
        let backoff = holding.desk().backoff.remaining(parts.timeline.monotonic());
        Err(match (waited, backoff) {
            (Ok(()), Some(left)) | (Err(NotNow::Wait(left)), _) => Refused::BackingOff(left),
            (Err(NotNow::Fenced), _) => Refused::Fenced,
            (Err(NotNow::Never(Why::Reauth)), _) => Refused::Reauth(name(&served.credential)),
            (Err(NotNow::Never(Why::Quarantine)), _) => Refused::Quarantined(name(&served.credential)),
            (Err(NotNow::Never(Why::Paused)), _) => Refused::Paused(name(&served.credential)),
            (Ok(()), None) | (Err(NotNow::Stopping | NotNow::Never(Why::UnderWay)), _) => {
                Refused::Busy(Duration::from_secs(1))
            }
        })
    }

    /// Waits for the rotation, but not for ever: it goes on without us.
    async fn wait(&self, mut flight: Flight) -> Result<(), NotNow> {
        let meters = &self.rotator.parts().meters;
        meters.waited.inc();
        let _waiting = Counted::by(&meters.waiting);
        let deadline = self.rotator.parts().timeline.sleep(self.terms.wait);
        let waiting = async {
            tokio::select! {
                _ = flight.wait_for(Option::is_some) => {}
                () = deadline => {}
            }
        };
        waiting.instrument(step!("wait")).await;
        Ok(())
    }

    /// The first word that the provider refused this generation is held against the login and its client; what others
    /// say of it at the same moment is the same word.
    fn note_refusal(
        &self,
        caller: &Caller,
        holding: &Holding,
        generation: u64,
        obtained_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let mut desk = holding.desk();
        if desk.refused == Some(generation) || desk.credential.rotation.generation != generation {
            return Ok(());
        }
        let minimum_age = self.rotator.parts().policy.minimum_token_age;
        admit(obtained_at, &desk.refusals, &caller.refusals(), minimum_age, now)
            .map_err(|moment| Refused::TooSoon(moment.since(now)))?;
        desk.refused = Some(generation);
        desk.refusals.note(now);
        drop(desk);
        caller.refusals().note(now);
        holding.publish();
        Ok(())
    }

    /// The provider refused a token, says the client.
    async fn refused(
        &self,
        caller: &Arc<Caller>,
        holding: &Arc<Holding>,
        tag: &TokenTag,
        origin: Origin<'_>,
    ) -> Result<(), Refused> {
        let parts = self.rotator.parts();
        let served = arc_swap::Guard::into_inner(holding.served());
        let credential = &served.credential;
        let generation = credential.rotation.generation;
        match about(tag, &credential.id, generation) {
            About::Past => return Ok(()),
            About::Future => {
                self.rotator.set_aside(holding, Quarantine::BehindWitness);
                return Ok(());
            }
            About::Current => {}
        }
        let now = parts.timeline.now();
        let record = self.record(caller, credential, "token.refused", "noted", origin);
        self.auditor.write(Deed { record, handout: None }).await?;
        // A login that has ended cannot be renewed too soon: its refusal is answered with what a person must do.
        if is_renewable(credential) {
            let obtained_at = credential.tokens.as_ref().map_or(now, |tokens| tokens.obtained_at);
            self.note_refusal(caller, holding, generation, obtained_at, now)?;
        }
        let waited = match self.rotator.renew(holding, Wish::Refused) {
            Ok(flight) => self.wait(flight).await,
            Err(not_now) => Err(not_now),
        };
        self.after_refusal(holding, generation, waited)
    }

    /// A refused token is not handed out again to the one that refused it: either there is a newer one, or an error.
    fn after_refusal(&self, holding: &Holding, generation: u64, waited: Result<(), NotNow>) -> Result<(), Refused> {
        let parts = self.rotator.parts();
        let served = holding.served();
        let credential = &served.credential;
        if credential.rotation.generation > generation {
            return Ok(());
        }
        if !is_renewable(credential) {
            return match &credential.rotation.state {
                crate::domain::rotation::State::Quarantine(_) => Err(Refused::Quarantined(name(credential))),
                _ => Err(Refused::Reauth(name(credential))),
            };
        }
        let backoff = holding.desk().backoff.remaining(parts.timeline.monotonic());
        Err(match (waited, backoff) {
            (Err(NotNow::Wait(left)), _) | (Ok(()), Some(left)) => Refused::BackingOff(left),
            (Err(NotNow::Fenced), _) => Refused::Fenced,
            (Err(NotNow::Never(Why::Paused)), _) => Refused::Paused(name(credential)),
            (Ok(()), None) | (Err(NotNow::Stopping | NotNow::Never(_)), _) => Refused::Busy(Duration::from_secs(1)),
        })
    }

    /// A client that has a newer token than we know of has seen a future that our database lost (matrix S2b).
    fn witness(&self, holding: &Arc<Holding>, tag: &TokenTag) {
        let served = holding.served();
        if about(tag, &served.credential.id, served.credential.rotation.generation) == About::Future {
            self.rotator.set_aside(holding, Quarantine::BehindWitness);
        }
    }

    /// The first hand-out of a generation is in the audit before the token leaves; repeats are counted.
    async fn write_down(
        &self,
        caller: &Arc<Caller>,
        credential: &Credential,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let generation = credential.rotation.generation;
        let outcome = match caller.first.turn(generation) {
            Turn::Written => {
                caller.count(now);
                return Ok(());
            }
            Turn::Wait(outcome) => {
                outcome.wait().await?;
                caller.count(now);
                return Ok(());
            }
            Turn::Write(writing, outcome) => {
                let expires_at = credential.tokens.as_ref().map_or(now, |tokens| tokens.expires_at);
                let handout = FirstHandout {
                    client: caller.client.id.clone(),
                    credential: credential.id.clone(),
                    generation,
                    expires_at,
                };
                let record = self.record(caller, credential, "token.first", "ok", origin);
                let (auditor, caller) = (self.auditor.clone(), Arc::clone(caller));
                // In a task of its own: others wait for it too, whether or not this request's client does.
                self.rotator.runtime().spawn(async move {
                    let written = auditor.write(Deed { record, handout: Some(handout) }).await;
                    caller.close_count();
                    if written.is_ok() {
                        caller.count_first();
                    }
                    caller.first.end(writing, written);
                });
                outcome
            }
        };
        Ok(outcome.wait().await?)
    }

    /// Writes a refusal down that says something about the client: at most one in a minute of each, whatever it sends.
    fn note(&self, caller: &Caller, refused: &Refused, origin: Origin<'_>) {
        if !refused.concerns_the_client() {
            return;
        }
        if caller.meters.denials.take(DENIALS, self.rotator.parts().timeline.monotonic()).is_err() {
            return;
        }
        let object = match &caller.holding {
            Some(holding) => format!("credential:{}", holding.served().credential.name),
            None => "credential:(removed)".to_owned(),
        };
        let mut record = self.said(caller, &object, "token.denied", refused.code().as_str(), origin);
        record.detail = Line::of(&format!("{refused}; {}", origin.agent));
        let auditor = self.auditor.clone();
        // Nobody waits for it: what is refused is refused, whether or not it can be written down.
        self.rotator.runtime().spawn(async move { auditor.write(Deed { record, handout: None }).await });
    }

    fn record(
        &self,
        caller: &Caller,
        credential: &Credential,
        action: &str,
        outcome: &str,
        origin: Origin<'_>,
    ) -> Record {
        let object = format!("credential:{} generation:{}", credential.name, credential.rotation.generation);
        self.said(caller, &object, action, outcome, origin)
    }

    fn said(&self, caller: &Caller, object: &str, action: &str, outcome: &str, origin: Origin<'_>) -> Record {
        Record {
            at: self.rotator.parts().timeline.now(),
            actor: Line::of(&format!("client:{}", caller.client.name)),
            action: Line::of(action),
            object: Line::of(object),
            outcome: Line::of(outcome),
            request_id: Line::of(origin.request_id),
            address: Line::of(&origin.place()),
            detail: Line::of(origin.agent),
        }
    }
}

fn long_enough(credential: &Credential, floor: Duration, now: Timestamp) -> Result<(), Refused> {
    let left = credential.tokens.as_ref().map_or(Duration::ZERO, |tokens| tokens.expires_at.since(now));
    if left > floor || floor.is_zero() {
        return Ok(());
    }
    let mending = if is_renewable(credential) { Mending::Itself } else { Mending::LogIn };
    Err(Refused::Short { left, credential: name(credential), mending })
}

fn tag_of(credential: &Credential) -> TokenTag {
    TokenTag { credential: credential.id.as_str().to_owned(), generation: credential.rotation.generation }
}

fn name(credential: &Credential) -> String {
    credential.name.as_str().to_owned()
}

fn refused(credential: &Credential, refusal: Refusal, now: Timestamp) -> Refused {
    match refusal {
        Refusal::Paused => Refused::Paused(name(credential)),
        Refusal::Reauth => Refused::Reauth(name(credential)),
        Refusal::Quarantined => Refused::Quarantined(name(credential)),
        Refusal::NotBefore(moment) => Refused::BackingOff(moment.since(now)),
    }
}
