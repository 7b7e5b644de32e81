//! The broker at a glance.

use serde::{Deserialize, Serialize};

use crate::admin::credential::{CredentialView, Health};

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

/// How many credentials are how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthCounts {
    /// Renewed on schedule.
    pub good: u64,
    /// Will be tried again.
    pub backing_off: u64,
    /// A renewal's answer is unknown.
    pub in_doubt: u64,
    /// Somebody must log in again.
    pub reauth: u64,
    /// Set aside until a person looks.
    pub quarantine: u64,
    /// Paused by an administrator.
    pub paused: u64,
}

impl HealthCounts {
    /// One more.
    pub fn add(&mut self, health: Health) {
        *match health {
            Health::Good => &mut self.good,
            Health::BackingOff => &mut self.backing_off,
            Health::InDoubt => &mut self.in_doubt,
            Health::Reauth => &mut self.reauth,
            Health::Quarantine => &mut self.quarantine,
            Health::Paused => &mut self.paused,
        } += 1;
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        let Self { good, backing_off, in_doubt, reauth, quarantine, paused } = self;
        good + backing_off + in_doubt + reauth + quarantine + paused
    }
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
    /// When the certificate of the administration ends; absent where it has none of its own.
    #[serde(default)]
    pub admin_certificate_ends_at: Option<i64>,
    /// What does not work as it should.
    pub degraded: Vec<Degraded>,
    /// How many credentials are how.
    #[serde(default)]
    pub health: HealthCounts,
    /// Each credential, in the order of their names. Of more than 100, those that are not well: at most 100.
    pub credentials: Vec<CredentialView>,
    /// Clients that are not revoked.
    pub clients: u64,
}
