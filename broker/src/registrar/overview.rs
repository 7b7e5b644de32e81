//! The broker at a glance: what works, what does not, and the command that helps.

use scorpiox_wire::Problem;
use scorpiox_wire::admin::{AuditEntry, AuditVerdict, Degraded, Readiness, Status};

use super::{Registrar, storage};
use crate::audit_chain::{Entry, Verifier};
use crate::auditor::Auditor;
use crate::clock::Timestamp;
use crate::domain::rotation::State;
use crate::rotator::Rotator;

/// How the broker looks from outside.
#[derive(Debug, Clone)]
pub struct Facade {
    /// What `CODEX_REMOTE_URL` should be.
    pub url: String,
    /// `sha256:…` of the certificate's public key.
    pub pin: Option<String>,
    /// When the certificate ends.
    pub certificate_ends_at: Option<Timestamp>,
    /// The data directory.
    pub data: String,
    /// When it was started.
    pub started_at: Timestamp,
}

/// Entries checked per read: bounds memory on a long audit.
const PAGE: u32 = 1_000;

impl Registrar {
    /// How the broker looks from outside.
    pub(super) fn facade(&self) -> Facade {
        self.facade.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Another certificate was loaded.
    pub fn show_certificate(&self, pin: String, ends_at: Timestamp) {
        let mut facade = self.facade.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        facade.pin = Some(pin);
        facade.certificate_ends_at = Some(ends_at);
    }

    /// The broker at a glance.
    pub fn status(&self) -> Status {
        let facade = self.facade();
        let degraded = degraded(&self.rotator, &self.auditor);
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: facade.started_at.as_unix(),
            data: facade.data,
            url: facade.url,
            serving: is_serving(&self.auditor),
            renewing: is_renewing(&self.rotator),
            certificate_ends_at: facade.certificate_ends_at.map(Timestamp::as_unix),
            degraded,
            credentials: self.credentials(),
            clients: self.gate.callers().len() as u64,
        }
    }

    /// Entries after `seq`, oldest first; without one, the newest.
    pub async fn audit(&self, after: Option<u64>, limit: u32) -> Result<Vec<AuditEntry>, Problem> {
        let store = &self.parts().store;
        let entries = match after {
            Some(seq) => store.audit_after(seq, limit).await,
            None => store.audit_tail(limit).await,
        };
        Ok(entries.map_err(|error| storage(&error))?.iter().map(Entry::to_wire).collect())
    }

    /// Goes through the whole chain.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, Problem> {
        let sealer = &self.parts().sealer;
        let mut verifier = Verifier::new(sealer, self.parts().fence.audit());
        let mut after = 0;
        let mut entries = 0;
        loop {
            let page = self.parts().store.audit_after(after, PAGE).await.map_err(|error| storage(&error))?;
            let Some(last) = page.last() else { break };
            after = last.link.seq;
            for entry in &page {
                if let Err(fault) = verifier.check(entry) {
                    let reason = Some(fault.reason.to_string());
                    return Ok(AuditVerdict { entries, first_bad: Some(fault.seq), reason });
                }
                entries += 1;
            }
        }
        Ok(match verifier.finish() {
            Ok(_) => AuditVerdict { entries, first_bad: None, reason: None },
            Err(fault) => AuditVerdict { entries, first_bad: Some(fault.seq), reason: Some(fault.reason.to_string()) },
        })
    }
}

/// The answer of `/readyz`: names no credential, because it needs no key.
pub fn readiness(rotator: &Rotator, auditor: &Auditor) -> Readiness {
    Readiness {
        serving: is_serving(auditor),
        renewing: is_renewing(rotator),
        degraded: degraded(rotator, auditor).into_iter().map(|degraded| degraded.what).collect(),
    }
}

pub(super) fn is_serving(auditor: &Auditor) -> bool {
    !auditor.is_failing()
}

pub(super) fn is_renewing(rotator: &Rotator) -> bool {
    let parts = rotator.parts();
    parts.fence.reason().is_none() && parts.slots.capacity() > 0 && rotator.unsaved() == 0 && !rotator.is_stopping()
}

fn degraded(rotator: &Rotator, auditor: &Auditor) -> Vec<Degraded> {
    let parts = rotator.parts();
    let mut found = Vec::new();
    let mut add = |what: &str, reason: String, next: Option<String>| {
        found.push(Degraded { what: what.to_owned(), reason, next });
    };
    if let Some(reason) = parts.fence.reason() {
        add("fenced", reason, Some("scorpiox-broker promote".into()));
    }
    if rotator.memory_only() > 0 {
        let reason =
            format!("{} answers with tokens are in memory only: do not stop the broker", rotator.memory_only());
        add("memory_only", reason, Some("free disk space".into()));
    }
    if rotator.unsaved() > 0 {
        add("save_failing", format!("{} answers cannot be saved", rotator.unsaved()), Some("free disk space".into()));
    }
    if auditor.is_failing() {
        add(
            "audit_failing",
            "neither the database nor the spool takes the audit".into(),
            Some("free disk space".into()),
        );
    } else if auditor.is_spooling() {
        add("audit_spooling", "the database does not take the audit; its spool does".into(), None);
    }
    if let Some(seconds) = parts.timeline.stepped() {
        let reason = format!("the machine's clock jumped by {seconds} s and is not believed");
        add("clock_stepped", reason, Some("correct the clock, or send SIGHUP to accept it".into()));
    }
    if parts.slots.free() == 0 {
        add("rescue_slots", "no rescue slot is free, so nothing can be renewed".into(), None);
    }
    for damaged in parts.slots.damaged() {
        let reason = format!("{}: {}", damaged.path.display(), damaged.reason);
        add("rescue_slot_damaged", reason, None);
    }
    let (mut in_doubt, mut reauth, mut quarantine) = (0, 0, 0);
    for holding in parts.holdings.all() {
        match &holding.served().credential.rotation.state {
            State::Reauth(_) => reauth += 1,
            State::Quarantine(_) => quarantine += 1,
            State::Resting(_) | State::Claimed(_) | State::Sent(_) => in_doubt += usize::from(holding.is_in_doubt()),
        }
    }
    let list = Some("scorpiox-broker credential list".to_owned());
    for (what, count, words) in [
        ("in_doubt", in_doubt, "in doubt: a renewal's answer is unknown"),
        ("reauth", reauth, "ended: somebody must log in again"),
        ("quarantine", quarantine, "set aside: somebody must look and log in again"),
    ] {
        if count > 0 {
            add(what, format!("{count} {words}"), list.clone());
        }
    }
    found
}
