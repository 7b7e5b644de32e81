//! Who is asking: a key becomes a caller, or nothing.
//!
//! The snapshot of all clients is in memory; revoking one replaces it, and holds on the very next request. A key has
//! 256 random bits, so one HMAC under a pepper that is not in the database recognises it; a slow hash would add nothing
//! but load. An unknown key id costs the same HMAC as a known one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use scorpiox_wire::{ClientKey, client_key};

use crate::clock::Timestamp;
use crate::domain::admission::Meters;
use crate::domain::client::Client;
use crate::domain::credential::CredentialId;
use crate::domain::limits::ClientTerms;
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
    /// Its limits, and whether it is paused: read on each request, changed by an administrator.
    pub terms: ArcSwap<ClientTerms>,
    /// What it has taken of its limits.
    pub meters: Arc<Meters>,
    /// Which of its first hand-outs are in the audit.
    pub first: FirstHandouts,
    /// Hand-outs that were counted only; never goes back.
    repeats: AtomicU64,
    /// How many of them were flushed.
    flushed: AtomicU64,
    /// Hand-outs that are in the audit; never goes back.
    firsts: AtomicU64,
    /// When it was last given a token (Unix seconds).
    pub last_at: AtomicU64,
    /// Hand-outs of earlier generations since the last flush.
    earlier: Mutex<Vec<Repeats>>,
    /// Rotations that its refusals caused.
    refusals: Mutex<History>,
    /// Its [`Standing`].
    standing: AtomicU8,
}

/// Whether a caller is in the gate's snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Standing {
    /// Revoked, given another key, or not let in yet.
    Out,
    /// Its key is good, and is another caller's now: the client was given another credential, or none.
    Succeeded,
    /// In it.
    Admitted,
}

impl Caller {
    /// A client as loaded or made.
    pub fn new(client: Client, terms: ClientTerms, holding: Option<Arc<Holding>>) -> Arc<Self> {
        Self::with(client, ArcSwap::from_pointee(terms), Arc::default(), holding)
    }

    /// The same client with another key, or another credential: nothing that it has taken of its limits is forgotten.
    pub fn succeeded_by(&self, client: Client, holding: Option<Arc<Holding>>) -> Arc<Self> {
        let next = Self::with(client, ArcSwap::new(self.terms.load_full()), Arc::clone(&self.meters), holding);
        *next.refusals() = self.refusals().clone();
        next
    }

