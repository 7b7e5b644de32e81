//! The audit as a chain: every entry's MAC covers the entry, its number and the MAC before it.
//!
//! ```text
//! mac(n) = HMAC("audit",  1 | mac(n-1) | n | at | actor | action | object | outcome | request id | address | detail )
//!                        8 bit  32 bytes  64   64   each text behind its length, 32 bits; numbers big-endian
//! ```
//!
//! Without the master key nobody can change, insert, remove or reorder entries unnoticed. Only the end could be cut
//! off: so the [`Link`] of the newest entry is kept in another place too, and [`Verifier`] asks for it.

use scorpiox_wire::admin;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::hex;
use crate::seal::Sealer;

mod line;

pub use line::Line;

const PURPOSE: &str = "audit";
const VERSION: u8 = 1;

/// Something that happened, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    #[serde(with = "unix_seconds")]
    pub at: Timestamp,
    /// Who: `client:laptop-anna`, `admin:uid=0`, `broker`.
    pub actor: Line,
    /// What: `token.first`, `token.refused`, `client.create` …
    pub action: Line,
    /// To what: `credential:main`.
    pub object: Line,
    /// `ok`, or the code of the refusal.
    pub outcome: Line,
    /// The request id in the log.
    pub request_id: Line,
    /// Where the request came from.
    pub address: Line,
    /// Anything else.
    pub detail: Line,
}

/// Number and MAC of an entry: what the next entry builds upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Counts from 1 without a gap; 0 before the first entry.
    pub seq: u64,
    /// The entry's MAC; zeros before the first entry.
    pub mac: [u8; 32],
}

impl Link {
    /// What the first entry builds upon.
    pub const START: Self = Self { seq: 0, mac: [0; 32] };
}

/// An entry of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub link: Link,
    /// What happened.
    pub record: Record,
}

impl Record {
    /// The bytes that a spool keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and a number are JSON")
    }

    /// What [`Self::to_bytes`] made; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// In the order in which the MAC covers them.
    fn texts(&self) -> [&Line; 7] {
        let Self { at: _, actor, action, object, outcome, request_id, address, detail } = self;
        [actor, action, object, outcome, request_id, address, detail]
    }
}

impl Entry {
    /// The entry that follows `previous`.
    pub fn after(previous: Link, record: Record, sealer: &Sealer) -> Self {
        let link = link(sealer, previous, &record);
        Self { link, record }
    }

    /// As the contract says it.
    pub fn to_wire(&self) -> admin::AuditEntry {
        let Self { link, record } = self;
        let text = |line: &Line| line.as_str().to_owned();
        admin::AuditEntry {
            seq: link.seq,
            at: record.at.as_unix(),
            actor: text(&record.actor),
            action: text(&record.action),
            object: text(&record.object),
            outcome: text(&record.outcome),
            request_id: text(&record.request_id),
            address: text(&record.address),
            detail: text(&record.detail),
            mac: hex::encode(&link.mac).to_string(),
        }
    }
}

/// Number and MAC of the entry that follows `previous`.
pub fn link(sealer: &Sealer, previous: Link, record: &Record) -> Link {
    let seq = previous.seq + 1;
    let mut covered = vec![VERSION];
    covered.extend(previous.mac);
    covered.extend(seq.to_be_bytes());
    covered.extend(record.at.as_unix().to_be_bytes());
    for text in record.texts() {
        let length = u32::try_from(text.as_str().len()).expect("a line is short");
        covered.extend(length.to_be_bytes());
        covered.extend(text.as_str().as_bytes());
    }
    Link { seq, mac: sealer.authenticate(PURPOSE, &covered) }
}

/// Where the chain breaks, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq}: {reason}")]
pub struct Fault {
    /// The first entry that is wrong or missing.
    pub seq: u64,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The chain goes on later: entries from here on were removed.
    #[error("it is missing, though later entries are there")]
    Missing,
    /// An entry with a lower number comes after a higher one, or twice.
    #[error("another entry stands in its place: the order was changed")]
    Reordered,
    /// Its text or MAC does not fit what came before.
    #[error("it was changed, or replaced by one that this broker did not write")]
    Edited,
    /// The chain ends before the entry that is known to be the newest.
    #[error("it is missing: the end of the audit was cut off")]
    CutOff,
}

/// Goes through the entries in the order in which the table has them.
#[derive(Debug)]
pub struct Verifier<'a> {
    sealer: &'a Sealer,
    last: Link,
    /// Oldest last.
    known: Vec<Link>,
}

impl<'a> Verifier<'a> {
    /// The first entry builds upon `start`. `known` are entries as other places remember them; the chain may have grown
    /// since.
    pub fn new(sealer: &'a Sealer, start: Link, mut known: Vec<Link>) -> Self {
        known.retain(|link| link.seq > start.seq);
        known.sort_by_key(|link| std::cmp::Reverse(link.seq));
        Self { sealer, last: start, known }
    }

    /// Checks the next entry.
    pub fn check(&mut self, entry: &Entry) -> Result<(), Fault> {
        let expected = self.last.seq + 1;
        let fault = |reason| Err(Fault { seq: expected, reason });
        match entry.link.seq.cmp(&expected) {
            std::cmp::Ordering::Greater => return fault(Reason::Missing),
            std::cmp::Ordering::Less => return fault(Reason::Reordered),
            std::cmp::Ordering::Equal => {}
        }
        if link(self.sealer, self.last, &entry.record) != entry.link {
            return fault(Reason::Edited);
        }
        // A chain that somebody began anew with our own key fits itself, but not what is remembered.
        while let Some(known) = self.known.pop_if(|known| known.seq == expected) {
            if known != entry.link {
                return fault(Reason::Edited);
            }
        }
        self.last = entry.link;
        Ok(())
    }

    /// After the last entry: its number.
    pub fn finish(self) -> Result<u64, Fault> {
        if self.known.is_empty() {
            return Ok(self.last.seq);
        }
        Err(Fault { seq: self.last.seq + 1, reason: Reason::CutOff })
    }
}

/// Checks a whole chain; see [`Verifier`].
pub fn verify<'a>(
    sealer: &Sealer,
    head: Option<Link>,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Result<u64, Fault> {
    let mut verifier = Verifier::new(sealer, Link::START, head.into_iter().collect());
    for entry in entries {
        verifier.check(entry)?;
    }
    verifier.finish()
}

mod unix_seconds {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::clock::Timestamp;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.as_unix())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_unix)
    }
}

#[cfg(test)]
mod tests;
