//! The operations of an administrator, whatever interface they come through.
//!
//! * [`credentials`](self): show, pause, resume, refresh, remove.
//! * `enrolment`: a login becomes a credential, or the next generation of one.
//! * `logins`: a person logs in at the provider.
//! * `clients`: who may fetch tokens. * `invitations`: clients that sign in by browser.
//! * `grants`: which credential a client may use.
//! * `once`: a change that is asked for twice under one name is made once.
//! * `administrators`, `sessions`: who may administer over the network; logging in.
//! * `alerts`: telling people.
//! * `denials`: administrators who were refused.
//! * `holders`: who still holds a token.
//! * `audit`: who did what: read, proved, its oldest part let go of.
//! * `overview`: the broker at a glance.
//! * `custody`: the data as a whole: a backup. `rekey`: a change of the master key.
//! * `promotion`: the end of a fence: first said, then done.
//! * `sight`: the same for a monitoring system.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use scorpiox_wire::admin::{CredentialRemoved, CredentialView, Page, RefreshAnswer, Upstream};
use scorpiox_wire::{Code, Problem, Secret};
use tracing::error;

use crate::administrators::Administrators;
use crate::alerts::Outbox;
use crate::anchors::Anchors;
use crate::audit_chain::{Line, Record};
use crate::auditor::Auditor;
use crate::clock::Timestamp;
use crate::domain::credential::{Name, Pause};
use crate::domain::permission::{Why, Wish};
use crate::domain::scope::{Scope, Scopes};
use crate::domain::session::Claims;
use crate::gate::Gate;
use crate::holding::{Flight, Holding, Outcome};
use crate::local_time::LocalTime;
use crate::metrics::ClientSeries;
use crate::provider::codex_provider::CodexProvider;
use crate::rotator::{Asker, NotNow, Parts, Rotator};
use crate::store::StoreError;
use crate::store::audit::Deed;
use crate::timeline::Timeline;

mod administrators;
mod alerts;
mod audit;
mod clients;
mod custody;
mod denials;
mod enrolment;
mod grants;
mod holders;
mod invitations;
mod logins;
mod once;
mod overview;
mod promotion;
mod rekey;
mod sessions;
mod sight;
mod view;

pub use custody::Custody;
pub use enrolment::Replace;
pub use logins::Logins;
pub use once::{Once, Turn, UnderWay};
pub use overview::{Door, Facade, readiness};
pub use sessions::{LoginRefused, Visitor};

/// Who asks, for the audit.
#[derive(Debug, Clone)]
pub struct Administrator {
    /// `admin:uid=0`.
    pub actor: String,
    /// What belongs to it alone, also when another gets its name after it: the id of its account or key.
    pub identity: String,
    /// The request id in the log.
    pub request_id: String,
    /// `unix`, or an address.
    pub address: String,
    /// What it may do; whoever may open the socket may do everything.
    pub scopes: Scopes,
    /// Its session, when it logged in with a password.
    pub session: Option<Claims>,
    /// Whether the audit has heard of what it asks.
    pub noted: Noted,
}

/// Set once an operation has written down what came of it.
#[derive(Debug, Clone, Default)]
pub struct Noted(Arc<AtomicBool>);

/// What happens to the login at the provider when its credential is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginAtProvider {
    /// Nothing.
    Leave,
    /// It ends there too.
    Revoke,
}

impl Administrator {
    /// The broker itself, which does what time brings.
    pub fn broker() -> Self {
        let (actor, address) = ("broker".to_owned(), "local".to_owned());
        let (identity, request_id, noted) = (actor.clone(), String::new(), Noted::default());
        Self { actor, identity, request_id, address, scopes: Scopes::everything(), session: None, noted }
    }

    /// True once an operation has written down what came of it.
    pub(crate) fn was_noted(&self) -> bool {
        self.noted.0.load(Ordering::Relaxed)
    }

