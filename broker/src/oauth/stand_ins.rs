//! Stand-ins in memory and on disk.
//!
//! All that live are in memory: recognising one reads no database, and one that is dead costs no write. What changes is
//! written before it is told. If it cannot be written, nothing changes and the client keeps the stand-in that it has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use aws_lc_rs::rand;
use scorpiox_wire::Secret;
use tracing::warn;

use crate::clock::Timestamp;
use crate::domain::client::{Client, ClientId};
use crate::domain::stand_in::{FamilyId, Given, Lineage, Presented, Purpose, Reused, Salt, seed};
use crate::gate::Gate;
use crate::master_key::Pepper;
use crate::store::stand_ins::Sibling;
use crate::store::{Store, StoreError};

/// So many sign-ins of one client live at once; with one more the oldest ends.
pub const PER_CLIENT: usize = 16;

/// One sign-in of a client.
#[derive(Debug)]
pub struct Family {
    /// Its public name.
    pub id: FamilyId,
    /// The key that its client has to have still.
    pub key_id: String,
    /// What for.
    pub purpose: Purpose,
    client: ClientId,
    salt: Salt,
    made_at: Timestamp,
    /// `None` once it has ended.
    lineage: Mutex<Option<Lineage>>,
    /// Queues changes.
    writing: tokio::sync::Mutex<()>,
}

/// No living stand-in: malformed, never issued, or of a family that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody here has issued this refresh token, or it has ended")]
pub struct Unknown;

/// Why a stand-in is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dead {
    /// It has ended.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// There are two copies of it.
    #[error(transparent)]
    Reused(#[from] Reused),
}

/// All of them.
pub struct StandIns {
    store: Store,
    pepper: Pepper,
    families: RwLock<HashMap<FamilyId, Arc<Family>>>,
    /// Queues sign-ins, so that of many at once none is beyond the limit.
    beginning: tokio::sync::Mutex<()>,
    /// Ended in memory, and still in the database because it did not take that.
    owed: Mutex<Vec<FamilyId>>,
}

impl Family {
    fn from_stored(stored: Sibling) -> Self {
        Self {
            id: stored.family,
            key_id: stored.key_id,
            purpose: stored.purpose,
            client: stored.client,
            salt: stored.salt,
            made_at: stored.made_at,
            lineage: Mutex::new(Some(stored.lineage)),
            writing: tokio::sync::Mutex::new(()),
        }
    }

    fn lineage(&self) -> MutexGuard<'_, Option<Lineage>> {
        // Replaced whole, so a panic elsewhere left it whole.
        self.lineage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this one may be presented now, and the token that went out with it as far as that is remembered.
    pub fn admit(&self, number: u64, now: Timestamp) -> Result<Option<Given>, Dead> {
        let lineage = self.lineage();
        let lineage = lineage.as_ref().ok_or(Unknown)?;
        lineage.admit(number, now)?;
        Ok(lineage.given(number).cloned())
    }
}

impl StandIns {
    /// Those of the database whose clients still have the same key; the others end.
    pub async fn load(store: Store, pepper: Pepper, gate: &Gate) -> Result<Self, StoreError> {
        let stored = store.stand_ins().await?;
        let (living, ended): (Vec<_>, Vec<_>) =
            stored.into_iter().partition(|stored| gate.holder_of(&stored.key_id).is_some());
        if !ended.is_empty() {
            let ended: Vec<FamilyId> = ended.into_iter().map(|stored| stored.family).collect();
            store.end_stand_ins(&ended).await?;
        }
        let families = living.into_iter().map(|stored| {
            let family = Family::from_stored(stored);
            (family.id.clone(), Arc::new(family))
        });
        let families = RwLock::new(families.collect());
        Ok(Self { families, store, pepper, beginning: tokio::sync::Mutex::default(), owed: Mutex::default() })
    }

    /// Recognises a text: its family, and which of it.
    pub fn recognise(&self, text: &str) -> Result<(Arc<Family>, u64), Unknown> {
        let presented = Presented::parse(text).map_err(|_| Unknown)?;
        let family = self.get(&presented.family).ok_or(Unknown)?;
        let seed = seed(&family.id, presented.number, &family.salt);
        if !self.pepper.verify(&seed, presented.mac()) {
            return Err(Unknown);
        }
        Ok((family, presented.number))
    }

