//! The broker at a glance: what works, what does not, and the command that helps.

use scorpiox_wire::admin::{CredentialView, Degraded, Health, HealthCounts, Readiness, Status};

use super::Registrar;
use crate::alerts::digest::{TOLD_EACH, list_of};
use crate::auditor::Auditor;
use crate::clock::Timestamp;
use crate::domain::alarm::{
    AuditState, CertificateEnd, Condition, End, Listener, Login, Whose, World, conditions, is_near,
};
use crate::domain::permission::{Permission, Policy, Wish, permission};
use crate::holding::Holding;
use crate::local_time::LocalTime;
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
    /// Where administrators reach it over the network.
    pub door: Option<Door>,
}

/// The administration over the network, as it looks from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// What goes behind `--broker`.
    pub url: String,
    /// `sha256:…` of its certificate's public key.
    pub pin: Option<String>,
    /// When its certificate ends; none over plain HTTP, and where it is the clients' one.
    pub certificate_ends_at: Option<Timestamp>,
}

impl Facade {
    /// The certificates that are presented, each once.
    pub fn certificates(&self) -> impl Iterator<Item = CertificateEnd> {
        let administration = self.door.as_ref().and_then(|door| door.certificate_ends_at);
        let ends = [(Listener::Clients, self.certificate_ends_at), (Listener::Administration, administration)];
        ends.into_iter().filter_map(|(listener, at)| Some(CertificateEnd { listener, at: at? }))
    }
}

/// So many credentials are listed at a glance; of more than that, those that are not well.
const STATUS_CREDENTIALS: usize = 100;

impl Registrar {
    /// How the broker looks from outside.
    pub fn facade(&self) -> Facade {
        self.facade.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Another certificate was loaded.
    pub fn show_certificate(&self, pin: String, ends_at: Timestamp) {
        let mut facade = self.facade.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        facade.pin = Some(pin);
        facade.certificate_ends_at = Some(ends_at);
    }

    /// Administrators are served, or another certificate was loaded for them.
    pub fn show_door(&self, door: Door) {
        self.facade.write().unwrap_or_else(std::sync::PoisonError::into_inner).door = Some(door);
    }

    /// Everything that needs a person, most urgent first.
    pub fn conditions(&self) -> Vec<Condition> {
        let world = World {
            certificates: self.facade().certificates().collect(),
            ends: self.ends(),
            ..world(&self.rotator, &self.auditor)
        };
        conditions(&world, &self.local)
    }

    /// Clients and admin keys whose end is near. A client's pause is a decision already.
    fn ends(&self) -> Vec<End> {
        let now = self.now();
        let mut near = Vec::new();
        self.gate.visit(|caller| {
            let terms = caller.terms.load();
            let end = terms.limits.expires_at.filter(|at| terms.paused_at.is_none() && is_near(*at, now));
            near.extend(end.map(|at| End { whose: Whose::Client(caller.client.name.clone()), at }));
        });
        for key in self.administrators.keys() {
            let end = key.expires_at.filter(|at| is_near(*at, now));
            near.extend(end.map(|at| End { whose: Whose::AdminKey(key.name.clone(), key.scopes.clone()), at }));
        }
        near
    }

    /// The broker at a glance.
    pub fn status(&self) -> Status {
        let facade = self.facade();
        let administration = facade.door.as_ref().and_then(|door| door.certificate_ends_at);
        let degraded = degraded(self.conditions());
        let (health, credentials) = self.credentials_at_a_glance();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: facade.started_at.as_unix(),
            data: facade.data,
            url: facade.url,
            serving: is_serving(&self.auditor),
            renewing: is_renewing(&self.rotator),
            certificate_ends_at: facade.certificate_ends_at.map(Timestamp::as_unix),
            admin_certificate_ends_at: administration.map(Timestamp::as_unix),
            degraded,
            health,
            credentials,
            clients: self.gate.callers().len() as u64,
        }
    }

