//! The state of the world, as far as it may need a person.

use super::super::credential::{Name, Pause};
use super::super::rotation::State;
use super::super::scope::Scopes;
use crate::clock::Timestamp;

/// Whether the audit can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditState {
    /// To the database.
    Writing,
    /// To the spool only.
    Spooling,
    /// Nowhere.
    Failing,
}

/// One credential, as far as it may need a person.
#[derive(Debug, Clone)]
pub struct Login {
    /// Its name.
    pub name: Name,
    /// What an administrator switched off. A login that is not handed out needs nobody.
    pub pause: Pause,
    /// How its rotation stands.
    pub state: State,
    /// From when to when its access token lasts; none when it cannot be read.
    pub life: Option<(Timestamp, Timestamp)>,
    /// What the last attempts to renew came to, when they failed without harm.
    pub failing: Option<String>,
    /// It may not be renewed sooner than this.
    pub not_before: Option<Timestamp>,
}

/// Who has an end that an administrator set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// A client that is not paused.
    Client(Name),
    /// An admin key, and what it may do.
    AdminKey(Name, Scopes),
}

/// Somebody's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Who has it.
    pub whose: Whose,
    /// From when on it gets nothing, or opens nothing.
    pub at: Timestamp,
}

/// A listener that presents a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The clients'.
    Clients,
    /// The administration's.
    Administration,
}

/// When the certificate of a listener ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateEnd {
    /// Whose.
    pub listener: Listener,
    /// From when on nobody connects.
    pub at: Timestamp,
}

/// Everything that conditions are made of.
#[derive(Debug, Clone)]
pub struct World {
    /// The moment.
    pub now: Timestamp,
    /// Why the broker is fenced.
    pub fence: Option<String>,
    /// Answers in memory only.
    pub memory_only: usize,
    /// Answers that the database does not take.
    pub unsaved: usize,
    /// The audit.
    pub audit: AuditState,
    /// By how many seconds the machine's calendar jumped.
    pub clock_stepped: Option<i64>,
    /// Rescue slots that nobody holds.
    pub free_slots: usize,
    /// Renewals under way.
    pub in_flight: usize,
    /// Rescue slots that cannot be read: the file, and why.
    pub damaged_slots: Vec<(String, String)>,
    /// The certificates of the listeners, each once.
    pub certificates: Vec<CertificateEnd>,
    /// Each credential.
    pub logins: Vec<Login>,
    /// Clients and admin keys whose end is near.
    pub ends: Vec<End>,
}
