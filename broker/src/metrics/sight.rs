//! The state of the broker at one moment, as plain data.

use scorpiox_wire::admin::Health;

use super::Handouts;
use crate::clock::Timestamp;
use crate::domain::alarm::CertificateEnd;
use crate::domain::credential::Pause;

/// How a credential may be, as label values.
pub const HEALTH_WORDS: [&str; 7] =
    ["good", "backing_off", "in_doubt", "reauth", "quarantine", "paused", "renewal_paused"];

/// How a credential is. One that is handed out though its renewal is paused goes on to its end, unlike one that is
/// paused altogether.
pub fn health_word(health: Health, pause: Pause) -> &'static str {
    match (health, pause) {
        (Health::Good, _) => "good",
        (Health::BackingOff, _) => "backing_off",
        (Health::InDoubt, _) => "in_doubt",
        (Health::Reauth, _) => "reauth",
        (Health::Quarantine, _) => "quarantine",
        (Health::Paused, Pause::Renewal) => "renewal_paused",
        (Health::Paused, Pause::None | Pause::All) => "paused",
    }
}

/// What somebody who looks at the broker sees.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// The moment.
    pub now: Timestamp,
    /// When the process began to serve.
    pub started_at: Timestamp,
    /// The certificates of the listeners, each once; none over plain HTTP.
    pub certificates: Vec<CertificateEnd>,
    /// The high-water mark is missing: nothing is renewed.
    pub fenced: bool,
    /// Tokens can be handed out.
    pub serving: bool,
    /// Tokens can be renewed.
    pub renewing: bool,
    /// Each credential.
    pub credentials: Vec<CredentialSight>,
    /// Clients that are not revoked.
    pub clients: u64,
    /// What they were given.
    pub handouts: Handouts,
    /// Seconds until the end of clients that have one, negative afterwards; the nearest end first.
    pub client_ends: Vec<(String, i64)>,
    /// The same for admin keys, in the order of their names.
    pub admin_key_ends: Vec<(String, i64)>,
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
    /// How it is: one of [`HEALTH_WORDS`].
    pub health: &'static str,
    /// Token sets so far.
    pub generation: u64,
    /// Seconds until the access token ends; negative afterwards.
    pub expires_in: i64,
    /// Seconds until the planned rotation; none when none is planned.
    pub renew_in: Option<i64>,
}
