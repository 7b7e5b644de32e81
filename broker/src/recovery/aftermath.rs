//! What the audit hears of a start: the rotations that a stop cut off, and the logins that were set aside.
//!
//! Told when all of it is durable and the audit can be written. A start that is killed before that has told the log only:
//! the next one finds nothing left to do.

use scorpiox_wire::Code;

use crate::audit_chain::{Line, Record};
use crate::auditor::Auditor;
use crate::clock::Timestamp;
use crate::domain::credential::Credential;
use crate::domain::rotation::{Resting, Rotation, State};
use crate::domain::words::cause_in_words;

/// What was done, in its order.
#[derive(Debug, Default)]
pub struct Aftermath(Vec<Told>);

#[derive(Debug)]
struct Told {
    action: &'static str,
    credential: String,
    outcome: &'static str,
    detail: String,
}

impl Aftermath {
    /// An answer from before the stop moved this credential on from that generation.
    pub(super) fn settled(&mut self, next: &Credential, before: u64) {
        let outcome = match &next.rotation.state {
            _ if next.rotation.generation > before => "ok",
            State::Reauth(_) => "reauth",
            State::Quarantine(_) => "quarantined",
            State::Resting(Resting::InDoubt(_)) => "in_doubt",
            State::Resting(Resting::Idle(_)) | State::Claimed(_) | State::Sent(_) => Code::Unavailable.as_str(),
        };
        self.rotated(next.name.as_str(), outcome, &next.rotation, "an answer from before the stop was settled");
    }

    /// An answer from before the stop was kept and not published.
    pub(super) fn kept(&mut self, credential: &str, asked_in: &Rotation, reason: &str, is_set_aside: bool) {
        let outcome = if is_set_aside { "quarantined" } else { "superseded" };
        let what = format!("an answer from before the stop is kept sealed and not published: {reason}");
        self.rotated(credential, outcome, asked_in, &what);
    }

    /// What a start makes of a credential without an answer.
    pub(super) fn stands(&mut self, credential: &Credential) {
        let (name, rotation) = (credential.name.as_str(), &credential.rotation);
        match &rotation.state {
            State::Quarantine(cause) => {
                self.tell("credential.quarantine", name, "ok", rotation, cause_in_words(*cause));
            }
            State::Resting(Resting::InDoubt(doubt)) => self.rotated(name, "in_doubt", rotation, &doubt.why),
            State::Resting(Resting::Idle(_)) | State::Claimed(_) | State::Sent(_) | State::Reauth(_) => {}
        }
    }

    fn rotated(&mut self, credential: &str, outcome: &'static str, rotation: &Rotation, what: &str) {
        self.tell("credential.rotate", credential, outcome, rotation, what);
    }

    fn tell(&mut self, action: &'static str, credential: &str, outcome: &'static str, rotation: &Rotation, what: &str) {
        let detail = format!("generation {}; after a restart; {what}", rotation.generation);
        self.0.push(Told { action, credential: credential.to_owned(), outcome, detail });
    }

    /// Queues the entries; nobody waits for them.
    pub fn note(self, auditor: &Auditor, now: Timestamp) {
        for Told { action, credential, outcome, detail } in self.0 {
            auditor.note(Record {
                at: now,
                actor: Line::of("broker"),
                action: Line::of(action),
                object: Line::of(&format!("credential:{credential}")),
                outcome: Line::of(outcome),
                request_id: Line::of(""),
                address: Line::of("local"),
                detail: Line::of(&detail),
            });
        }
    }
}