    fn as_asker(&self) -> Asker<'_> {
        Asker::Administrator { actor: &self.actor, request_id: &self.request_id, address: &self.address }
    }

    /// For a part of an operation that needs more than the operation does.
    fn needs(&self, needed: Scope) -> Result<(), Problem> {
        if self.scopes.allow(needed) {
            return Ok(());
        }
        Err(missing_scope(&self.actor, &self.scopes, needed))
    }
}

/// Performs the operations.
pub struct Registrar {
    rotator: Arc<Rotator>,
    gate: Arc<Gate>,
    auditor: Auditor,
    provider: CodexProvider,
    logins: Logins,
    /// Changes with a name that are being made.
    under_way: UnderWay,
    administrators: Arc<Administrators>,
    denials: denials::Denials,
    facade: RwLock<Facade>,
    /// How moments are told.
    local: LocalTime,
    /// So many clients have a series of their own.
    most_clients: AtomicUsize,
    client_series: Mutex<ClientSeries>,
    /// Whom alerts go to.
    outbox: OnceLock<Arc<Outbox>>,
    /// One change of the set of credentials and clients at a time: names are checked before they are taken.
    changing: tokio::sync::Mutex<()>,
    custody: OnceLock<Custody>,
    /// One reading of the whole audit at a time, and none while entries are removed.
    auditing: tokio::sync::Mutex<()>,
    /// Where the audit is anchored.
    anchors: OnceLock<Arc<Anchors>>,
}

impl Registrar {
    /// Takes its parts.
    pub fn new(
        rotator: Arc<Rotator>,
        gate: Arc<Gate>,
        auditor: Auditor,
        provider: CodexProvider,
        administrators: Arc<Administrators>,
        facade: Facade,
    ) -> Arc<Self> {
        Arc::new(Self {
            rotator,
            gate,
            auditor,
            provider,
            logins: Logins::default(),
            under_way: UnderWay::default(),
            administrators,
            denials: denials::Denials::default(),
            facade: RwLock::new(facade),
            local: LocalTime::system(),
            most_clients: AtomicUsize::new(0),
            client_series: Mutex::default(),
            outbox: OnceLock::new(),
            changing: tokio::sync::Mutex::new(()),
            custody: OnceLock::new(),
            auditing: tokio::sync::Mutex::new(()),
            anchors: OnceLock::new(),
        })
    }

    /// True once the broker was told to stop and no renewal is under way any more.
    pub fn is_done(&self) -> bool {
        self.rotator.is_stopping() && self.rotator.in_flight() == 0
    }

    fn parts(&self) -> &Parts {
        self.rotator.parts()
    }

    pub(crate) fn timeline(&self) -> &Timeline {
        &self.parts().timeline
    }

    fn now(&self) -> Timestamp {
        self.parts().timeline.now()
    }

    fn holding(&self, name: &str) -> Result<Arc<Holding>, Problem> {
        self.parts().holdings.named(name).ok_or_else(|| {
            Problem::new(Code::NotFound, format!("there is no credential '{name}'"))
                .with_hint("scorpiox-broker credential list")
        })
    }

    /// Credentials behind `after` in the order of their names.
    pub fn credentials(&self, after: Option<&Name>, limit: u32) -> Page<CredentialView> {
        let mut named: Vec<_> = self.parts().holdings.all().into_iter().map(by_name).collect();
        named.retain(|(name, _)| after.is_none_or(|after| name > after));
        named.sort_by(|(one, _), (other, _)| one.cmp(other));
        named.truncate(limit as usize + 1);
        let clients = self.clients_by_credential();
        let views = named.iter().map(|(_, holding)| self.view_among(holding, &clients)).collect();
        Page::cut(views, limit, |view: &CredentialView| view.name.clone())
    }

    /// One credential.
    pub fn credential(&self, name: &str) -> Result<CredentialView, Problem> {
        Ok(self.view(&*self.holding(name)?))
    }

