//! Who may fetch tokens.

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::token::outward;

/// A machine, person or CI job that may fetch tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClientView {
    /// Its name.
    pub name: String,
    /// Public part of its key; empty for a client that signs in by browser and has none.
    pub key_id: String,
    /// Name of the credential that it may use.
    pub credential: String,
    /// When it was made.
    pub created_at: i64,
    /// When it was revoked; absent while it is good.
    pub revoked_at: Option<i64>,
    /// The newest generation that it was given; absent when it never asked.
    pub generation: Option<u64>,
    /// When it was last given a token.
    pub last_seen_at: Option<i64>,
    /// When the last of the tokens that it holds ends.
    pub holds_until: Option<i64>,
    /// Since when it is paused; absent while it may ask.
    #[serde(default)]
    pub paused_at: Option<i64>,
    /// How much it may ask for, from where and until when.
    #[serde(default)]
    pub limits: ClientLimits,
}

/// Create a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClientRequest {
    /// Its name.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9@._-]*$", example = "laptop-anna")
    )]
    pub name: String,
    /// Name of the credential that it may use.
    #[cfg_attr(feature = "openapi", schema(example = "main"))]
    pub credential: String,
    /// How much it may ask for, from where and until when.
    #[serde(default, skip_serializing_if = "ClientLimits::is_usual")]
    pub limits: ClientLimits,
}

/// How much a client may ask for, from where and until when. Replaced as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClientLimits {
    /// Token requests in a minute; absent for what the broker lets every client, 0 for no limit.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(format = Int64, maximum = 4294967295i64))]
    pub requests_per_minute: Option<u32>,
    /// Tokens in an hour; absent for what the broker lets every client, 0 for no limit.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(format = Int64, maximum = 4294967295i64))]
    pub handouts_per_hour: Option<u32>,
    /// Addresses and networks from which it may ask, such as `10.0.0.0/8`; at most 64, none for anywhere.
    #[serde(default)]
    pub allow: Vec<String>,
    /// From when on it gets nothing (Unix seconds); absent for never.
    #[serde(default)]
    pub expires_at: Option<i64>,
}

impl ClientLimits {
    /// Whether it has no limit of its own.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// A client and its key, which is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClientIssued {
    /// The client.
    pub client: ClientView,
    /// Its key.
    #[serde(serialize_with = "outward")]
    pub key: Secret,
    /// What `CODEX_REMOTE_URL` should be.
    pub url: String,
    /// `sha256:…` of the certificate's public key, for `CODEX_REMOTE_PIN`; absent over plain HTTP.
    pub pin: Option<String>,
}

/// Revoke a client.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// Renew its credential at once, so that the token it holds ends soon. Needs the scope `credentials` too.
    #[serde(default)]
    pub rotate: bool,
}

/// A revoked client.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClientRevoked {
    /// The client; `holds_until` says how long the token that it has still works.
    pub client: ClientView,
    /// True when its credential was renewed as asked.
    pub rotated: bool,
}

/// A client that still holds a token of a credential, revoked or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Holder {
    /// Its name.
    pub client: String,
    /// When it was revoked; absent while it is good.
    pub revoked_at: Option<i64>,
    /// The newest generation that it holds.
    pub generation: u64,
    /// How many tokens it was given that have not ended.
    pub tokens: u64,
    /// When it was last given one.
    pub last_seen_at: i64,
    /// When the last of them ends.
    pub until: i64,
}
