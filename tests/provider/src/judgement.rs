//! What the log proves: how often each refresh token was presented, and which presentations should not have been made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fault::Endpoint;
use crate::log::LogEntry;
use crate::serial::TokenRef;

/// How a refresh token fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Which token.
    pub token: TokenRef,
    /// How often it was presented to the token endpoint.
    pub presented: u32,
    /// Which presentation (from 1) redeemed it.
    pub consumed_at: Option<u32>,
    /// What came of each presentation, in order: [`LogEntry::summary`].
    pub outcomes: Vec<String>,
}

/// A counter for each refresh token that was ever presented, by serial.
pub fn counters(log: &[LogEntry]) -> Vec<Counter> {
    let mut counters: BTreeMap<TokenRef, Counter> = BTreeMap::new();
    for (token, entry) in redemptions(log) {
        let fresh = || Counter { token: token.clone(), presented: 0, consumed_at: None, outcomes: Vec::new() };
        let counter = counters.entry(token.clone()).or_insert_with(fresh);
        counter.presented += 1;
        if entry.consumed {
            counter.consumed_at.get_or_insert(counter.presented);
        }
        counter.outcomes.push(entry.summary());
    }
    counters.into_values().collect()
}

/// What a careful client would not have done, a sentence each; empty when it was careful.
///
/// * presenting a refresh token again after an answer that reached it and said that it is spent or that the login has
///   ended (an answer that was cut, garbled or marked lost said nothing, so one more try is legal there);
/// * presenting it while an earlier presentation was still under way;
/// * presenting it before its `earliest_refresh_at`;
/// * sending it to anything but the token and revocation endpoints, for example after a redirect.
pub fn violations(log: &[LogEntry]) -> Vec<String> {
    let mut found = Vec::new();
    let mut earlier: BTreeMap<&TokenRef, Vec<&LogEntry>> = BTreeMap::new();
    for (token, entry) in redemptions(log) {
        let before = earlier.entry(token).or_default();
        let name = format!("entry {}: the refresh token of {token}", entry.id.0);
        if let Some(settled) = before.iter().find(|previous| previous.settled() && !previous.overlaps(entry)) {
            found.push(format!("{name} was presented again after entry {} ({})", settled.id.0, settled.summary()));
        }
        if let Some(other) = before.iter().find(|previous| previous.overlaps(entry)) {
            found.push(format!("{name} was presented while entry {} was under way", other.id.0));
        }
        if entry.too_early {
            found.push(format!("{name} was presented before its earliest_refresh_at"));
        }
        before.push(entry);
    }
    let astray = log.iter().filter(|entry| !matches!(entry.endpoint, Endpoint::Refresh | Endpoint::Revoke));
    for (entry, token) in astray.filter_map(|entry| Some((entry, entry.refresh_token.as_ref()?))) {
        found.push(format!("entry {}: the refresh token of {token} was sent to {}", entry.id.0, entry.target));
    }
    found
}

fn redemptions(log: &[LogEntry]) -> impl Iterator<Item = (&TokenRef, &LogEntry)> {
    let refreshes = log.iter().filter(|entry| entry.endpoint == Endpoint::Refresh);
    refreshes.filter_map(|entry| Some((entry.refresh_token.as_ref()?, entry)))
}
