//! What was told before → what is to be told now.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Condition, Key};
use crate::clock::Timestamp;

/// A condition is over when it has not been seen for so long: one that comes and goes is told once.
pub const OVER_AFTER: Duration = Duration::from_secs(10);

/// A condition that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Since when.
    pub since: Timestamp,
    /// As it was told.
    pub reason: String,
    /// Since when it has not been seen.
    pub unseen_since: Option<Timestamp>,
}

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Something needs a person.
    Raised(Condition),
    /// It is over.
    Resolved(Key, Standing),
}

/// What was told and is not over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory(pub BTreeMap<Key, Standing>);

impl Memory {
    /// Takes in what is seen now, and tells what is new and what is over: once per change, whatever its words.
    pub fn see(&mut self, conditions: &[Condition], now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        for condition in conditions {
            if let Some(standing) = self.0.get_mut(&condition.key) {
                standing.unseen_since = None;
                continue;
            }
            let standing = Standing { since: now, reason: condition.reason.clone(), unseen_since: None };
            self.0.insert(condition.key.clone(), standing);
            changes.push(Change::Raised(condition.clone()));
        }
        self.0.retain(|key, standing| {
            if conditions.iter().any(|condition| condition.key == *key) {
                return true;
            }
            let unseen = standing.unseen_since.get_or_insert(now);
            // A calendar that went back must not keep it for ever.
            *unseen = (*unseen).min(now);
            let is_over = now.since(*unseen) >= OVER_AFTER;
            if is_over {
                changes.push(Change::Resolved(key.clone(), standing.clone()));
            }
            !is_over
        });
        changes
    }
}
