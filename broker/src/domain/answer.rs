//! What a provider's answer to a redemption means.

use std::time::Duration;

use scorpiox_wire::Secret;

use crate::clock::Timestamp;

/// The tokens of a good answer, as the provider gave them; what was left out is `None` or empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenGrant {
    /// The new access token; may be empty, which the state machine does not publish (matrix R11).
    pub access_token: Secret,
    /// The next refresh token. `None`: the old one stays (RFC 6749 §6).
    pub refresh_token: Option<Secret>,
    /// Kept sealed for its claims; never handed out.
    pub id_token: Option<Secret>,
    /// When the access token ends, already clamped to what is plausible.
    pub expires_at: Timestamp,
    /// Redeeming the refresh token before this burns it (*P 24*).
    pub earliest_refresh_at: Option<Timestamp>,
    /// Who it is for, as far as the tokens say.
    pub identity: Identity,
}

/// Whose login a token set is, read from its (unverified) claims: a hint, compared but never trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// `chatgpt_account_id`: the account or workspace.
    pub account_id: Option<String>,
    /// `chatgpt_user_id`, else `user_id`: the person in it.
    pub user_id: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `chatgpt_plan_type`.
    pub plan_type: Option<String>,
}

/// Why the provider ended a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// `refresh_token_reused`: somebody presented it before.
    Reused,
    /// `refresh_token_expired`, `token_expired`.
    Expired,
    /// `refresh_token_invalidated`, `invalid_refresh_token`: logged out or revoked.
    Invalidated,
    /// `invalid_grant`.
    InvalidGrant,
    /// Three unknown 400 or 401 in a row, an hour apart.
    RefusedThrice,
    /// In doubt for a day beyond the access token's end.
    DoubtTooLong,
}

/// What one complete answer means for the refresh token that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Redeemed: these are the next tokens.
    Granted(Box<TokenGrant>),
    /// The login has ended; presenting the token again is useless and harmful.
    Ended(Ending),
    /// Not redeemed; the same token may be presented later.
    NotConsumed {
        /// What `Retry-After` asked for, uncapped.
        retry_after: Option<Duration>,
        /// For people: `429 too many requests`.
        why: String,
    },
    /// A 400 or 401 that says nothing known: a verdict only after three.
    Refused {
        /// For people: status and code, never the body.
        why: String,
    },
    /// Nobody can tell whether it was redeemed: 5xx, 3xx, an answer that cannot be read.
    Unknown {
        /// For people: `502`, `200 without tokens`.
        why: String,
    },
}