    /// Renews now and waits for the outcome.
    pub async fn refresh(&self, by: &Administrator, name: &str, probe: bool) -> Result<RefreshAnswer, Problem> {
        let holding = self.holding(name)?;
        let wish = if probe { Wish::OperatorProbe } else { Wish::Operator };
        let flight = self.rotator.renew_for(by.as_asker(), &holding, wish).map_err(|why| not_now(name, &why))?;
        let object = format!("credential:{name}");
        match outcome_of(flight).await {
            Ok(generation) => {
                self.note(by, "credential.refresh", &object, "ok", &format!("generation {generation}")).await;
                Ok(RefreshAnswer { renewed: true, credential: self.view(&holding) })
            }
            Err(word) => {
                self.note(by, "credential.refresh", &object, Code::Unavailable.as_str(), &word).await;
                Err(Problem::new(Code::Unavailable, format!("'{name}' was not renewed: {word}"))
                    .with_hint(format!("scorpiox-broker credential show {name}")))
            }
        }
    }

    /// Stops renewing, or renewing and serving.
    pub async fn pause(&self, by: &Administrator, name: &str, pause: Pause) -> Result<CredentialView, Problem> {
        let holding = self.holding(name)?;
        {
            let _writing = holding.writing.lock().await;
            self.parts().store.set_pause(holding.id(), pause).await.map_err(|error| storage(&error))?;
            holding.desk().credential.pause = pause;
            holding.publish();
        }
        self.rotator.wake();
        let action = match pause {
            Pause::None => "credential.resume",
            Pause::Renewal => "credential.pause_renewal",
            Pause::All => "credential.pause",
        };
        self.note(by, action, &format!("credential:{name}"), "ok", "").await;
        Ok(self.view(&holding))
    }

    /// Forgets a credential; ends the login at the provider afterwards, if that is asked for.
    pub async fn remove(
        &self,
        by: &Administrator,
        name: &str,
        login: LoginAtProvider,
    ) -> Result<CredentialRemoved, Problem> {
        let (credential, refresh_token) = self.forget(by, name).await?;
        let (upstream, upstream_problem) = match (login, refresh_token) {
            (LoginAtProvider::Leave, _) => (Upstream::Left, None),
            // Only now: a login that was ended and is still listed could not be told from one that broke.
            (LoginAtProvider::Revoke, Some(token)) => self.revoke_upstream(by, name, &token).await,
            (LoginAtProvider::Revoke, None) => {
                (Upstream::Failed, Some(Problem::new(Code::Conflict, "its refresh token could not be read")))
            }
        };
        Ok(CredentialRemoved { credential, upstream, upstream_problem })
    }

    async fn revoke_upstream(&self, by: &Administrator, name: &str, token: &Secret) -> (Upstream, Option<Problem>) {
        let object = format!("credential:{name}");
        match self.provider.revoke(token).await {
            Ok(()) => {
                self.note(by, "credential.revoke_upstream", &object, "ok", "").await;
                (Upstream::Revoked, None)
            }
            Err(error) => {
                let problem = logins::problem(&error)
                    .with_hint("end it yourself: in ChatGPT, Settings, Security, log out of all devices");
                self.note(by, "credential.revoke_upstream", &object, problem.code.as_str(), &problem.message).await;
                (Upstream::Failed, Some(problem))
            }
        }
    }

