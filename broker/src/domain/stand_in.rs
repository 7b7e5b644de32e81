//! Stand-ins: refresh tokens of the broker's own, for clients that will not do without one.
//!
//! ```text
//! sxr_ 7f3k9q2m1c0d _ 3 _ 43 characters of unpadded base64url
//!      family         |    HMAC-SHA-256 under the pepper over family, number and the family's salt
//!                     number within the family, from 1
//! ```
//!
//! A family is one sign-in: one downloaded file, or one browser. Its stand-ins follow each other, and all of them can be
//! made again from the family's row and the pepper, which is not in the database. So each one that was ever issued is
//! recognised for what it is, all who present the same one get the same successor, and one that is newer than a database
//! out of a backup is believed.

use serde::{Deserialize, Serialize};

use std::time::Duration;

use crate::clock::Timestamp;

mod text;

pub use text::{FamilyId, MalformedStandIn, Presented, Salt, seed};

/// A stand-in that was replaced is good for this much longer: several processes share one file without a lock.
pub const GRACE: Duration = Duration::from_secs(60 * 60);
/// A stand-in in use is replaced at least this often, also when the token stays the same.
pub const LONGEST_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// So many that were replaced are remembered.
const REMEMBERED: usize = 8;

/// Who a family was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The stock CLI with a downloaded `auth.json`.
    AuthFile,
    /// A client that signed in at the broker as its OAuth server.
    Gateway,
}

/// A token that went out together with a stand-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Id of the credential.
    pub credential: String,
    /// Its generation.
    pub generation: u64,
}

/// A stand-in that is good, or was until not long ago.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Member {
    number: u64,
    given: Given,
    /// When it became the newest; of one that was replaced, when that happened.
    since: i64,
}

/// Whether anybody has presented the newest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Use {
    Never,
    Seen,
}

/// How a family stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    newest: Member,
    used: Use,
    /// Oldest first.
    replaced: Vec<Member>,
}

/// What a genuine stand-in is to its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// The newest.
    Newest,
    /// Newer than anything that we know of: the database is out of a backup.
    Ahead,
    /// Replaced a moment ago.
    Recent,
    /// Replaced long ago by one that nobody has presented since: the answer with it was lost.
    Bereft,
}

/// It was replaced long ago and its successor was used: two hold copies of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this stand-in was replaced long ago")]
pub struct Reused;

impl Lineage {
    /// A new family, whose first stand-in goes out with this token.
    pub fn begin(given: Given, now: Timestamp) -> Self {
        let newest = Member { number: 1, given, since: now.as_unix() };
        Self { newest, used: Use::Never, replaced: Vec::new() }
    }

    /// The number of the newest.
    pub fn newest(&self) -> u64 {
        self.newest.number
    }

    /// The token that went out with this one, as far as that is remembered.
    pub fn given(&self, number: u64) -> Option<&Given> {
        let mut all = self.replaced.iter().chain([&self.newest]);
        all.find(|member| member.number == number).map(|member| &member.given)
    }

    /// Whether this one may still be presented.
    pub fn admit(&self, number: u64, now: Timestamp) -> Result<(), Reused> {
        self.standing(number, now).map(drop)
    }

    /// The family after `number` was presented and answered with this token; the answer carries [`Self::newest`].
    pub fn after(&self, number: u64, given: Given, now: Timestamp) -> Result<Self, Reused> {
        let mut next = self.clone();
        match self.standing(number, now)? {
            Standing::Newest => next.used = Use::Seen,
            Standing::Recent => {}
            Standing::Ahead => {
                next.newest = Member { number, given: given.clone(), since: now.as_unix() };
                next.used = Use::Seen;
                next.replaced.clear();
                return Ok(next.succeeded(given, now));
            }
            Standing::Bereft => {
                // Whoever has the successor after all is a second holder: it is not remembered.
                let bereft = self.replaced.last().expect("a bereft one is the last that was replaced").clone();
                next.replaced = vec![Member { since: now.as_unix(), ..bereft }];
                next.newest = Member { number: self.newest.number + 1, given, since: now.as_unix() };
                return Ok(next);
            }
        }
        let age = now.since(Timestamp::from_unix(self.newest.since));
        let is_due = next.used == Use::Seen && age >= LONGEST_LIFE;
        Ok(if next.newest.given != given || is_due { next.succeeded(given, now) } else { next })
    }

    fn succeeded(mut self, given: Given, now: Timestamp) -> Self {
        let number = self.newest.number + 1;
        let newest = Member { number, given, since: now.as_unix() };
        let replaced = std::mem::replace(&mut self.newest, newest);
        self.replaced.retain(|member| is_recent(member, now));
        self.replaced.push(Member { since: now.as_unix(), ..replaced });
        let too_many = self.replaced.len().saturating_sub(REMEMBERED);
        self.replaced.drain(..too_many);
        self.used = Use::Never;
        self
    }

    fn standing(&self, number: u64, now: Timestamp) -> Result<Standing, Reused> {
        if number == self.newest.number {
            return Ok(Standing::Newest);
        }
        if number > self.newest.number {
            return Ok(Standing::Ahead);
        }
        let member = self.replaced.iter().find(|member| member.number == number).ok_or(Reused)?;
        if is_recent(member, now) {
            return Ok(Standing::Recent);
        }
        let is_last = self.replaced.last() == Some(member);
        if is_last && self.used == Use::Never { Ok(Standing::Bereft) } else { Err(Reused) }
    }
}

fn is_recent(member: &Member, now: Timestamp) -> bool {
    now.since(Timestamp::from_unix(member.since)) < GRACE
}

#[cfg(test)]
mod tests;
