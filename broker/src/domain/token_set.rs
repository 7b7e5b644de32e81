//! The tokens of one generation, and what an answer does to them.

use scorpiox_wire::Secret;

use super::answer::TokenGrant;
use super::fingerprint::Fingerprint;
use crate::clock::Timestamp;

/// The tokens of one generation. Never leaves the broker as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSet {
    /// Handed out to clients.
    pub access_token: Secret,
    /// May be redeemed once, by the rotator and nobody else.
    pub refresh_token: Secret,
    /// Kept for its claims.
    pub id_token: Option<Secret>,
    /// Names the refresh token.
    pub fingerprint: Fingerprint,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// When the access token was obtained.
    pub obtained_at: Timestamp,
    /// Redeeming the refresh token before this burns it (*P 24*).
    pub earliest_refresh_at: Option<Timestamp>,
}

/// What a grant makes of a token set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// The next generation's tokens.
    pub tokens: TokenSet,
    /// The access token was empty, had ended, or ends no later than the one before (matrix R11): renewing again at
    /// once would only spin.
    pub weak: bool,
}

impl TokenSet {
    /// The next generation: what the answer left out stays as it was (RFC 6749 §6).
    ///
    /// An access token that is empty or has ended is not taken over: the one before may still be good. One that is
    /// merely short is, because a provider may refuse the previous one soon after a rotation (*P 4.3*).
    pub fn succeeded_by(&self, grant: &TokenGrant, fingerprint: Fingerprint, now: Timestamp) -> Succession {
        let usable = !grant.access_token.is_empty() && grant.expires_at > now;
        let weak = !usable || grant.expires_at <= self.expires_at;
        let (access_token, expires_at, obtained_at) = if usable {
            (grant.access_token.clone(), grant.expires_at, now)
        } else {
            (self.access_token.clone(), self.expires_at, self.obtained_at)
        };
        let tokens = Self {
            access_token,
            refresh_token: grant.refresh_token.clone().unwrap_or_else(|| self.refresh_token.clone()),
            id_token: grant.id_token.clone().or_else(|| self.id_token.clone()),
            fingerprint,
            expires_at,
            obtained_at,
            earliest_refresh_at: grant.earliest_refresh_at,
        };
        Succession { tokens, weak }
    }
}