    async fn forget(&self, by: &Administrator, name: &str) -> Result<(CredentialView, Option<Secret>), Problem> {
        let _changing = self.changing.lock().await;
        let holding = self.holding(name)?;
        let in_flight = {
            let mut desk = holding.desk();
            desk.removed = desk.flight.is_none();
            desk.flight.is_some()
        };
        if in_flight {
            return Err(Problem::new(Code::Busy, format!("a renewal of '{name}' is under way"))
                .with_hint("try again in half a minute"));
        }
        let view = self.view(&holding);
        let token = holding.desk().credential.tokens.as_ref().map(|tokens| tokens.refresh_token.clone());
        if let Err(error) = self.parts().store.remove_credential(holding.id()).await {
            holding.desk().removed = false;
            return Err(storage(&error));
        }
        self.parts().holdings.remove(holding.id());
        self.gate.bereave(holding.id());
        if let Err(error) = self.parts().fence.forget(holding.id()).await {
            error!(%error, "the high-water mark still knows a credential that was removed; that is harmless");
        }
        self.note(by, "credential.remove", &format!("credential:{name}"), "ok", "").await;
        Ok((view, token))
    }

    /// Writes an administrator's deed down. The deed is done; if the audit cannot take it, the log says so.
    /// `outcome` is `ok` or the code of a problem; anything else goes into `detail`.
    pub(crate) async fn note(&self, by: &Administrator, action: &str, object: &str, outcome: &str, detail: &str) {
        by.noted.0.store(true, Ordering::Relaxed);
        let record = Record {
            at: self.now(),
            actor: Line::of(&by.actor),
            action: Line::of(action),
            object: Line::of(object),
            outcome: Line::of(outcome),
            request_id: Line::of(&by.request_id),
            address: Line::of(&by.address),
            detail: Line::of(detail),
        };
        if self.auditor.write(Deed { record, handout: None }).await.is_err() {
            error!(actor = by.actor, action, object, outcome, detail, "an administrator's deed is in this log only");
        }
    }
}

/// The generation that a renewal brought, or what came of it instead.
async fn outcome_of(mut flight: Flight) -> Result<u64, String> {
    match flight.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone()) {
        Some(Outcome::Renewed(generation)) => Ok(generation),
        Some(Outcome::Failed(failure)) => Err(failure.to_string()),
        None => Err("the rotation was stopped".to_owned()),
    }
}

fn by_name(holding: Arc<Holding>) -> (Name, Arc<Holding>) {
    let name = holding.served().credential.name.clone();
    (name, holding)
}

/// What somebody hears who may do other things.
pub(crate) fn missing_scope(actor: &str, has: &Scopes, needed: Scope) -> Problem {
    Problem::new(Code::Forbidden, format!("{actor} has the scope {has}; this needs {needed}"))
        .with_hint("ask an administrator with the scope everything for a key or an account with the missing one")
}

fn storage(error: &StoreError) -> Problem {
    error!(%error, "an administration operation failed");
    Problem::new(Code::Unavailable, "the broker's storage failed; nothing was changed")
        .with_hint("look at the broker's log and its disk")
}

fn not_now(name: &str, why: &NotNow) -> Problem {
    let login = format!("scorpiox-broker login --name {name}");
    match why {
        NotNow::Wait(left) => Problem::new(
            Code::BackingOff,
            format!("'{name}' may not be renewed for another {} s", left.as_secs().max(1)),
        )
        .with_hint(format!("scorpiox-broker credential show {name}")),
        NotNow::Never(Why::Reauth) => {
            Problem::new(Code::ReauthRequired, format!("the login '{name}' has ended")).with_hint(login)
        }
        NotNow::Never(Why::Quarantine) => {
            Problem::new(Code::Quarantined, format!("'{name}' was set aside")).with_hint(login)
        }
        NotNow::Never(Why::Paused) => Problem::new(Code::Paused, format!("'{name}' is paused"))
            .with_hint(format!("scorpiox-broker credential resume {name}")),
        NotNow::Never(Why::UnderWay) => Problem::new(Code::Busy, format!("a renewal of '{name}' is under way")),
        NotNow::Fenced => Problem::new(Code::Unavailable, "the broker is fenced: its high-water mark is missing")
            .with_hint("scorpiox-broker promote, if this database is the newest one"),
        NotNow::Stopping => Problem::new(Code::Unavailable, "the broker is stopping"),
    }
}
