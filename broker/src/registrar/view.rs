//! A credential as people may see it: its health in words, and the command that helps.

use std::collections::HashMap;

use scorpiox_wire::admin::{CredentialView, Health};

use super::Registrar;
use crate::clock::Timestamp;
use crate::domain::credential::{Credential, CredentialId, Pause};
use crate::domain::permission::{Permission, Policy, Wish, permission};
use crate::domain::rotation::{Resting, State};
use crate::domain::words::{cause_in_words, ending_in_words};
use crate::holding::Holding;

/// How many clients may use each credential.
pub(super) type ClientCounts = HashMap<CredentialId, u64>;

impl Registrar {
    /// One credential.
    pub(super) fn view(&self, holding: &Holding) -> CredentialView {
        self.view_among(holding, &self.clients_by_credential())
    }

    /// How many clients may use each credential: counted once for a whole list.
    pub(super) fn clients_by_credential(&self) -> ClientCounts {
        let mut counts = ClientCounts::new();
        for caller in self.gate.callers() {
            if let Some(holding) = &caller.holding {
                *counts.entry(holding.id().clone()).or_default() += 1;
            }
        }
        counts
    }

    /// One credential of a list.
    pub(super) fn view_among(&self, holding: &Holding, clients: &ClientCounts) -> CredentialView {
        let (credential, backing_off, last_failure) = {
            let desk = holding.desk();
            (desk.credential.clone(), desk.backoff.is_failing(), desk.last_failure.clone())
        };
        let (health, reason) = health(&credential, backing_off, last_failure);
        let now = self.now();
        CredentialView {
            id: credential.id.as_str().to_owned(),
            name: credential.name.as_str().to_owned(),
            provider: "codex".to_owned(),
            account_id: credential.owner.account_id.clone(),
            email: credential.email.clone(),
            plan_type: credential.plan_type.clone(),
            health,
            reason,
            next: next_step(health, &credential),
            generation: credential.rotation.generation,
            epoch: credential.rotation.epoch,
            expires_at: credential.tokens.as_ref().map_or(0, |tokens| tokens.expires_at.as_unix()),
            renew_at: planned(&credential, now, &self.parts().policy).map(Timestamp::as_unix),
            rotated_at: credential.tokens.as_ref().map_or(0, |tokens| tokens.obtained_at.as_unix()),
            serving: is_serving(&credential, now),
            clients: clients.get(holding.id()).copied().unwrap_or_default(),
        }
    }
}

fn is_serving(credential: &Credential, now: Timestamp) -> bool {
    credential.pause != Pause::All && credential.tokens.as_ref().is_some_and(|tokens| tokens.expires_at > now)
}

pub(super) fn planned(credential: &Credential, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
    let tokens = credential.tokens.as_ref()?;
    match permission(credential, Wish::Need, now, policy) {
        Permission::Now => Some(policy.renew_at(tokens)),
        Permission::NotBefore(moment) => Some(policy.renew_at(tokens).max(moment)),
        Permission::GiveUp | Permission::Never(_) => None,
    }
}

pub(super) fn health(
    credential: &Credential,
    backing_off: bool,
    last_failure: Option<String>,
) -> (Health, Option<String>) {
    let (health, detail) = match credential.pause {
        Pause::All => return (Health::Paused, Some("paused by an administrator".into())),
        Pause::Renewal | Pause::None => unpaused_health(credential, backing_off, last_failure),
    };
    match (credential.pause, health) {
        (Pause::Renewal, Health::Good | Health::BackingOff) => {
            (Health::Paused, Some("renewal paused by an administrator; still serving".into()))
        }
        // It is still handed out, and needs a person all the more.
        (Pause::Renewal, _) => (health, detail.map(|detail| format!("{detail}; renewal paused by an administrator"))),
        (Pause::None | Pause::All, _) => (health, detail),
    }
}

fn unpaused_health(
    credential: &Credential,
    backing_off: bool,
    last_failure: Option<String>,
) -> (Health, Option<String>) {
    match &credential.rotation.state {
        State::Resting(Resting::InDoubt(doubt)) => (Health::InDoubt, Some(format!("answer unknown: {}", doubt.why))),
        State::Reauth(reauth) => (Health::Reauth, Some(ending_in_words(reauth))),
        State::Quarantine(cause) => (Health::Quarantine, Some(cause_in_words(*cause).to_owned())),
        State::Resting(Resting::Idle(_)) | State::Claimed(_) | State::Sent(_) if backing_off => {
            (Health::BackingOff, last_failure)
        }
        State::Resting(Resting::Idle(_)) | State::Claimed(_) | State::Sent(_) => (Health::Good, None),
    }
}

fn next_step(health: Health, credential: &Credential) -> Option<String> {
    let name = &credential.name;
    match health {
        Health::Good | Health::BackingOff => None,
        Health::InDoubt if credential.pause == Pause::None => {
            Some(format!("scorpiox-broker credential refresh {name} --probe"))
        }
        Health::Reauth | Health::Quarantine => Some(format!("scorpiox-broker login --name {name}")),
        Health::InDoubt | Health::Paused => Some(format!("scorpiox-broker credential resume {name}")),
    }
}
