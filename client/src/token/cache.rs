//! The broker's last answer, kept for the user's next commands: fifty processes make one request, and an outage of
//! the broker is not noticed until the token ends.
//!
//! An answer is bound to who got it: the address, and the key by its id and digest. So a key that was replaced under
//! the same id, or another user's, is never served what it did not get.

use scorpiox_wire::{TokenAnswer, TokenTag};
use serde::{Deserialize, Serialize};

use super::Ask;
use crate::settings::RemoteSettings;
use crate::state_directory::StateDirectory;

/// The longest time that an answer may hold without asking again, whatever the broker says.
const LONGEST_FRESH_MS: i64 = 3_600_000;
/// After a refusal that the broker answered with the very same token, it is not refused again for this long.
const INSISTED_MS: i64 = 60_000;
/// How far the clock may step back before an answer "from the future" is asked about again.
const CLOCK_TOLERANCE_MS: i64 = 5_000;
const VERSION: u32 = 1;

/// Who got an answer, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    url: String,
    key_id: String,
    key_digest: String,
}

impl Owner {
    /// The owner of what a broker answers to these settings.
    pub fn new(settings: &RemoteSettings) -> Self {
        let key = settings.key.as_ref();
        let secret = key.map_or("", |key| key.expose());
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
        Self {
            url: settings.url.as_str().to_owned(),
            key_id: key.map_or("keyless", |key| key.id()).to_owned(),
            key_digest: digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// How the owner's files are named. Only a name: the file itself says whose it is.
    pub fn file_stem(&self) -> String {
        format!("{}-{:016x}", self.key_id, fnv1a(&self.url))
    }
}

/// 64-bit FNV-1a: short, the same in every version, and not meant to resist anybody.
pub(super) fn fnv1a(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// An answer and how long it holds, on this machine's clock: the broker's may differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What the broker said.
    pub answer: TokenAnswer,
    obtained_ms: i64,
    fresh_for_ms: i64,
    fresh_until_ms: i64,
    expires_ms: i64,
    insisted_until_ms: i64,
}

impl Entry {
    /// An answer to a question that was asked at `asked_ms`.
    pub fn new(answer: TokenAnswer, asked_ms: i64) -> Self {
        let broker_now = answer.expires_at.saturating_sub(answer.expires_in);
        let fresh_for_ms = answer.revalidate_at.saturating_sub(broker_now).saturating_mul(1000);
        let expires_ms = asked_ms.saturating_add(answer.expires_in.saturating_mul(1000));
        let fresh_for_ms = fresh_for_ms.clamp(0, LONGEST_FRESH_MS);
        Self { answer, obtained_ms: 0, fresh_for_ms, fresh_until_ms: 0, expires_ms, insisted_until_ms: 0 }
            .confirmed(asked_ms)
    }

    /// The same, confirmed by the broker at `asked_ms`.
    pub fn confirmed(mut self, asked_ms: i64) -> Self {
        self.obtained_ms = asked_ms;
        self.fresh_until_ms = asked_ms.saturating_add(self.fresh_for_ms).min(self.expires_ms);
        self
    }

    /// The same, with which the broker answered a refusal of this very token.
    pub fn insisted(mut self, asked_ms: i64) -> Self {
        self.insisted_until_ms = asked_ms.saturating_add(INSISTED_MS);
        self
    }

    /// May be served without asking.
    pub fn is_fresh(&self, now_ms: i64) -> bool {
        now_ms >= self.obtained_ms - CLOCK_TOLERANCE_MS && now_ms < self.fresh_until_ms
    }

    /// The token has not ended.
    pub fn is_alive(&self, now_ms: i64) -> bool {
        now_ms < self.expires_ms
    }

    /// How long the token still works.
    pub fn minutes_left(&self, now_ms: i64) -> i64 {
        (self.expires_ms - now_ms).max(0) / 60_000
    }
}

/// What to do for a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Serve what the cache holds.
    Serve,
    /// Ask the broker; it may say that this one still holds.
    Ask {
        /// The token that the cache holds.
        have: Option<TokenTag>,
    },
    /// Tell the broker that this token was refused.
    Refuse(TokenTag),
}

/// What to do for a question, given what the cache holds.
pub fn next_step(entry: Option<&Entry>, ask: &Ask, now_ms: i64) -> Step {
    let alive = entry.filter(|entry| entry.is_alive(now_ms));
    let held = alive.map(|entry| entry.answer.tag());
    if let Some(refused) = refused(entry, ask) {
        match alive {
            None if entry.is_none() => return Step::Refuse(refused),
            Some(entry) if held.as_ref() == Some(&refused) && now_ms < entry.insisted_until_ms => return Step::Serve,
            Some(_) if held.as_ref() == Some(&refused) => return Step::Refuse(refused),
            // It has been replaced since, or has ended and so needs no refusal.
            Some(_) | None => {}
        }
    }
    match alive {
        Some(entry) if entry.is_fresh(now_ms) => Step::Serve,
        Some(_) | None => Step::Ask { have: held },
    }
}

fn refused(entry: Option<&Entry>, ask: &Ask) -> Option<TokenTag> {
    match ask {
        Ask::Current => None,
        Ask::OtherThan(tag) => Some(tag.clone()),
        Ask::OtherThanLast => entry.map(|entry| entry.answer.tag()),
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    owner: Owner,
    entry: Entry,
}

/// The cache file of one owner.
#[derive(Debug)]
pub struct Cache<'a> {
    state: &'a StateDirectory,
    owner: &'a Owner,
    name: String,
}

impl<'a> Cache<'a> {
    /// The cache of an owner in this directory.
    pub fn new(state: &'a StateDirectory, owner: &'a Owner) -> Self {
        Self { state, owner, name: format!("{}.token", owner.file_stem()) }
    }

    /// What it holds for this owner; a file that cannot be read or is somebody else's holds nothing.
    pub fn read(&self) -> Option<Entry> {
        let bytes = self.state.read(&self.name)?;
        let stored: Stored = serde_json::from_slice(&bytes).ok()?;
        (stored.version == VERSION && stored.owner == *self.owner).then_some(stored.entry)
    }

    /// Keeps an answer. When this fails the cache is empty.
    pub fn write(&self, entry: &Entry) -> std::io::Result<()> {
        let stored = Stored { version: VERSION, owner: self.owner.clone(), entry: entry.clone() };
        let bytes = zeroize::Zeroizing::new(serde_json::to_vec(&stored)?);
        self.state.replace(&self.name, &bytes)
    }

    /// Forgets the answer.
    pub fn delete(&self) -> std::io::Result<()> {
        self.state.remove(&self.name)
    }
}

#[cfg(test)]
#[path = "cache/tests.rs"]
pub(crate) mod tests;
