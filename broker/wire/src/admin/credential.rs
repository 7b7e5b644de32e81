//! Credentials as an administrator sees and steers them.

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::problem::Problem;
use crate::token::outward;

/// Whether a credential can be renewed, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Renewed on schedule.
    Good,
    /// The last attempts to renew failed without harm; it will try again.
    BackingOff,
    /// A redemption was sent and its answer is unknown.
    InDoubt,
    /// The login has ended; a person must log in again.
    Reauth,
    /// Set aside until a person looks.
    Quarantine,
    /// Paused by an administrator.
    Paused,
}

/// A credential as people may see it: no token of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialView {
    /// Stable id.
    pub id: String,
    /// The name that people use.
    pub name: String,
    /// `codex`.
    pub provider: String,
    /// ChatGPT account (workspace) id.
    pub account_id: String,
    /// Mail address of the login, when its token says one.
    pub email: Option<String>,
    /// `plus`, `team` …
    pub plan_type: Option<String>,
    /// Can it be renewed.
    pub health: Health,
    /// Why it is not `good`, in words.
    pub reason: Option<String>,
    /// The command that helps.
    pub next: Option<String>,
    /// Token sets so far.
    pub generation: u64,
    /// Claims so far.
    pub epoch: u64,
    /// When the access token ends.
    pub expires_at: i64,
    /// When the next renewal is planned; absent when none is.
    pub renew_at: Option<i64>,
    /// When the current token set was obtained.
    pub rotated_at: i64,
    /// True while clients get its token.
    pub serving: bool,
    /// Clients that may use it.
    pub clients: u64,
}

/// A login that exists elsewhere is taken over: the body of a stock `auth.json`, reduced to what is needed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// Name of the credential; an existing one gets the new token set.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9@._-]*$", example = "main")
    )]
    pub name: String,
    /// `tokens.access_token`.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password, min_length = 1))]
    #[serde(serialize_with = "outward")]
    pub access_token: Secret,
    /// `tokens.refresh_token`. Only ever travels towards the broker.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password, min_length = 1))]
    #[serde(serialize_with = "outward")]
    pub refresh_token: Secret,
    /// `tokens.id_token`.
    #[serde(serialize_with = "outward")]
    pub id_token: Secret,
    /// `tokens.account_id`.
    #[cfg_attr(feature = "openapi", schema(min_length = 1))]
    pub account_id: String,
    /// Allow another account on an existing name.
    #[serde(default)]
    pub replace_account: bool,
}

/// A credential that was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialRemoved {
    /// What it was.
    #[serde(flatten)]
    pub credential: CredentialView,
    /// What became of the login at the provider.
    #[serde(default)]
    pub upstream: Upstream,
    /// Why the login could not be ended there. It stays removed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_problem: Option<Problem>,
}

/// What became of a removed credential's login at the provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Upstream {
    /// Left as it is.
    #[default]
    Left,
    /// Ended, with all its tokens.
    Revoked,
    /// It should have been ended, and that failed: its tokens may go on.
    Failed,
}

/// Renew now.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// For a credential in doubt: present the refresh token once more (after the quiet time).
    #[serde(default)]
    pub probe: bool,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefreshAnswer {
    /// True when the generation went up.
    pub renewed: bool,
    /// The credential afterwards.
    pub credential: CredentialView,
}

/// Pause a credential.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// Keep serving the token, only stop renewing it.
    #[serde(default)]
    pub renewal_only: bool,
}
