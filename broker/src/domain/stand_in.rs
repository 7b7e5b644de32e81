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

/// Whether anybody has presented it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Use {
    Never,
    Seen,
}

impl Use {
    /// Families that were written before this was noted of each one.
    fn seen() -> Self {
        Self::Seen
    }
}

/// One that has a successor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Replaced {
    #[serde(flatten)]
    member: Member,
    #[serde(default = "Use::seen")]
    used: Use,
}

/// How a family stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    newest: Member,
    /// Of the newest.
    used: Use,
    /// Oldest first.
    replaced: Vec<Replaced>,
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
    /// Replaced long ago, and nobody has presented what came after it: the answers were lost.
    Bereft,
}

/// It was replaced long ago and one of its successors was used: two hold copies of it.
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
        let mut all = self.replaced.iter().map(|replaced| &replaced.member).chain([&self.newest]);
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
            Standing::Recent => {
                let presented = next.replaced.iter_mut().find(|replaced| replaced.member.number == number);
                presented.expect("a recent one is remembered").used = Use::Seen;
            }
            Standing::Ahead => {
                next.newest = Member { number, given: given.clone(), since: now.as_unix() };
                next.used = Use::Seen;
                next.replaced.clear();
                return Ok(next.succeeded(given, now));
            }
            Standing::Bereft => {
                // Whoever has a successor after all is a second holder: they are not remembered.
                let mut bereft = self.find(number).expect("a bereft one is remembered").clone();
                bereft.member.since = now.as_unix();
                next.replaced = vec![bereft];
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
        let member = Member { since: now.as_unix(), ..std::mem::replace(&mut self.newest, newest) };
        self.replaced.retain(|replaced| is_recent(&replaced.member, now));
        self.replaced.push(Replaced { member, used: self.used });
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
        let replaced = self.find(number).ok_or(Reused)?;
        if is_recent(&replaced.member, now) {
            return Ok(Standing::Recent);
        }
        let later = self.replaced.iter().filter(|replaced| replaced.member.number > number);
        let nobody_has_one = later.map(|replaced| replaced.used).chain([self.used]).all(|used| used == Use::Never);
        if nobody_has_one { Ok(Standing::Bereft) } else { Err(Reused) }
    }

    fn find(&self, number: u64) -> Option<&Replaced> {
        self.replaced.iter().find(|replaced| replaced.member.number == number)
    }
}

fn is_recent(member: &Member, now: Timestamp) -> bool {
    now.since(Timestamp::from_unix(member.since)) < GRACE
}

#[cfg(test)]
mod tests;
