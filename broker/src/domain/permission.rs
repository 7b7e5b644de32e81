//! May this credential be renewed now, and if not, when.

use std::time::Duration;

use super::credential::{Credential, Pause};
use super::rotation::{Doubt, LONGEST_WAIT, Resting, State};
use super::token_set::TokenSet;
use crate::clock::Timestamp;

/// The times that an administrator may set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Renew when this share of a token's life has passed; each token is off by up to a tenth of its life.
    pub renew_at_fraction: f64,
    /// A token with less than this left is renewed before it is handed out, when that can be had.
    pub serve_floor: Duration,
    /// No probe sooner than this after a doubt began.
    pub quiet_time: Duration,
    /// A probe waits until the access token has no more than this left (or a tenth of its life, if that is more).
    pub probe_window: Duration,
    /// A token younger than this is not renewed because of a refusal; doubled by each rotation that a refusal caused.
    pub minimum_token_age: Duration,
    /// A doubt ends this long after the access token.
    pub doubt_limit: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            renew_at_fraction: 0.5,
            serve_floor: Duration::from_secs(6 * 60),
            quiet_time: Duration::from_secs(2 * 60),
            probe_window: Duration::from_secs(15 * 60),
            minimum_token_age: Duration::from_secs(60),
            doubt_limit: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl Policy {
    /// When the token should be renewed though nobody asks. Never before `earliest_refresh_at`.
    pub fn renew_at(&self, tokens: &TokenSet) -> Timestamp {
        let life = tokens.expires_at.since(tokens.obtained_at).as_secs_f64();
        let spread = f64::from(tokens.fingerprint.as_bytes()[0]) / 255.0 * 0.2 - 0.1;
        let fraction = (self.renew_at_fraction + spread).clamp(0.05, 0.95);
        let planned = if tokens.obtained_at < tokens.expires_at {
            tokens.obtained_at + Duration::from_secs_f64(life * fraction)
        } else {
            // Obtained while the calendar was wrong, or at its very end.
            tokens.expires_at - self.serve_floor
        };
        tokens.earliest_refresh_at.map_or(planned, |earliest| planned.max(earliest))
    }

    /// How much of its life a token should have left when it is handed out: [`Self::serve_floor`], or half its life if
    /// that is less, so that short-lived tokens are not renewed on each request.
    pub fn floor(&self, tokens: &TokenSet) -> Duration {
        self.serve_floor.min(tokens.expires_at.since(tokens.obtained_at) / 2)
    }

    /// Whether a token has less left than somebody needs, and a successor is worth a rotation: tokens that never last so
    /// long are not renewed more than once in [`Self::minimum_token_age`].
    pub fn is_short(&self, credential: &Credential, at_least: Duration, now: Timestamp) -> bool {
        let Some(tokens) = &credential.tokens else { return false };
        let (life, age) = (tokens.expires_at.since(tokens.obtained_at), now.since(tokens.obtained_at));
        tokens.expires_at.since(now) < at_least && (life > at_least || age >= self.minimum_token_age)
    }

    fn probe_from(&self, tokens: &TokenSet) -> Timestamp {
        let tenth = tokens.expires_at.since(tokens.obtained_at) / 10;
        tokens.expires_at - self.probe_window.max(tenth)
    }
}

/// Why somebody wants a credential renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Its time has come, or a request needs a token that lasts longer.
    Need,
    /// A client says that the provider refused the current token.
    Refused,
    /// An administrator asks.
    Operator,
    /// An administrator asks for a probe: the token need not be near its end.
    OperatorProbe,
}

/// May it be renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// Now.
    Now,
    /// Not before this moment.
    NotBefore(Timestamp),
    /// The doubt has lasted too long: time to call it ended.
    GiveUp,
    /// Not until a person acts.
    Never(Why),
}

/// Why a credential is not renewed until a person acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The login has ended.
    Reauth,
    /// It was set aside.
    Quarantine,
    /// An administrator paused it.
    Paused,
    /// A rotation is under way already.
    UnderWay,
}

/// May this credential be renewed now. Backoff after harmless failures is the rotator's, on its own clock.
pub fn permission(credential: &Credential, wish: Wish, now: Timestamp, policy: &Policy) -> Permission {
    if credential.pause != Pause::None {
        return Permission::Never(Why::Paused);
    }
    let Some(tokens) = &credential.tokens else { return Permission::Never(Why::Quarantine) };
    let not_before = match &credential.rotation.state {
        State::Reauth(_) => return Permission::Never(Why::Reauth),
        State::Quarantine(_) => return Permission::Never(Why::Quarantine),
        State::Claimed(_) | State::Sent(_) => return Permission::Never(Why::UnderWay),
        State::Resting(Resting::Idle(idle)) => idle.not_before.map(|not_before| credible(not_before, now)),
        State::Resting(Resting::InDoubt(doubt)) => match probe(doubt, tokens, wish, now, policy) {
            Permission::NotBefore(moment) => Some(moment),
            Permission::Now => None,
            decided @ (Permission::GiveUp | Permission::Never(_)) => return decided,
        },
    };
    let earliest = not_before.max(tokens.earliest_refresh_at);
    match earliest {
        Some(moment) if moment > now => Permission::NotBefore(moment),
        Some(_) | None => Permission::Now,
    }
}

/// No wait that we ever set is longer than [`LONGEST_WAIT`]: one that is was set by a calendar that was wrong.
fn credible(not_before: i64, now: Timestamp) -> Timestamp {
    let not_before = Timestamp::from_unix(not_before);
    if not_before > now + LONGEST_WAIT { now } else { not_before }
}

fn probe(doubt: &Doubt, tokens: &TokenSet, wish: Wish, now: Timestamp, policy: &Policy) -> Permission {
    let limit = tokens.expires_at + policy.doubt_limit;
    // A broker that was off for weeks asks once more before it gives up: the token may never have been redeemed.
    let asked_since = doubt.probes > 0 && Timestamp::from_unix(doubt.since) >= limit;
    if now >= limit && asked_since {
        return Permission::GiveUp;
    }
    let quiet = credible(doubt.not_before, now);
    match wish {
        Wish::Refused | Wish::OperatorProbe => Permission::NotBefore(quiet),
        Wish::Need | Wish::Operator => Permission::NotBefore(quiet.max(policy.probe_from(tokens))),
    }
}

#[cfg(test)]
#[path = "permission_tests.rs"]
mod tests;
