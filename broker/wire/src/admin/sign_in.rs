//! Programs that sign in by browser: invites, and requests that wait for a person.

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::token::outward;

/// Invite a person to sign a program in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct InviteRequest {
    /// Name of the credential that a client which does not exist yet may use; for one that exists it must be its own.
    #[serde(default)]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9@._-]*$")
    )]
    pub credential: Option<String>,
}

/// An invite, which is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteIssued {
    /// Name of the client that a program becomes with it.
    pub client: String,
    /// Name of the credential that it may use.
    pub credential: String,
    /// The invite: 20 letters in four groups.
    #[serde(serialize_with = "outward")]
    pub invite: Secret,
    /// Until when it may be used.
    pub expires_at: i64,
    /// What the program's configuration begins its addresses with: `https://broker.example:8443`.
    pub origin: String,
}

/// A program without a browser that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInView {
    /// What it shows to its person: `BCDF-GHJK`.
    pub user_code: String,
    /// From where it asks.
    pub address: Option<String>,
    /// Its `User-Agent`; absent when it sent none.
    pub agent: Option<String>,
    /// Since when.
    pub asked_at: i64,
    /// How long it waits.
    pub expires_at: i64,
}

/// Let a program that waits in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignInApproval {
    /// Name of the client that it becomes; made if there is none.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9@._-]*$")
    )]
    pub name: String,
    /// Name of the credential that a new client may use; for one that exists it must be its own.
    #[serde(default)]
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9@._-]*$")
    )]
    pub credential: Option<String>,
}

/// A program that was let in.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInApproved {
    /// What asked.
    pub sign_in: SignInView,
    /// Name of the client that it becomes.
    pub client: String,
    /// Name of the credential that it may use.
    pub credential: String,
}
