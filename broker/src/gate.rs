//! Who is asking: a key becomes a caller, or nothing.
//!
//! The snapshot of all clients is in memory; revoking one replaces it, and holds on the very next request. A key has
//! 256 random bits, so one HMAC under a pepper that is not in the database recognises it; a slow hash would add nothing
//! but load. An unknown key id costs the same HMAC as a known one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use scorpiox_wire::ClientKey;

use crate::clock::Timestamp;
use crate::domain::client::Client;
use crate::domain::credential::CredentialId;
use crate::domain::refusal::History;
use crate::first_handout::FirstHandouts;
use crate::holding::Holding;
use crate::master_key::Pepper;
use crate::store::clients::Repeats;

/// A client that may ask, and what it may have.
pub struct Caller {
    /// The client.
    pub client: Client,
    /// Its one credential; `None` when that was removed.
    pub holding: Option<Arc<Holding>>,
    /// Which of its first hand-outs are in the audit.
    pub first: FirstHandouts,
    /// Hand-outs since the last flush.
    pub repeats: AtomicU64,
    /// When it was last given a token (Unix seconds).
    pub last_at: AtomicU64,
    /// Rotations that its refusals caused.
    refusals: Mutex<History>,
}

impl Caller {
    /// A client as loaded or made.
    pub fn new(client: Client, holding: Option<Arc<Holding>>) -> Arc<Self> {
        Arc::new(Self {
            client,
            holding,
            first: FirstHandouts::default(),
            repeats: AtomicU64::new(0),
            last_at: AtomicU64::new(0),
            refusals: Mutex::default(),
        })
    }

    /// Counts a hand-out that the audit already knows.
    pub fn count(&self, now: Timestamp) {
        self.repeats.fetch_add(1, Ordering::Relaxed);
        self.last_at.store(u64::try_from(now.as_unix()).unwrap_or(0), Ordering::Relaxed);
    }

    /// The hand-outs counted since the last call, of the generation that it was given last.
    pub fn take_repeats(&self) -> Option<Repeats> {
        let credential = self.credential_id()?.clone();
        let count = self.repeats.swap(0, Ordering::Relaxed);
        let last_at = i64::try_from(self.last_at.load(Ordering::Relaxed)).unwrap_or(0);
        (count > 0).then(|| Repeats {
            client: self.client.id.clone(),
            credential,
            generation: self.first.newest(),
            count,
            last_at: Timestamp::from_unix(last_at),
        })
    }

    /// Which credential it may use.
    pub fn credential_id(&self) -> Option<&CredentialId> {
        self.holding.as_ref().map(|holding| holding.id())
    }

    /// Rotations that its refusals caused.
    pub fn refusals(&self) -> MutexGuard<'_, History> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Recognises keys.
pub struct Gate {
    pepper: Pepper,
    by_key: ArcSwap<HashMap<String, Arc<Caller>>>,
}

/// No key, a malformed one, an unknown one, a revoked one: the answer does not tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no client has this key")]
pub struct Stranger;

impl Gate {
    /// Opens with the clients that are not revoked.
    pub fn new(pepper: Pepper, callers: impl IntoIterator<Item = Arc<Caller>>) -> Self {
        let by_key = callers.into_iter().map(|caller| (caller.client.key_id.clone(), caller)).collect();
        Self { pepper, by_key: ArcSwap::from_pointee(by_key) }
    }

    /// Recognises the key behind `Authorization: Bearer`.
    pub fn recognise(&self, presented: &str) -> Result<Arc<Caller>, Stranger> {
        let key = ClientKey::parse(presented).map_err(|_| Stranger)?;
        let by_key = self.by_key.load();
        match by_key.get(key.id()) {
            Some(caller) if self.pepper.verify(key.expose(), caller.client.key_mac.as_bytes()) => {
                Ok(Arc::clone(caller))
            }
            Some(_) => Err(Stranger),
            None => {
                let _ = self.pepper.verify(key.expose(), &[0; 32]);
                Err(Stranger)
            }
        }
    }

    /// True while this caller has not been revoked or given another key: asked once more right before a token leaves,
    /// because a request may have waited for a renewal meanwhile.
    pub fn still_admits(&self, caller: &Arc<Caller>) -> bool {
        self.by_key.load().get(&caller.client.key_id).is_some_and(|known| Arc::ptr_eq(known, caller))
    }

    /// What recognises a key.
    pub fn mac(&self, key: &ClientKey) -> [u8; 32] {
        self.pepper.mac(key.expose())
    }

    /// Lets a client in.
    pub fn admit(&self, caller: &Arc<Caller>) {
        self.by_key.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.insert(caller.client.key_id.clone(), Arc::clone(caller));
            all
        });
    }

    /// Shuts a key out.
    pub fn shut_out(&self, key_id: &str) {
        self.by_key.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.remove(key_id);
            all
        });
    }

    /// A credential was removed: its clients stay, with nothing to fetch.
    pub fn bereave(&self, credential: &CredentialId) {
        for caller in self.callers() {
            if caller.credential_id() == Some(credential) {
                self.admit(&Caller::new(caller.client.clone(), None));
            }
        }
    }

    /// All that may ask.
    pub fn callers(&self) -> Vec<Arc<Caller>> {
        self.by_key.load().values().cloned().collect()
    }
}
