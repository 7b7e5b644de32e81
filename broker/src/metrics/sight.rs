//! The state of the broker at one moment, as plain data.

use scorpiox_wire::admin::Health;

use crate::clock::Timestamp;

/// What somebody who looks at the broker sees.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// The moment.
    pub now: Timestamp,
    /// When the process began to serve.
    pub started_at: Timestamp,
    /// When the certificate ends; none over plain HTTP.
    pub certificate_ends_at: Option<Timestamp>,
    /// The high-water mark is missing: nothing is renewed.
    pub fenced: bool,
    /// Tokens can be handed out.
    pub serving: bool,
    /// Tokens can be renewed.
    pub renewing: bool,
    /// Each credential.
    pub credentials: Vec<CredentialSight>,
    /// Hand-outs of each client that is not revoked, since it was loaded.
    pub handouts: Vec<(String, u64)>,
    /// Seconds until the end of each client that has one, negative afterwards; the nearest end first.
    pub client_ends: Vec<(String, i64)>,
    /// So many clients have a series of their own; the others share one.
    pub most_clients: usize,
    /// Rotations under way.
    pub in_flight: u64,
    /// Rescue slots that nobody holds.
    pub slots_free: u64,
    /// Rescue slots.
    pub slots: u64,
    /// Answers with tokens that are nowhere but in memory.
    pub memory_only: u64,
    /// Answers that the database does not take.
    pub unsaved: u64,
    /// Audit entries in the spool.
    pub spooled: u64,
    /// How long the oldest of them has waited, in seconds.
    pub spooled_for: u64,
    /// Neither the database nor the spool takes the audit.
    pub audit_failing: bool,
    /// The database's files, in bytes.
    pub database_bytes: u64,
}

/// One credential.
#[derive(Debug, Clone)]
pub struct CredentialSight {
    /// What people call it.
    pub name: String,
    /// Can it be renewed.
    pub health: Health,
    /// Token sets so far.
    pub generation: u64,
    /// Seconds until the access token ends; negative afterwards.
    pub expires_in: i64,
    /// Seconds until the planned rotation; none when none is planned.
    pub renew_in: Option<i64>,
}
