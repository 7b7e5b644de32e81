//! What was done, by whom.

use serde::{Deserialize, Serialize};

/// A line of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Counts from 1 without a gap.
    pub seq: u64,
    /// When.
    pub at: i64,
    /// Who: `client:laptop-anna`, `admin:uid=0`, `broker`.
    pub actor: String,
    /// What: `token.first`, `token.refused`, `client.create` …
    pub action: String,
    /// To what: `credential:main`.
    pub object: String,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    /// The request id in the log.
    pub request_id: String,
    /// Where the request came from.
    pub address: String,
    /// Anything else, one line.
    pub detail: String,
    /// The entry's link in the chain, hexadecimal.
    pub mac: String,
}

/// Remove old entries of the audit.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PruneRequest {
    /// Entries from before this time (Unix seconds) are removed; the newest entry always stays.
    pub before: i64,
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PruneAnswer {
    /// So many entries.
    pub removed: u64,
}

/// Whether the audit is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditVerdict {
    /// Entries that were checked.
    pub entries: u64,
    /// The first entry that does not fit its predecessor; absent when all do.
    pub first_bad: Option<u64>,
    /// What is wrong: with that entry, or with what the chain is held against. Absent when all is well.
    pub reason: Option<String>,
    /// Old entries that the broker itself removed; a sealed checkpoint stands for them.
    #[serde(default)]
    pub removed: u64,
    /// Anchors outside the database that were read.
    #[serde(default)]
    pub anchors: u64,
}
