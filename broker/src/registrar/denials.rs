//! Administrators who were refused are in the audit too, in few lines.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scorpiox_wire::Code;
use tracing::error;

use super::{Administrator, Registrar};
use crate::audit_chain::{Line, Record};
use crate::domain::told_refusals::{Refused, ToldRefusals};
use crate::store::audit::Deed;

/// Stands for every administrator that there is not: what was presented may be a password in the wrong field.
pub(super) const UNKNOWN: &str = "(unknown)";

/// What was refused and is told from time to time.
#[derive(Debug)]
pub(super) struct Denials {
    logins: Mutex<ToldRefusals>,
    requests: Mutex<ToldRefusals>,
}

impl Default for Denials {
    fn default() -> Self {
        let each = |seconds| Mutex::new(ToldRefusals::each(Duration::from_secs(seconds)));
        Self { logins: each(1), requests: each(60) }
    }
}

impl Registrar {
    /// An administrator who may not do this.
    pub(crate) fn deny(&self, by: &Administrator, operation: &str) {
        let Administrator { actor, request_id, address, .. } = by.clone();
        let refused =
            Refused { actor, object: operation.to_owned(), outcome: Code::Forbidden.as_str(), request_id, address };
        self.note_denied(&by.actor, refused);
    }

    /// Somebody whose key or session nobody knows.
    pub(crate) fn deny_stranger(&self, operation: &str, request_id: String, address: String) {
        let (actor, object) = (format!("admin:{UNKNOWN}"), operation.to_owned());
        let who = address.clone();
        self.note_denied(&who, Refused { actor, object, outcome: Code::Unauthorized.as_str(), request_id, address });
    }

    fn note_denied(&self, who: &str, refused: Refused) {
        self.note_in_turn(&self.denials.requests, "admin.denied", who, refused);
    }

    /// A login; `name` is one that there is, or [`UNKNOWN`].
    pub(super) fn note_refused_login(&self, name: &str, refused: Refused) {
        self.note_in_turn(&self.denials.logins, "admin.login", name, refused);
    }

    fn note_in_turn(&self, kind: &Mutex<ToldRefusals>, action: &str, who: &str, refused: Refused) {
        let told = kind.lock().unwrap_or_else(PoisonError::into_inner).refuse(who, &refused, self.now());
        let Some(untold) = told else { return };
        let detail = if untold == 0 { String::new() } else { format!("{untold} more were refused before") };
        let record = self.record_of(action, &refused, &detail);
        let auditor = self.auditor.clone();
        // Nobody waits for it: how long it takes would tell whether there is such a name.
        self.rotator.runtime().spawn(async move {
            if auditor.write(Deed { record, handout: None }).await.is_err() {
                error!(actor = refused.actor, object = refused.object, "a refusal is in this log only");
            }
        });
    }

    /// Tells of refusals that were counted and not told: from time to time, and at the end.
    pub async fn tell_refusals(&self) {
        for (action, kind) in [("admin.login", &self.denials.logins), ("admin.denied", &self.denials.requests)] {
            let untold = kind.lock().unwrap_or_else(PoisonError::into_inner).take_untold();
            for (times, refused) in untold {
                let record = self.record_of(action, &refused, &format!("{times} more were refused"));
                if self.auditor.write(Deed { record, handout: None }).await.is_err() {
                    error!(actor = refused.actor, times, "refusals are in this log only");
                }
            }
        }
    }

    fn record_of(&self, action: &str, refused: &Refused, detail: &str) -> Record {
        Record {
            at: self.now(),
            actor: Line::of(&refused.actor),
            action: Line::of(action),
            object: Line::of(&refused.object),
            outcome: Line::of(refused.outcome),
            request_id: Line::of(&refused.request_id),
            address: Line::of(&refused.address),
            detail: Line::of(detail),
        }
    }
}
