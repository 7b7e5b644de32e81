//! Who there is, in memory: a snapshot that each change replaces.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::clock::Timestamp;
use crate::domain::administrator::{Account, AdminKeyEntry};
use crate::store::administrators::EndedSession;
use crate::store::{Store, StoreError};

#[derive(Clone, Default)]
struct Known {
    /// By id.
    accounts: HashMap<String, Arc<Account>>,
    /// By id.
    keys: HashMap<String, Arc<AdminKeyEntry>>,
    /// Sessions that were ended, and until when that matters.
    ended: HashMap<String, Timestamp>,
}

pub(super) struct Roster(ArcSwap<Known>);

impl Roster {
    pub(super) async fn read(store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        let accounts = store.accounts().await?.into_iter().map(|account| (account.id.clone(), Arc::new(account)));
        let keys = store.admin_keys().await?.into_iter().map(|key| (key.id.clone(), Arc::new(key)));
        let ended = store.ended_sessions(now).await?.into_iter().map(|ended| (ended.id, ended.until));
        let known = Known { accounts: accounts.collect(), keys: keys.collect(), ended: ended.collect() };
        Ok(Self(ArcSwap::from_pointee(known)))
    }

    pub(super) fn account(&self, name: &str) -> Option<Arc<Account>> {
        self.0.load().accounts.values().find(|account| account.name.as_str() == name).cloned()
    }

    pub(super) fn account_by_id(&self, id: &str) -> Option<Arc<Account>> {
        self.0.load().accounts.get(id).cloned()
    }

    pub(super) fn accounts(&self) -> Vec<Arc<Account>> {
        let mut accounts: Vec<_> = self.0.load().accounts.values().cloned().collect();
        accounts.sort_by(|one, other| one.name.cmp(&other.name));
        accounts
    }

    pub(super) fn put(&self, account: Account) -> Arc<Account> {
        let account = Arc::new(account);
        self.change(|known| known.accounts.insert(account.id.clone(), Arc::clone(&account)));
        account
    }

    pub(super) fn remove(&self, id: &str) {
        self.change(|known| known.accounts.remove(id));
    }

    pub(super) fn key_by_id(&self, id: &str) -> Option<Arc<AdminKeyEntry>> {
        self.0.load().keys.get(id).cloned()
    }

    pub(super) fn keys(&self) -> Vec<Arc<AdminKeyEntry>> {
        let mut keys: Vec<_> = self.0.load().keys.values().cloned().collect();
        keys.sort_by(|one, other| one.name.cmp(&other.name));
        keys
    }

    pub(super) fn put_key(&self, key: AdminKeyEntry) -> Arc<AdminKeyEntry> {
        let key = Arc::new(key);
        self.change(|known| known.keys.insert(key.id.clone(), Arc::clone(&key)));
        key
    }

    pub(super) fn remove_key(&self, id: &str) {
        self.change(|known| known.keys.remove(id));
    }

    pub(super) fn is_ended(&self, session: &str) -> bool {
        self.0.load().ended.contains_key(session)
    }

    pub(super) fn end(&self, session: EndedSession, now: Timestamp) {
        self.change(|known| {
            known.ended.retain(|_, until| *until > now);
            known.ended.insert(session.id.clone(), session.until);
        });
    }

    fn change<T>(&self, change: impl Fn(&mut Known) -> T) {
        self.0.rcu(|known| {
            let mut known = Known::clone(known);
            change(&mut known);
            known
        });
    }
}