    fn with(
        client: Client,
        terms: ArcSwap<ClientTerms>,
        meters: Arc<Meters>,
        holding: Option<Arc<Holding>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            client,
            holding,
            terms,
            meters,
            first: FirstHandouts::default(),
            repeats: AtomicU64::new(0),
            flushed: AtomicU64::new(0),
            firsts: AtomicU64::new(0),
            last_at: AtomicU64::new(0),
            earlier: Mutex::default(),
            refusals: Mutex::default(),
            standing: AtomicU8::new(Standing::Out as u8),
        })
    }

    /// How this caller stands now: asked once more right before a token leaves, because a request may have waited for a
    /// renewal meanwhile.
    pub fn standing(&self) -> Standing {
        match self.standing.load(Ordering::Acquire) {
            byte if byte == Standing::Admitted as u8 => Standing::Admitted,
            byte if byte == Standing::Succeeded as u8 => Standing::Succeeded,
            _ => Standing::Out,
        }
    }

    /// True while nobody revoked it, gave it another key or another credential.
    pub fn is_admitted(&self) -> bool {
        self.standing() == Standing::Admitted
    }

    fn stands(&self, standing: Standing) {
        self.standing.store(standing as u8, Ordering::Release);
    }

    /// Counts a hand-out that the audit already knows.
    pub fn count(&self, now: Timestamp) {
        self.repeats.fetch_add(1, Ordering::Relaxed);
        self.last_at.store(u64::try_from(now.as_unix()).unwrap_or(0), Ordering::Relaxed);
    }

    /// Counts a first hand-out of a generation, which the audit took.
    pub fn count_first(&self) {
        self.firsts.fetch_add(1, Ordering::Relaxed);
    }

    /// Tokens that it was given since it was loaded.
    pub fn handouts(&self) -> u64 {
        self.firsts.load(Ordering::Relaxed) + self.repeats.load(Ordering::Relaxed)
    }

    /// The generation changes: what was counted so far was of the one before. It waits for the next flush, because a
    /// transaction for each client would stand in the way of those that wait for the new token.
    pub fn close_count(&self) {
        let counted = self.counted();
        self.earlier().extend(counted);
    }

    /// The hand-outs counted since the last call.
    pub fn take_repeats(&self) -> Vec<Repeats> {
        let mut repeats = std::mem::take(&mut *self.earlier());
        repeats.extend(self.counted());
        repeats
    }

    fn counted(&self) -> Option<Repeats> {
        let credential = self.credential_id()?.clone();
        let count = self.unflushed();
        let last_at = i64::try_from(self.last_at.load(Ordering::Relaxed)).unwrap_or(0);
        (count > 0).then(|| Repeats {
            client: self.client.id.clone(),
            credential,
            generation: self.first.newest(),
            count,
            last_at: Timestamp::from_unix(last_at),
        })
    }

    fn unflushed(&self) -> u64 {
        let total = self.repeats.load(Ordering::Relaxed);
        // Whoever flushes at the same moment and saw more has taken ours too.
        total.saturating_sub(self.flushed.fetch_max(total, Ordering::Relaxed))
    }

    fn earlier(&self) -> MutexGuard<'_, Vec<Repeats>> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
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
        let admitted = callers.into_iter().inspect(|caller| caller.stands(Standing::Admitted));
        let by_key = admitted.map(|caller| (caller.client.key_id.clone(), caller)).collect();
        Self { pepper, by_key: ArcSwap::from_pointee(by_key) }
    }

    /// Recognises the key behind `Authorization: Bearer`.
    pub fn recognise(&self, presented: &str) -> Result<Arc<Caller>, Stranger> {
        let id = client_key::id_of(presented).map_err(|_| Stranger)?;
        let by_key = self.by_key.load();
        match by_key.get(id) {
            Some(caller) if self.pepper.verify(presented, caller.client.key_mac.as_bytes()) => Ok(Arc::clone(caller)),
            Some(_) => Err(Stranger),
            None => {
                let _ = self.pepper.verify(presented, &[0; 32]);
                Err(Stranger)
            }
        }
    }

    /// Who has the key with this id now.
    pub fn holder_of(&self, key_id: &str) -> Option<Arc<Caller>> {
        self.by_key.load().get(key_id).cloned()
    }

    /// What recognises a key.
    pub fn mac(&self, key: &ClientKey) -> [u8; 32] {
        self.pepper.mac(key.expose())
    }

    /// Lets a client in; another caller with the same key is out.
    pub fn admit(&self, caller: &Arc<Caller>) {
        self.admit_all(std::slice::from_ref(caller));
    }

    /// In one step: the snapshot is copied once, however many they are.
    fn admit_all(&self, callers: &[Arc<Caller>]) {
        callers.iter().for_each(|caller| caller.stands(Standing::Admitted));
        let before = self.by_key.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.extend(callers.iter().map(|caller| (caller.client.key_id.clone(), Arc::clone(caller))));
            all
        });
        for caller in callers {
            if let Some(before) = before.get(&caller.client.key_id).filter(|before| !Arc::ptr_eq(before, caller)) {
                before.stands(Standing::Succeeded);
            }
        }
    }

    /// Shuts a key out.
    pub fn shut_out(&self, key_id: &str) {
        let before = self.by_key.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.remove(key_id);
            all
        });
        if let Some(caller) = before.get(key_id) {
            caller.stands(Standing::Out);
        }
    }

    /// A credential was removed: its clients stay, with nothing to fetch.
    pub fn bereave(&self, credential: &CredentialId) {
        let all = self.callers();
        let bereaved = all.iter().filter(|caller| caller.credential_id() == Some(credential));
        let next: Vec<_> = bereaved.map(|caller| caller.succeeded_by(caller.client.clone(), None)).collect();
        if !next.is_empty() {
            self.admit_all(&next);
        }
    }

    /// This client, while it may ask.
    pub fn caller_of(&self, client: &Client) -> Option<Arc<Caller>> {
        self.by_key.load().get(&client.key_id).filter(|caller| caller.client.id == client.id).cloned()
    }

    /// Shows each that may ask. For what is looked at every few seconds: nothing is copied.
    pub fn visit(&self, look: impl FnMut(&Arc<Caller>)) {
        self.by_key.load().values().for_each(look);
    }

    /// All that may ask.
    pub fn callers(&self) -> Vec<Arc<Caller>> {
        self.by_key.load().values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use scorpiox_wire::Secret;

    use super::*;
    use crate::domain::client::{ClientId, KeyMac};
    use crate::domain::credential::Name;

    fn key(id: &str, letter: &str) -> ClientKey {
        ClientKey::compose(id, &Secret::new(letter.repeat(client_key::SECRET_LENGTH))).unwrap()
    }

    fn caller(key: &ClientKey) -> Arc<Caller> {
        let client = Client {
            id: ClientId::from_stored("c1".into()),
            name: Name::parse("laptop").unwrap(),
            created_at: Timestamp::from_unix(0),
            revoked_at: None,
            key_id: key.id().to_owned(),
            key_mac: KeyMac::from_bytes(Pepper::from_bytes(&[7; 32]).mac(key.expose())),
        };
        Caller::new(client, ClientTerms::default(), None)
    }

    #[test]
    fn a_key_is_recognised_whole_or_not_at_all() {
        let key = key("7f3k9q2m1c0d", "A");
        let gate = Gate::new(Pepper::from_bytes(&[7; 32]), [caller(&key)]);
        assert!(gate.recognise(key.expose()).is_ok_and(|caller| caller.is_admitted()));
        for other in [self::key("7f3k9q2m1c0d", "B"), self::key("000000000000", "A")] {
            assert!(gate.recognise(other.expose()).is_err(), "{other:?}");
        }
        assert!(gate.recognise("sxk_7f3k9q2m1c0d").is_err());
    }

    #[test]
    fn hand_outs_are_flushed_once_and_their_count_never_goes_back() {
        let caller = caller(&key("7f3k9q2m1c0d", "A"));
        caller.count_first();
        caller.count(Timestamp::from_unix(5));
        caller.count(Timestamp::from_unix(6));
        assert_eq!(caller.handouts(), 3);
        assert_eq!((caller.unflushed(), caller.unflushed()), (2, 0));
        assert_eq!(caller.handouts(), 3);
    }

    #[test]
    fn a_request_under_way_sees_that_its_key_was_shut_out_or_replaced() {
        let key = key("7f3k9q2m1c0d", "A");
        let (first, second) = (caller(&key), caller(&key));
        assert!(!first.is_admitted());
        let gate = Gate::new(Pepper::from_bytes(&[7; 32]), [Arc::clone(&first)]);
        assert!(first.is_admitted());
        gate.admit(&second);
        assert!(second.is_admitted());
        assert_eq!(first.standing(), Standing::Succeeded);
        gate.admit(&second);
        assert!(second.is_admitted());
        gate.shut_out(key.id());
        assert_eq!(second.standing(), Standing::Out);
        assert!(gate.recognise(key.expose()).is_err());
        gate.admit(&second);
        assert!(second.is_admitted() && gate.recognise(key.expose()).is_ok());
    }
}
