//! Serve, renew, or refuse: the decision of a token request.

use super::credential::{Credential, Pause};
use super::permission::{Permission, Policy, Why, Wish, permission};
use super::rotation::{Quarantine, State};
use crate::clock::Timestamp;

/// What a token request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The token in memory.
    Serve,
    /// The token in memory, and a renewal begins behind the request's back.
    ServeAndRefresh,
    /// A renewal first; if it cannot be had in time, the token in memory while it lasts.
    RefreshFirst,
    /// Nothing.
    Refuse(Refusal),
}

/// Why there is nothing to hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// An administrator paused the credential.
    Paused,
    /// The login has ended and so has its token.
    Reauth,
    /// Set aside, and its token has ended or cannot be read.
    Quarantined,
    /// The token has ended and the provider may not be asked before this moment.
    NotBefore(Timestamp),
}

/// Decides. `refused` is true while a client's word stands that the provider refused the current token.
pub fn decide(credential: &Credential, refused: bool, now: Timestamp, policy: &Policy) -> Freshness {
    if credential.pause == Pause::All {
        return Freshness::Refuse(Refusal::Paused);
    }
    let Some(tokens) = &credential.tokens else { return Freshness::Refuse(Refusal::Quarantined) };
    let wish = if refused { Wish::Refused } else { Wish::Need };
    let renewal = permission(credential, wish, now, policy);
    if now >= tokens.expires_at {
        return match renewal {
            Permission::Now | Permission::Never(Why::UnderWay) => Freshness::RefreshFirst,
            Permission::NotBefore(moment) => Freshness::Refuse(Refusal::NotBefore(moment)),
            Permission::Never(Why::Quarantine) => Freshness::Refuse(Refusal::Quarantined),
            Permission::Never(Why::Paused) => Freshness::Refuse(Refusal::Paused),
            Permission::GiveUp | Permission::Never(Why::Reauth) => Freshness::Refuse(Refusal::Reauth),
        };
    }
    match renewal {
        Permission::Now | Permission::Never(Why::UnderWay) if tokens.expires_at.since(now) < policy.floor(tokens) => {
            Freshness::RefreshFirst
        }
        Permission::Now if now >= policy.renew_at(tokens) => Freshness::ServeAndRefresh,
        Permission::Now | Permission::NotBefore(_) | Permission::GiveUp | Permission::Never(_) => Freshness::Serve,
    }
}

/// False when the login can no longer be renewed and a person must log in before the token ends.
pub fn is_renewable(credential: &Credential) -> bool {
    match &credential.rotation.state {
        State::Resting(_) | State::Claimed(_) | State::Sent(_) => credential.tokens.is_some(),
        State::Reauth(_) => false,
        State::Quarantine(cause) => match cause {
            Quarantine::BehindMark
            | Quarantine::BehindWitness
            | Quarantine::OtherAccount
            | Quarantine::Damaged
            | Quarantine::Restored => false,
        },
    }
}
