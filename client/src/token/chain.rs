//! Several sources in their order: the next is asked only in place of one that was not there to decide.
//!
//! A source that refuses, or is broken, ends it: a revoked client must not get around its broker. A source that is away
//! but has a token in its cache gives that one, so the next is not asked either. And a token that was refused is
//! replaced by the source that gave it or by none: the next one may hold another account's.

use std::time::Duration;

use scorpiox_wire::TokenTag;

use super::{Ask, Fetched, SourceName};
use crate::clock::{Clock, Deadline};
use crate::failure::{Class, Failure};
use crate::talk::Talk;

/// Sources that can be asked one by one.
pub trait Sources {
    /// Their names in the order of asking; at least one.
    fn order(&self) -> &[SourceName];
    /// Asks one of them.
    fn fetch(&self, source: SourceName, ask: &Ask, within: Duration, talk: &mut Talk) -> Result<Fetched, Failure>;
}

/// Which token is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A good one.
    Current,
    /// Another one than this, which the provider refused.
    OtherThan(Given),
}

/// A token that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// By whom.
    pub source: SourceName,
    /// Its name; `None` means the last one that this source gave.
    pub tag: Option<TokenTag>,
}

impl From<&Fetched> for Given {
    fn from(fetched: &Fetched) -> Self {
        Self { source: fetched.token.source, tag: fetched.tag.clone() }
    }
}

/// Why no source gave a token: at least one failure, in the order of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unserved(Vec<(Option<SourceName>, Failure)>);

impl Unserved {
    /// What the first source that was asked leaves to do, which is what counts for the whole.
    pub fn class(&self) -> Class {
        self.first().class
    }

    /// One line per source; a single source is not named.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(source, failure)| match source {
            Some(source) => format!("{source}: {failure}"),
            None => failure.to_string(),
        })
    }

    /// The failure of the first source that was asked.
    pub fn first(&self) -> &Failure {
        &self.0.first().expect("a chain without sources is not made").1
    }
}

impl From<Failure> for Unserved {
    fn from(failure: Failure) -> Self {
        Self(vec![(None, failure)])
    }
}

/// A token from the first source that is there. Takes no longer than `whole`, if each source keeps to its share.
pub fn fetch(
    sources: &dyn Sources,
    wanted: &Wanted,
    whole: Duration,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<Fetched, Unserved> {
    let (order, ask) = match wanted {
        Wanted::Current => (sources.order(), Ask::Current),
        Wanted::OtherThan(given) => {
            let ask = given.tag.clone().map_or(Ask::OtherThanLast, Ask::OtherThan);
            (std::slice::from_ref(&given.source), ask)
        }
    };
    let listed = sources.order().len() > 1;
    let deadline = Deadline::within(whole, clock);
    let mut failures: Vec<(Option<SourceName>, Failure)> = Vec::new();
    for (index, source) in order.iter().copied().enumerate() {
        let within = share(deadline.left(), &order[index + 1..]);
        if listed {
            talk.detail(format!("asking {source}, for at most {:.1} s", within.as_secs_f32()));
        }
        match sources.fetch(source, &ask, within, talk) {
            Ok(fetched) => {
                tell_fall_back(source, &failures, talk);
                return Ok(fetched);
            }
            Err(failure) => {
                let ends = !failure.is_absence();
                failures.push((listed.then_some(source), failure));
                if ends {
                    break;
                }
            }
        }
    }
    Err(Unserved(failures))
}

/// What one source may take of the time that is left: all but what those behind it need at least. When that is not
/// there, everybody has the same.
fn share(left: Duration, behind: &[SourceName]) -> Duration {
    let equal = left / u32::try_from(behind.len() + 1).unwrap_or(u32::MAX);
    let kept = behind.iter().map(|source| least(*source)).sum();
    left.saturating_sub(kept).max(equal)
}

/// In what time a source can usually answer.
fn least(source: SourceName) -> Duration {
    Duration::from_millis(match source {
        // A file that is being rewritten is read for half a second.
        SourceName::Local => 700,
        SourceName::Remote => 1_000,
        SourceName::Ssh => 1_200,
    })
}

fn tell_fall_back(source: SourceName, failures: &[(Option<SourceName>, Failure)], talk: &mut Talk) {
    let why: Vec<_> = failures
        .iter()
        .filter_map(|(absent, failure)| absent.map(|absent| format!("{absent}: {}", failure.message())))
        .collect();
    if !why.is_empty() {
        talk.warn(format!("this token is from {source}, because {}", why.join("; ")));
    }
}

#[cfg(test)]
#[path = "chain/tests.rs"]
mod tests;