    /// A new family, and its first stand-in. The client's oldest ends when it has too many.
    pub async fn begin(
        &self,
        client: &Client,
        purpose: Purpose,
        given: Given,
        now: Timestamp,
    ) -> Result<(Arc<Family>, Secret), StoreError> {
        let new = Sibling {
            family: FamilyId::from_random(random()),
            client: client.id.clone(),
            key_id: client.key_id.clone(),
            purpose,
            salt: Salt::from_bytes(random()),
            made_at: now,
            lineage: Lineage::begin(given, now),
        };
        let _beginning = self.beginning.lock().await;
        let ended = self.beyond_the_limit(&client.id);
        let names: Vec<FamilyId> = ended.iter().map(|family| family.id.clone()).collect();
        self.store.begin_stand_in(&new, &names).await?;
        self.forget(&ended);
        let number = new.lineage.newest();
        let family = Arc::new(Family::from_stored(new));
        self.families.write().unwrap_or_else(PoisonError::into_inner).insert(family.id.clone(), Arc::clone(&family));
        let text = self.text(&family, number);
        Ok((family, text))
    }

    /// What the client has from now on, after `number` was presented and answered with this token.
    pub async fn advance(&self, family: &Family, number: u64, given: Given, now: Timestamp) -> Result<Secret, Dead> {
        let _writing = family.writing.lock().await;
        let before = family.lineage().clone().ok_or(Unknown)?;
        let next = before.after(number, given, now)?;
        let newest = next.newest();
        if next != before {
            if let Err(error) = self.store.save_stand_in(&family.id, &next).await {
                warn!(stand_in = %family.id, %error, "a stand-in stays as it is: the database does not take its successor");
                return Ok(self.text(family, number));
            }
            // Nobody revives one that has ended meanwhile.
            let mut lineage = family.lineage();
            *lineage = lineage.take().map(|_| next);
            lineage.as_ref().ok_or(Unknown)?;
        }
        Ok(self.text(family, newest))
    }

    /// Ends a family: in memory at once, and on disk. True for the one call that ended it.
    pub async fn end(&self, family: &Arc<Family>) -> bool {
        if !self.forget(std::slice::from_ref(family)) {
            return false;
        }
        self.owed().push(family.id.clone());
        self.settle().await;
        true
    }

    /// Writes down what has ended, as far as the database did not take that before. Also asked for once in a minute.
    pub async fn settle(&self) {
        let owed = self.owed().clone();
        if owed.is_empty() {
            return;
        }
        match self.store.end_stand_ins(&owed).await {
            Ok(()) => self.owed().retain(|id| !owed.contains(id)),
            Err(error) => {
                warn!(stand_ins = owed.len(), %error, "ended in memory only so far: the database does not take it");
            }
        }
    }

    fn owed(&self) -> MutexGuard<'_, Vec<FamilyId>> {
        // Names are pushed and removed whole.
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many live.
    pub fn count(&self) -> usize {
        self.families.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn get(&self, id: &FamilyId) -> Option<Arc<Family>> {
        self.families.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    fn beyond_the_limit(&self, client: &ClientId) -> Vec<Arc<Family>> {
        let families = self.families.read().unwrap_or_else(PoisonError::into_inner);
        let mut own: Vec<_> = families.values().filter(|family| family.client == *client).cloned().collect();
        own.sort_by(|one, other| (one.made_at, &one.id).cmp(&(other.made_at, &other.id)));
        own.truncate((own.len() + 1).saturating_sub(PER_CLIENT));
        own
    }

    /// True when one of them lived.
    fn forget(&self, ended: &[Arc<Family>]) -> bool {
        let mut families = self.families.write().unwrap_or_else(PoisonError::into_inner);
        ended.iter().fold(false, |lived, family| {
            families.remove(&family.id);
            family.lineage().take().is_some() || lived
        })
    }

    fn text(&self, family: &Family, number: u64) -> Secret {
        let mac = self.pepper.mac(&seed(&family.id, number, &family.salt));
        Presented::compose(&family.id, number, &mac)
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the machine has a random source");
    bytes
}

#[cfg(test)]
mod tests;
