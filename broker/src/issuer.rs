//! A token request: decide, wait if need be, write it down, hand out.
//!
//! Precedence when rules collide: revocation and pause, then the audit, then serving.
//!
//! * [`Refused`]: why nothing is handed out.
//! * `waiting`: for a token that may be handed out, or for the successor of one that was refused.
//! * `writing`: what the audit hears of a request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::{Code, TokenTag};

use crate::auditor::Auditor;
use crate::clock::Timestamp;
use crate::domain::admission;
use crate::domain::credential::{Credential, Pause};
use crate::domain::freshness::is_renewable;
use crate::domain::limits::Allowance;
use crate::domain::refusal::{About, about};
use crate::domain::rotation::Quarantine;
use crate::gate::{Caller, Standing};
use crate::handout::Handout;
use crate::holding::Holding;
use crate::rotator::{Asker, Rotator};

mod refused;
mod waiting;
mod writing;

pub use refused::{Mending, Refused};

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
        let asker =
            Asker::Client { name: caller.client.name.as_str(), request_id: origin.request_id, address: origin.address };
        if let Some(tag) = &ask.refused {
            self.refused(caller, holding, tag, origin, asker).await?;
        }
        if let Some(tag) = &ask.known {
            self.witness(holding, tag, asker);
        }
        let (served, now) = self.fresh(holding, ask.at_least, asker).await?;
        in_the_gate(caller)?;
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
        in_the_gate(caller)?;
        admission::still_admitted(&caller.terms.load(), || self.rotator.parts().timeline.now())?;
        match &caller.holding {
            Some(holding) if holding.served().credential.pause == Pause::All => {
                Err(Refused::Paused(name(&holding.served().credential)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A client that has a newer token than we know of has seen a future that our database lost (matrix S2b).
    fn witness(&self, holding: &Arc<Holding>, tag: &TokenTag, asker: Asker<'_>) {
        let served = holding.served();
        if about(tag, &served.credential.id, served.credential.rotation.generation) == About::Future {
            self.rotator.set_aside(holding, Quarantine::BehindWitness, asker);
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

/// A request that waited goes on while its caller is the client's. One that was given another credential meanwhile comes
/// again with the same key: told that its key was revoked it would throw away what it holds.
fn in_the_gate(caller: &Caller) -> Result<(), Refused> {
    match caller.standing() {
        Standing::Admitted => Ok(()),
        Standing::Succeeded => Err(Refused::Busy(Duration::from_secs(1))),
        Standing::Out => Err(Refused::Revoked),
    }
}

fn tag_of(credential: &Credential) -> TokenTag {
    TokenTag { credential: credential.id.as_str().to_owned(), generation: credential.rotation.generation }
}

fn name(credential: &Credential) -> String {
    credential.name.as_str().to_owned()
}
