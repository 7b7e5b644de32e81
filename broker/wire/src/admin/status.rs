//! The broker at a glance.

use serde::{Deserialize, Serialize};

use crate::admin::credential::CredentialView;

/// What does not work as it should, though the broker serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Degraded {
    /// Stable name: `fenced`, `in_doubt`, `save_failing`, `audit_spooling`, `clock_stepped`, `rescue_slots` …
    pub what: String,
    /// In words.
    pub reason: String,
    /// The command that helps.
    pub next: Option<String>,
}

/// The answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Readiness {
    /// Can hand out tokens.
    pub serving: bool,
    /// Can renew tokens.
    pub renewing: bool,
    /// What does not work as it should. Names no credential: this answer needs no key.
    pub degraded: Vec<String>,
}

/// The broker at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// Version of the broker.
    pub version: String,
    /// When it was started.
    pub started_at: i64,
    /// Its data directory.
    pub data: String,
    /// Where clients reach it.
    pub url: String,
    /// Can hand out tokens.
    pub serving: bool,
    /// Can renew tokens.
    pub renewing: bool,
    /// When the certificate ends; absent over plain HTTP.
    pub certificate_ends_at: Option<i64>,
    /// What does not work as it should.
    pub degraded: Vec<Degraded>,
    /// Each credential.
    pub credentials: Vec<CredentialView>,
    /// Clients that are not revoked.
    pub clients: u64,
}
