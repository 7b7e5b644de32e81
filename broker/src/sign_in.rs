//! Programs that a person signs in with a browser: no key is typed, and none is on their machine.
//!
//! A person shows an invite, used once; or an administrator agrees. The program then is a client like any other, with a
//! stand-in in place of a key. Codes and requests that wait are in memory: a restart ends them, and people begin anew.
//!
//! * [`form`]: what a form carries, so that no other page can send it. * `browser`: codes, on a page of ours (RFC 6749,
//!   7636). * `device`: programs without a browser (RFC 8628). * `desk`: what administrators do.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scorpiox_wire::Secret;
use tracing::error;
use zeroize::Zeroizing;

use crate::audit_chain::{Line, Record};
use crate::auditor::Auditor;
use crate::clock::Monotonic;
use crate::domain::authorization::Codes;
use crate::domain::client::ClientId;
use crate::domain::device_grant::DeviceGrants;
use crate::domain::guesses::Guesses;
use crate::domain::invite::Invite;
use crate::domain::meter::{Meter, Quota};
use crate::gate::{Caller, Gate};
use crate::http::visitor::ClientAddress;
use crate::oauth::OAuth;
use crate::oauth::stand_ins::Family;
use crate::registrar::Registrar;
use crate::seal::Sealer;
use crate::store::audit::Deed;
use crate::store::invites::InviteMac;
use crate::store::{Store, StoreError};
use crate::timeline::Timeline;

mod browser;
mod desk;
mod device;
pub mod form;

pub use browser::{CodeRefused, Redemption};
pub use device::{DeviceAsked, DeviceRefused, NotAsked};

/// What sign-ins are made of.
pub struct Parts {
    /// Makes clients.
    pub registrar: Arc<Registrar>,
    /// Gives out tokens and stand-ins.
    pub oauth: Arc<OAuth>,
    /// Knows the clients.
    pub gate: Arc<Gate>,
    /// Keeps invites.
    pub store: Store,
    /// Recognises invites and forms.
    pub sealer: Sealer,
    /// Writes down who was let in.
    pub auditor: Auditor,
    /// What time it is.
    pub timeline: Timeline,
    /// The issuer's identifier (RFC 8414): `https://broker.example:8443`.
    pub issuer: String,
}

/// Lines of the audit about wrong invites, of all addresses together: one that has many addresses fills no disk.
const REFUSALS: Quota = Quota::per_minute(NonZeroU32::new(60).expect("sixty is not zero"));

/// Lets programs sign in.
pub struct SignIns {
    parts: Parts,
    codes: Mutex<Codes<Arc<Family>>>,
    devices: Mutex<DeviceGrants>,
    guesses: Mutex<Guesses>,
    refusals: Meter,
}

/// Who sits before a page.
#[derive(Clone, Copy)]
pub struct Visitor<'a> {
    /// From where.
    pub address: ClientAddress,
    /// The request id in the log.
    pub request_id: &'a str,
    /// Its `User-Agent`.
    pub agent: &'a str,
}

/// Why an invite lets nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InviteRefused {
    /// Mistyped, never issued, used, over, or of a client that was revoked: the answer does not tell which.
    #[error("this invite is not known here: it may be mistyped, used already, or older than 15 minutes")]
    Unknown,
    /// Too many wrong ones from this address.
    #[error("too many wrong invites came from this address")]
    Wait(Duration),
    /// The database does not answer.
    #[error("the broker's storage failed; the invite is as good as before")]
    Storage,
}

impl From<StoreError> for InviteRefused {
    fn from(error: StoreError) -> Self {
        error!(%error, "an invite could not be looked at");
        Self::Storage
    }
}

/// An invite that is good and not used yet.
struct GoodInvite {
    mac: InviteMac,
    caller: Arc<Caller>,
}

impl SignIns {
    /// Takes its parts.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            codes: Mutex::default(),
            devices: Mutex::default(),
            guesses: Mutex::default(),
            refusals: Meter::default(),
        }
    }

    /// The issuer's identifier: what addresses of the broker begin with.
    pub fn issuer(&self) -> &str {
        &self.parts.issuer
    }

    fn moment(&self) -> Monotonic {
        self.parts.timeline.monotonic()
    }

    fn caller(&self, id: &ClientId) -> Option<Arc<Caller>> {
        self.parts.gate.callers().into_iter().find(|caller| caller.client.id == *id)
    }

    fn mac(&self, invite: &Invite) -> InviteMac {
        self.parts.sealer.authenticate("invite", invite.letters().expose().as_bytes())
    }

    /// Looks whether an invite is good. It is not used up yet, and counts as wrong until it is: of many that are shown at
    /// once no more are looked at than one after the other.
    async fn look_at(&self, typed: &str, visitor: Visitor<'_>) -> Result<GoodInvite, InviteRefused> {
        let address = visitor.address.0;
        lock(&self.guesses).count(address, self.moment()).map_err(InviteRefused::Wait)?;
        if let Ok(invite) = Invite::parse(typed) {
            let mac = self.mac(&invite);
            let found = self.parts.store.find_invite(&mac, self.parts.timeline.now()).await;
            let client = found.inspect_err(|_| lock(&self.guesses).take_back(address))?;
            if let Some(caller) = client.and_then(|client| self.caller(&client)) {
                return Ok(GoodInvite { mac, caller });
            }
        }
        Err(self.wrong(visitor).await)
    }

    /// Uses it up. Of two that try at once, one is refused.
    async fn use_up(&self, invite: &GoodInvite, what_for: &str, visitor: Visitor<'_>) -> Result<(), InviteRefused> {
        lock(&self.guesses).take_back(visitor.address.0);
        if !self.parts.store.use_invite(&invite.mac, self.parts.timeline.now()).await? {
            return Err(InviteRefused::Unknown);
        }
        let name = &invite.caller.client.name;
        self.note(&format!("client:{name}"), "invite.use", &format!("client:{name}"), "ok", what_for, visitor).await;
        Ok(())
    }

    /// A code or an invite was wrong. It is counted already.
    async fn wrong(&self, visitor: Visitor<'_>) -> InviteRefused {
        if self.refusals.take(REFUSALS, self.moment()).is_ok() {
            self.note("broker", "invite.refused", "invite", "forbidden", visitor.agent, visitor).await;
        }
        InviteRefused::Unknown
    }

    async fn note(&self, actor: &str, action: &str, object: &str, outcome: &str, detail: &str, visitor: Visitor<'_>) {
        let record = Record {
            at: self.parts.timeline.now(),
            actor: Line::of(actor),
            action: Line::of(action),
            object: Line::of(object),
            outcome: Line::of(outcome),
            request_id: Line::of(visitor.request_id),
            address: Line::of(&visitor.address.to_string()),
            detail: Line::of(detail),
        };
        // No token leaves here: the hand-out that follows is refused when the audit takes nothing.
        if self.parts.auditor.write(Deed { record, handout: None }).await.is_err() {
            error!(actor, action, object, outcome, "what was done at a sign-in is in this log only");
        }
    }
}

/// 256 random bits as text, and what recognises them.
fn ticket() -> (Secret, [u8; 32]) {
    let bytes = Zeroizing::new(random::<32>());
    let text = Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()));
    let hash = hash(text.expose());
    (text, hash)
}

fn hash(text: &str) -> [u8; 32] {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the machine has a random source");
    bytes
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
