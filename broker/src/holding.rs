//! One credential in memory: what requests read, and what its rotation needs.
//!
//! Requests read [`Served`] without a lock. Everything else is behind one short lock that is never held across an
//! await. Durable changes of one credential queue behind `writing`, which is never held across the provider.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;

use crate::backoff::Backoff;
use crate::clock::Timestamp;
use crate::domain::credential::{Credential, CredentialId};
use crate::domain::refusal::History;
use crate::domain::rotation::State;
use crate::printed::Printed;

/// What requests read.
#[derive(Debug)]
pub struct Served {
    /// The credential as it was last published.
    pub credential: Credential,
    /// A client's word stands that the provider refused this generation.
    pub refused: bool,
    printed: ArcSwapOption<Printed>,
}

impl Served {
    fn new(credential: Credential, refused: bool) -> Self {
        Self { credential, refused, printed: ArcSwapOption::empty() }
    }

    /// The answer of this moment, printed by `print` unless somebody asked within the same second.
    pub fn printed(&self, at: Timestamp, print: impl FnOnce() -> Printed) -> Arc<Printed> {
        if let Some(printed) = self.printed.load().as_ref().filter(|printed| printed.at() == at) {
            return Arc::clone(printed);
        }
        let printed = Arc::new(print());
        self.printed.store(Some(Arc::clone(&printed)));
        printed
    }
}

/// What came of a rotation, for everyone who waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The credential is at this generation now.
    Renewed(u64),
    /// It is not renewed.
    Failed(Failure),
}

/// Why a rotation did not renew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// All rescue slots are in use.
    #[error("no rescue slot is free")]
    NoSlot,
    /// Nothing was sent.
    #[error("the provider was not reached: {0}")]
    Unsent(String),
    /// The provider answered that it does not want to now.
    #[error("the provider said {0}")]
    NotConsumed(String),
    /// The answer is unknown.
    #[error("the provider's answer is unknown: {0}")]
    InDoubt(String),
    /// The login has ended.
    #[error("the login has ended")]
    Ended,
    /// Set aside.
    #[error("the credential was set aside")]
    Quarantined,
    /// Somebody logged in meanwhile.
    #[error("another login took its place")]
    Superseded,
    /// Our own storage failed before anything was sent.
    #[error("the broker's storage failed: {0}")]
    Storage(String),
    /// A bug.
    #[error("the rotation stopped by a bug")]
    Panicked,
}

/// A rotation under way, to wait on: `None` until it is decided.
pub type Flight = watch::Receiver<Option<Outcome>>;

/// What the rotation needs besides the credential.
#[derive(Debug)]
pub struct Desk {
    /// The newest state, published or not yet.
    pub credential: Credential,
    /// After failures that did no harm.
    pub backoff: Backoff,
    /// The rotation under way.
    pub flight: Option<Flight>,
    /// A client's word stands that the provider refused this generation.
    pub refused: Option<u64>,
    /// Rotations that refusals caused.
    pub refusals: History,
    /// The outcome of the last durable change is unknown: what is on disk must be read again before the next one.
    pub unsure: bool,
    /// For a person: what the last attempt came to.
    pub last_failure: Option<String>,
    /// How the last rotation ended that the audit heard of.
    pub noted: Option<&'static str>,
    /// Removed by an administrator: nothing may begin.
    pub removed: bool,
}

/// One credential in memory.
pub struct Holding {
    id: CredentialId,
    served: ArcSwap<Served>,
    desk: Mutex<Desk>,
    /// Queues durable changes.
    pub writing: tokio::sync::Mutex<()>,
}

impl Holding {
    /// Takes a credential in as it was loaded or made.
    pub fn new(credential: Credential) -> Self {
        let served = Served::new(credential.clone(), false);
        Self {
            id: credential.id.clone(),
            served: ArcSwap::from_pointee(served),
            desk: Mutex::new(Desk {
                credential,
                backoff: Backoff::default(),
                flight: None,
                refused: None,
                refusals: History::default(),
                unsure: false,
                last_failure: None,
                noted: None,
                removed: false,
            }),
            writing: tokio::sync::Mutex::new(()),
        }
    }

    /// Its id.
    pub fn id(&self) -> &CredentialId {
        &self.id
    }

    /// What requests read: one atomic load.
    pub fn served(&self) -> arc_swap::Guard<Arc<Served>> {
        self.served.load()
    }

    /// The rest, for a moment.
    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        // A panic while the lock was held left plain data behind, each field whole.
        self.desk.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Lets requests see what the desk has.
    pub fn publish(&self) {
        let desk = self.desk();
        let refused = desk.refused == Some(desk.credential.rotation.generation);
        self.served.store(Arc::new(Served::new(desk.credential.clone(), refused)));
    }

    /// True while a rotation is under way.
    pub fn is_in_flight(&self) -> bool {
        self.desk().flight.is_some()
    }

    /// True when a redemption was sent and nobody knows what became of it.
    pub fn is_in_doubt(&self) -> bool {
        matches!(
            &self.desk().credential.rotation.state,
            State::Resting(crate::domain::rotation::Resting::InDoubt(_)) | State::Sent(_)
        )
    }
}

/// All credentials. Copied when one is added or removed, which people do, never when one is renewed.
#[derive(Default)]
pub struct Holdings(ArcSwap<BTreeMap<CredentialId, Arc<Holding>>>);

impl Holdings {
    /// Those that were loaded.
    pub fn new(holdings: impl IntoIterator<Item = Arc<Holding>>) -> Self {
        Self(ArcSwap::from_pointee(holdings.into_iter().map(|holding| (holding.id.clone(), holding)).collect()))
    }

    /// By id.
    pub fn get(&self, id: &CredentialId) -> Option<Arc<Holding>> {
        self.0.load().get(id).cloned()
    }

    /// By the name that people use.
    pub fn named(&self, name: &str) -> Option<Arc<Holding>> {
        self.0.load().values().find(|holding| holding.served().credential.name.as_str() == name).cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<Holding>> {
        self.0.load().values().cloned().collect()
    }

    /// One more.
    pub fn add(&self, holding: &Arc<Holding>) {
        self.0.rcu(|all| {
            let mut all = BTreeMap::clone(all);
            all.insert(holding.id.clone(), Arc::clone(holding));
            all
        });
    }

    /// One less.
    pub fn remove(&self, id: &CredentialId) {
        self.0.rcu(|all| {
            let mut all = BTreeMap::clone(all);
            all.remove(id);
            all
        });
    }
}
