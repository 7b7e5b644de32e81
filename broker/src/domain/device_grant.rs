//! A program without a browser asks (RFC 8628), and a person elsewhere decides.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::client::ClientId;
use super::letters;
use super::network::counted_as;
use crate::clock::{Monotonic, Timestamp};

/// How long a person may take.
pub const LIFE: Duration = Duration::from_secs(10 * 60);
/// How long a program waits between two questions.
pub const INTERVAL: Duration = Duration::from_secs(5);
/// What is added when it asks sooner.
const SLOWER: Duration = Duration::from_secs(5);
/// A network is not that exact.
const LEEWAY: Duration = Duration::from_secs(1);
/// Requests that may be open at once, of all and of one address.
pub const MOST: usize = 1_000;
/// Of one address (of IPv6: of one /64); a person has one.
pub const MOST_OF_ADDRESS: usize = 10;

const LENGTH: usize = 8;
const GROUP: usize = 4;

/// What a person reads on the one screen and types on the other: `BCDF-GHJK`. Not secret: without an invite or an
/// administrator it does nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserCode(String);

/// What was typed is no [`UserCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a code is 8 letters in two groups, like BCDF-GHJK")]
pub struct MalformedUserCode;

impl UserCode {
    /// From random bytes.
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(letters::spell(random, LENGTH))
    }

    /// As a person typed it.
    pub fn parse(typed: &str) -> Result<Self, MalformedUserCode> {
        letters::read(typed, LENGTH).map(Self).ok_or(MalformedUserCode)
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&letters::grouped(&self.0, GROUP))
    }
}

/// A device code's name in memory: the SHA-256 of its text.
pub type DeviceHash = [u8; 32];

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The code that a person compares.
    pub user_code: UserCode,
    /// From where; none when that is not known.
    pub address: Option<IpAddr>,
    /// `User-Agent`, if it sent one.
    pub agent: String,
    /// Since when.
    pub asked_at: Timestamp,
}

/// What a program learns when it asks how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// Nobody has decided.
    Pending,
    /// It asked sooner than it was told to; from now on it waits longer.
    SlowDown,
    /// Somebody said no.
    Denied,
    /// It took too long, or was never ours.
    Expired,
    /// It is this client now.
    Approved(ClientId),
}

/// No room for another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Too many of this address.
    OfAddress,
    /// Too many in all.
    InAll,
}

/// Nobody waits with this code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NobodyWaits;

/// The requests that wait. They are in memory only: after a restart programs ask anew.
#[derive(Default)]
pub struct DeviceGrants {
    open: HashMap<DeviceHash, Open>,
}

struct Open {
    asking: Asking,
    begun: Monotonic,
    interval: Duration,
    /// Not to be asked about before.
    next: Monotonic,
    verdict: Verdict,
}

enum Verdict {
    None,
    /// Somebody is about to agree, and nobody else may.
    UnderWay,
    Denied,
    Approved(ClientId),
    /// It is being given what it asked for.
    Answering(ClientId),
}

impl DeviceGrants {
    /// Another request.
    pub fn begin(&mut self, device: DeviceHash, asking: Asking, now: Monotonic) -> Result<(), Full> {
        self.open.retain(|_, open| now.since(open.begun) < LIFE);
        if self.open.len() >= MOST {
            return Err(Full::InAll);
        }
        let place = asking.address.map(counted_as);
        let of_address = self.open.values().filter(|open| open.asking.address.map(counted_as) == place).count();
        if of_address >= MOST_OF_ADDRESS {
            return Err(Full::OfAddress);
        }
        self.open.insert(device, Open { asking, begun: now, interval: INTERVAL, next: now, verdict: Verdict::None });
        Ok(())
    }

    /// Who waits for a decision, and for how long it still may.
    pub fn pending(&self, now: Monotonic) -> Vec<(&Asking, Duration)> {
        let waiting = self.open.values().filter(|open| open.waits(now));
        waiting.map(|open| (&open.asking, LIFE.saturating_sub(now.since(open.begun)))).collect()
    }

    /// Who waits with this code.
    pub fn find(&self, code: &UserCode, now: Monotonic) -> Result<&Asking, NobodyWaits> {
        let found = self.open.values().find(|open| open.asking.user_code == *code && open.waits(now));
        found.map(|open| &open.asking).ok_or(NobodyWaits)
    }

    /// A person is about to agree: [`Self::approve`] or [`Self::release`] follows. What agreeing costs is spent between,
    /// so that of two who agree one pays.
    pub fn reserve(&mut self, code: &UserCode, now: Monotonic) -> Result<(), NobodyWaits> {
        self.open_at(code).filter(|open| open.waits(now)).ok_or(NobodyWaits)?.verdict = Verdict::UnderWay;
        Ok(())
    }

    /// The person agrees.
    pub fn approve(&mut self, code: &UserCode, client: ClientId) -> Result<(), NobodyWaits> {
        let reserved = self.open_at(code).filter(|open| matches!(open.verdict, Verdict::UnderWay));
        reserved.ok_or(NobodyWaits)?.verdict = Verdict::Approved(client);
        Ok(())
    }

    /// Nothing came of it: it waits for the next person.
    pub fn release(&mut self, code: &UserCode) {
        if let Some(open) = self.open_at(code).filter(|open| matches!(open.verdict, Verdict::UnderWay)) {
            open.verdict = Verdict::None;
        }
    }

    /// A person refuses.
    pub fn deny(&mut self, code: &UserCode, now: Monotonic) -> Result<(), NobodyWaits> {
        self.open_at(code).filter(|open| open.waits(now)).ok_or(NobodyWaits)?.verdict = Verdict::Denied;
        Ok(())
    }

    fn open_at(&mut self, code: &UserCode) -> Option<&mut Open> {
        self.open.values_mut().find(|open| open.asking.user_code == *code)
    }

    /// The program asks how it stands. That it was approved is told once: [`Self::end`] or [`Self::give_back`] follows.
    pub fn poll(&mut self, device: &DeviceHash, now: Monotonic) -> Poll {
        let Some(open) = self.open.get_mut(device).filter(|open| now.since(open.begun) < LIFE) else {
            return Poll::Expired;
        };
        let too_soon = now + LEEWAY < open.next;
        if too_soon {
            open.interval += SLOWER;
        }
        open.next = now + open.interval;
        match &open.verdict {
            _ if too_soon => Poll::SlowDown,
            Verdict::None => Poll::Pending,
            Verdict::Denied => Poll::Denied,
            Verdict::Approved(client) => {
                let client = client.clone();
                open.verdict = Verdict::Answering(client.clone());
                Poll::Approved(client)
            }
            Verdict::Answering(_) | Verdict::UnderWay => Poll::Pending,
        }
    }

    /// What was approved was given.
    pub fn end(&mut self, device: &DeviceHash) {
        self.open.remove(device);
    }

    /// What was approved could not be given just now: it may ask again.
    pub fn give_back(&mut self, device: &DeviceHash) {
        if let Some(open) = self.open.get_mut(device)
            && let Verdict::Answering(client) = &open.verdict
        {
            open.verdict = Verdict::Approved(client.clone());
        }
    }
}

impl Open {
    fn waits(&self, now: Monotonic) -> bool {
        matches!(self.verdict, Verdict::None) && now.since(self.begun) < LIFE
    }
}

#[cfg(test)]
#[path = "device_grant_tests.rs"]
mod tests;
