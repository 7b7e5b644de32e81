//! Why nothing is handed out.

use std::time::Duration;

use scorpiox_wire::Code;

use super::name;
use crate::auditor::AuditUnavailable;
use crate::clock::Timestamp;
use crate::domain::admission::Denied;
use crate::domain::credential::Credential;
use crate::domain::freshness::Refusal;

/// Why nothing is handed out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The client has no credential, or not this one.
    #[error("this key may not use any login")]
    NoGrant,
    /// Revoked, or given another key, while it waited.
    #[error("this key was revoked")]
    Revoked,
    /// The client is paused, expired, elsewhere, or asks too often.
    #[error("{0}")]
    Denied(#[from] Denied),
    /// An administrator paused the credential.
    #[error("the login '{0}' is paused")]
    Paused(String),
    /// A person must log in.
    #[error("the login '{0}' has ended")]
    Reauth(String),
    /// A person must look.
    #[error("the login '{0}' was set aside")]
    Quarantined(String),
    /// The token has ended and the provider cannot be asked now.
    #[error("the token has ended and the provider cannot be asked at the moment")]
    BackingOff(Duration),
    /// A refusal may not cause a rotation yet.
    #[error("this token was renewed too recently to be renewed again because of a refusal")]
    TooSoon(Duration),
    /// A renewal is under way and takes longer than this request may wait, or the client was given another credential.
    #[error("a renewal is under way")]
    Busy(Duration),
    /// What is left of the token is not enough for who asks, and no other can be had.
    #[error("the token of the login '{credential}' ends in {} s, and a newer one cannot be had at the moment", left.as_secs())]
    Short {
        /// What is left of it.
        left: Duration,
        /// Whose.
        credential: String,
        /// Whether a person must log in.
        mending: Mending,
    },
    /// The token has ended and the broker renews nothing until it is promoted.
    #[error("the broker is fenced")]
    Fenced,
    /// The audit cannot be written anywhere.
    #[error("the audit cannot be written")]
    Audit(#[from] AuditUnavailable),
}

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mending {
    /// The broker tries again by itself.
    Itself,
    /// Somebody must log in.
    LogIn,
}

impl Refused {
    /// The stable name of this refusal.
    pub fn code(&self) -> Code {
        match self {
            Self::NoGrant | Self::Denied(Denied::Paused | Denied::Expired(_) | Denied::Elsewhere(_)) => Code::Forbidden,
            Self::Denied(Denied::Requests { .. } | Denied::Handouts { .. }) => Code::TooMany,
            Self::Revoked => Code::Unauthorized,
            Self::Paused(_) => Code::Paused,
            Self::Reauth(_) | Self::Short { mending: Mending::LogIn, .. } => Code::ReauthRequired,
            Self::Quarantined(_) => Code::Quarantined,
            Self::BackingOff(_) | Self::Short { mending: Mending::Itself, .. } => Code::BackingOff,
            Self::TooSoon(_) => Code::TooSoon,
            Self::Busy(_) => Code::Busy,
            Self::Fenced => Code::Unavailable,
            Self::Audit(_) => Code::AuditUnavailable,
        }
    }

    /// What a decision not to serve is called.
    pub(super) fn of(credential: &Credential, refusal: Refusal, now: Timestamp) -> Self {
        match refusal {
            Refusal::Paused => Self::Paused(name(credential)),
            Refusal::Reauth => Self::Reauth(name(credential)),
            Refusal::Quarantined => Self::Quarantined(name(credential)),
            Refusal::NotBefore(moment) => Self::BackingOff(moment.since(now)),
        }
    }

    /// True for what somebody may want to know of later, because of who asked and not of what was asked for.
    pub(super) fn concerns_the_client(&self) -> bool {
        match self {
            Self::NoGrant | Self::Denied(_) | Self::Revoked | Self::Paused(_) => true,
            Self::Reauth(_)
            | Self::Quarantined(_)
            | Self::BackingOff(_)
            | Self::TooSoon(_)
            | Self::Busy(_)
            | Self::Short { .. }
            | Self::Fenced
            | Self::Audit(_) => false,
        }
    }
}