    /// How many are how, and each of them; of more than a page's those that are not well.
    fn credentials_at_a_glance(&self) -> (HealthCounts, Vec<CredentialView>) {
        let clients = self.clients_by_credential();
        let all = self.parts().holdings.all();
        let mut views: Vec<_> = all.iter().map(|holding| self.view_among(holding, &clients)).collect();
        views.sort_by(|one, other| one.name.cmp(&other.name));
        let mut health = HealthCounts::default();
        views.iter().for_each(|view| health.add(view.health));
        if views.len() > STATUS_CREDENTIALS {
            views.retain(|view| view.health != Health::Good);
            views.truncate(STATUS_CREDENTIALS);
        }
        (health, views)
    }
}

/// The answer of `/readyz`: names no credential, because it needs no key.
pub fn readiness(rotator: &Rotator, auditor: &Auditor) -> Readiness {
    let found = conditions(&world(rotator, auditor), &LocalTime::utc());
    let mut kinds: Vec<String> = found.iter().map(|condition| condition.key.what.as_str().to_owned()).collect();
    kinds.dedup();
    Readiness { serving: is_serving(auditor), renewing: is_renewing(rotator), degraded: kinds }
}

pub(super) fn is_serving(auditor: &Auditor) -> bool {
    !auditor.is_failing()
}

pub(super) fn is_renewing(rotator: &Rotator) -> bool {
    let parts = rotator.parts();
    parts.fence.reason().is_none() && parts.slots.capacity() > 0 && rotator.unsaved() == 0 && !rotator.is_stopping()
}

/// The state of the broker's own world, as far as somebody may have to do something about it: without what has an end in
/// the calendar.
fn world(rotator: &Rotator, auditor: &Auditor) -> World {
    let parts = rotator.parts();
    let audit = match (auditor.is_failing(), auditor.is_spooling()) {
        (true, _) => AuditState::Failing,
        (false, true) => AuditState::Spooling,
        (false, false) => AuditState::Writing,
    };
    let damaged = parts.slots.damaged().into_iter();
    let now = parts.timeline.now();
    // Looked at on both sides of what is under way: a renewal that ends or begins in between is no lack of slots.
    let free = parts.slots.free();
    let in_flight = rotator.in_flight();
    World {
        now,
        fence: parts.fence.reason(),
        memory_only: rotator.memory_only(),
        unsaved: rotator.unsaved(),
        audit,
        clock_stepped: parts.timeline.stepped(),
        free_slots: free.max(parts.slots.free()),
        in_flight,
        damaged_slots: damaged.map(|slot| (slot.path.display().to_string(), slot.reason)).collect(),
        certificates: Vec::new(),
        ends: Vec::new(),
        logins: parts.holdings.all().iter().map(|holding| login(holding, now, &parts.policy)).collect(),
    }
}

fn login(holding: &Holding, now: Timestamp, policy: &Policy) -> Login {
    let desk = holding.desk();
    let credential = &desk.credential;
    let not_before = match permission(credential, Wish::Need, now, policy) {
        Permission::NotBefore(moment) => Some(moment),
        Permission::Now | Permission::GiveUp | Permission::Never(_) => None,
    };
    Login {
        name: credential.name.clone(),
        pause: credential.pause,
        state: credential.rotation.state.clone(),
        life: credential.tokens.as_ref().map(|tokens| (tokens.obtained_at, tokens.expires_at)),
        failing: desk.last_failure.clone().filter(|_| desk.backoff.is_failing()),
        not_before,
    }
}

fn degraded(conditions: Vec<Condition>) -> Vec<Degraded> {
    let mut found = Vec::new();
    for alike in conditions.chunk_by(|one, other| one.key.what == other.key.what) {
        found.extend(alike.iter().take(TOLD_EACH).map(|condition| Degraded {
            what: condition.key.what.as_str().to_owned(),
            reason: condition.reason.clone(),
            next: condition.next.clone(),
        }));
        if alike.len() > TOLD_EACH {
            found.push(Degraded {
                what: alike[0].key.what.as_str().to_owned(),
                reason: format!("and {} more", alike.len() - TOLD_EACH),
                next: Some(list_of(alike[0].key.what).to_owned()),
            });
        }
    }
    found
}
