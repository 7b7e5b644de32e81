//! What the audit hears of rotations: how each ended, and who asked for it; and of a login that a client's word set aside.
//!
//! Queued behind the outcome, never waited for: an audit that cannot be written delays no rotation, fails none and
//! repeats none. A failure that did no harm and comes again with each attempt is one line, not one for each.

use std::net::IpAddr;
use std::sync::Arc;

use scorpiox_wire::Code;

use super::Rotator;
use super::attempt::Attempt;
use crate::audit_chain::{Line, Record};
use crate::domain::rotation::Quarantine;
use crate::domain::words::cause_in_words;
use crate::holding::{Failure, Holding, Outcome};

/// Who wants a rotation, or knows something about a login.
#[derive(Debug, Clone, Copy)]
pub enum Asker<'a> {
    /// Nobody: it is due.
    Schedule,
    /// A client that asks for a token, or refuses the one that it has.
    Client {
        /// Its name.
        name: &'a str,
        /// The request id in the log.
        request_id: &'a str,
        /// Where it is; none for what is on this machine.
        address: Option<IpAddr>,
    },
    /// An administrator.
    Administrator {
        /// `admin:uid=0`.
        actor: &'a str,
        /// The request id in the log.
        request_id: &'a str,
        /// `unix`, or an address.
        address: &'a str,
    },
}

/// The same, for as long as the rotation takes.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    /// Nobody: it was due.
    who: Option<String>,
    request_id: String,
    address: String,
}

impl Cause {
    pub(super) fn of(asker: Asker<'_>) -> Self {
        const LOCAL: &str = "local";
        let (who, request_id, address) = match asker {
            Asker::Schedule => (None, "", LOCAL.to_owned()),
            Asker::Client { name, request_id, address } => (
                Some(format!("client:{name}")),
                request_id,
                address.map_or_else(|| LOCAL.to_owned(), |address| address.to_string()),
            ),
            Asker::Administrator { actor, request_id, address } => {
                (Some(actor.to_owned()), request_id, address.to_owned())
            }
        };
        Self { who, request_id: request_id.to_owned(), address }
    }

    fn asked(&self) -> String {
        self.who.as_ref().map_or_else(|| "it was due".to_owned(), |who| format!("asked for by {who}"))
    }
}

impl Rotator {
    /// Queues the entry of a rotation that has ended; once, whoever says first that it has.
    pub(super) fn note(&self, holding: &Arc<Holding>, attempt: &Attempt, outcome: &Outcome) {
        if !attempt.is_first_word() {
            return;
        }
        let word = word(outcome);
        let mut desk = holding.desk();
        let known = desk.noted.replace(word);
        if known == Some(word) && !matches!(outcome, Outcome::Renewed(_)) {
            return;
        }
        let credential = &desk.credential;
        let (object, generation) = (format!("credential:{}", credential.name), credential.rotation.generation);
        drop(desk);
        let cause = attempt.cause();
        let asked = cause.asked();
        let detail = match outcome {
            Outcome::Renewed(generation) => format!("generation {generation}; {asked}"),
            Outcome::Failed(failure) => format!("generation {generation}; {asked}; {failure}"),
        };
        self.parts.auditor.note(self.line("credential.rotate", cause, &object, word, &detail));
    }

    /// Queues the entry of a login that was set aside because of what somebody knows.
    pub(super) fn note_set_aside(&self, holding: &Holding, quarantine: Quarantine, by: Asker<'_>) {
        let cause = Cause::of(by);
        let (object, generation) = {
            let credential = &holding.desk().credential;
            (format!("credential:{}", credential.name), credential.rotation.generation)
        };
        let said = cause.who.as_ref().map(|who| format!("; {who} said so")).unwrap_or_default();
        let detail = format!("generation {generation}; {}{said}", cause_in_words(quarantine));
        self.parts.auditor.note(self.line("credential.quarantine", &cause, &object, "ok", &detail));
    }

    fn line(&self, action: &str, cause: &Cause, object: &str, outcome: &str, detail: &str) -> Record {
        Record {
            at: self.parts.timeline.now(),
            actor: Line::of("broker"),
            action: Line::of(action),
            object: Line::of(object),
            outcome: Line::of(outcome),
            request_id: Line::of(&cause.request_id),
            address: Line::of(&cause.address),
            detail: Line::of(detail),
        }
    }
}

/// One word for all that did no harm: a provider that is now unreachable, now busy, is no news each time.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Renewed(_) => "ok",
        Outcome::Failed(Failure::InDoubt(_)) => "in_doubt",
        Outcome::Failed(Failure::Ended) => "reauth",
        Outcome::Failed(Failure::Quarantined) => "quarantined",
        Outcome::Failed(Failure::Superseded) => "superseded",
        Outcome::Failed(
            Failure::Unsent(_) | Failure::NotConsumed(_) | Failure::NoSlot | Failure::Storage(_) | Failure::Panicked,
        ) => Code::Unavailable.as_str(),
    }
}
