//! Administrators over the network: who they are, their sessions, and how fast a password may be tried.
//!
//! Whatever a request needs to be recognised is in memory, and a change replaces it: somebody who was removed, or has
//! another scope, meets that with the very next request.
//!
//! * `hashing`: argon2id, a few at a time.
//! * `signing`: tokens of sessions, and the keys that sign them.
//! * `roster`: the snapshot: accounts, admin keys, sessions that were ended.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use scorpiox_wire::{AdminKey, Secret, admin_key};

use crate::activity::Activity;
use crate::clock::Timestamp;
use crate::domain::administrator::{Account, AdminKeyEntry, NewPassword, PasswordHash};
use crate::domain::client::KeyMac;
use crate::domain::credential::{CredentialId, Name};
use crate::domain::login_throttle::{LoginThrottle, TooManyFailures};
use crate::domain::scope::Scopes;
use crate::domain::session::Claims;
use crate::master_key::Pepper;
use crate::metrics::meters::PasswordMeters;
use crate::store::administrators::EndedSession;
use crate::store::{Store, StoreError};
use crate::timeline::Timeline;

mod hashing;
mod roster;
mod signing;
#[cfg(test)]
mod tests;

pub use hashing::Busy;

use hashing::Hashing;
use roster::Roster;
use signing::Signing;

/// Recognises administrators.
pub struct Administrators {
    store: Store,
    pepper: Pepper,
    timeline: Timeline,
    hashing: Hashing,
    signing: Signing,
    roster: Roster,
    throttle: Mutex<LoginThrottle>,
    /// What an unknown name's password is compared with, so that it costs the same.
    nobody: PasswordHash,
}

/// Somebody who was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// As the audit names it: `admin:anna`, `admin-key:backup`.
    pub actor: String,
    /// The id of its account or key.
    pub id: String,
    /// What it may do at this moment.
    pub scopes: Scopes,
    /// Its session; none for a key.
    pub session: Option<Claims>,
}

/// No key or session, or one that holds no longer: the answer does not tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody is known by this key or session")]
pub struct Stranger;

/// A session's token, and what it says.
pub struct Issued {
    /// What goes behind `Authorization: Bearer`.
    pub token: Secret,
    /// What is in it.
    pub claims: Claims,
    /// What its administrator may do.
    pub scopes: Scopes,
}

/// Why nobody was let in.
#[derive(Debug)]
pub enum LoginFailed {
    /// No such name, or not its password: the answer does not tell which. Only the audit does.
    Wrong {
        /// There is an administrator of this name.
        is_known: bool,
    },
    /// Too many failures of this name or from this address.
    TooMany(TooManyFailures),
    /// Too many passwords are being compared.
    Busy(Busy),
    /// The key that signs could not be made.
    Store(StoreError),
}

impl Administrators {
    /// Reads who there is.
    pub async fn open(
        store: Store,
        pepper: Pepper,
        timeline: Timeline,
        activity: Activity,
        meters: PasswordMeters,
    ) -> Result<Arc<Self>, StoreError> {
        let roster = Roster::read(&store, timeline.now()).await?;
        let signing = Signing::read(&store).await?;
        let nobody = PasswordHash { salt: random(), hash: zeroize::Zeroizing::new(random()) };
        let throttle = Mutex::default();
        Ok(Arc::new(Self {
            store,
            pepper,
            timeline,
            hashing: Hashing::new(activity, meters),
            signing,
            roster,
            throttle,
            nobody,
        }))
    }

    /// Recognises what stands behind `Authorization: Bearer`: an admin key or a session's token.
    pub fn recognise(&self, presented: &str) -> Result<Recognised, Stranger> {
        let now = self.timeline.now();
        if presented.starts_with(admin_key::PREFIX) {
            return self.recognise_key(presented, now);
        }
        let claims = self.signing.verify(presented, now).ok_or(Stranger)?;
        let account = self.roster.account_by_id(&claims.sub).ok_or(Stranger)?;
        if !claims.holds(&account, now) || self.roster.is_ended(&claims.sid) {
            return Err(Stranger);
        }
        let actor = format!("admin:{}", account.name);
        Ok(Recognised { actor, id: account.id.clone(), scopes: account.scopes.clone(), session: Some(claims) })
    }

    fn recognise_key(&self, presented: &str, now: Timestamp) -> Result<Recognised, Stranger> {
        let id = admin_key::id_of(presented).map_err(|_| Stranger)?;
        let known = self.roster.key_by_id(id);
        // An unknown id costs the same.
        let mac = known.as_ref().map_or([0; 32], |key| *key.mac.as_bytes());
        let is_right = self.pepper.verify(presented, &mac);
        let key = known.filter(|key| is_right && key.is_good(now)).ok_or(Stranger)?;
        let actor = format!("admin-key:{}", key.name);
        Ok(Recognised { actor, id: key.id.clone(), scopes: key.scopes.clone(), session: None })
    }

    /// Compares a password and begins a session.
    pub async fn log_in(&self, name: &str, password: Secret, from: Option<IpAddr>) -> Result<Issued, LoginFailed> {
        let attempt = self.throttle().begin(name, from, self.timeline.monotonic()).map_err(LoginFailed::TooMany)?;
        let account = self.roster.account(name);
        let expected = account.as_ref().map_or_else(|| self.nobody.clone(), |account| account.password.clone());
        let is_right = match self.hashing.compare(password, expected).await {
            Ok(is_right) => is_right,
            Err(busy) => {
                self.throttle().not_tried(&attempt);
                return Err(LoginFailed::Busy(busy));
            }
        };
        // It may have been removed, or have another password, while the old one was being compared.
        let current = self.roster.account(name).filter(|current| {
            account.as_ref().is_some_and(|account| account.id == current.id && account.password == current.password)
        });
        let Some(account) = current.filter(|_| is_right) else {
            return Err(LoginFailed::Wrong { is_known: account.is_some() });
        };
        self.throttle().succeeded(attempt);
        let (session, token) = (crate::hex::encode(&random::<16>()), crate::hex::encode(&random::<16>()));
        let claims = Claims::begun(&account, session.to_string(), token.to_string(), self.timeline.now());
        self.issue(claims, account.scopes.clone()).await.map_err(LoginFailed::Store)
    }

    /// The next token of a session that was just recognised.
    pub async fn renew(&self, session: &Claims, scopes: Scopes) -> Result<Issued, StoreError> {
        let token = crate::hex::encode(&random::<16>());
        self.issue(session.renewed(token.to_string(), self.timeline.now()), scopes).await
    }

    async fn issue(&self, claims: Claims, scopes: Scopes) -> Result<Issued, StoreError> {
        let token = self.signing.sign(&self.store, &claims, self.timeline.now()).await?;
        Ok(Issued { token, claims, scopes })
    }

    /// Ends a session with all its tokens. It is remembered, also over a restart, until they have ended by themselves.
    pub async fn end_session(&self, session: &Claims) -> Result<(), StoreError> {
        let now = self.timeline.now();
        let ended = EndedSession { id: session.sid.clone(), until: session.renewable_until() };
        self.store.end_session(&ended, now).await?;
        self.roster.end(ended, now);
        Ok(())
    }

    /// All administrators, in the order of their names.
    pub fn accounts(&self) -> Vec<Arc<Account>> {
        self.roster.accounts()
    }

    /// One of them.
    pub fn account(&self, name: &str) -> Option<Arc<Account>> {
        self.roster.account(name)
    }

    /// Makes one; the caller has looked that the name is free, and lets nobody in between.
    pub async fn add(&self, name: Name, scopes: Scopes, password: &NewPassword) -> Result<Arc<Account>, NotDone> {
        let hash = self.hashing.make(password.secret().clone()).await?;
        let now = self.timeline.now();
        let account = Account {
            id: CredentialId::from_random(random()).as_str().to_owned(),
            name,
            scopes,
            created_at: now,
            password: hash,
            password_set_at: now,
            session_epoch: 1,
        };
        self.store.insert_account(&account).await?;
        Ok(self.roster.put(account))
    }

    /// Another password; sessions end.
    pub async fn set_password(&self, account: &Account, password: &NewPassword) -> Result<Arc<Account>, NotDone> {
        let hash = self.hashing.make(password.secret().clone()).await?;
        let changed = Account { password: hash, password_set_at: self.timeline.now(), ..account.clone() };
        self.begin_epoch(changed).await
    }

    /// Ends all sessions of an administrator.
    pub async fn revoke_sessions(&self, account: &Account) -> Result<Arc<Account>, NotDone> {
        self.begin_epoch(account.clone()).await
    }

    /// Changes what an administrator may do; its sessions go on with that.
    pub async fn set_scopes(&self, account: &Account, scopes: Scopes) -> Result<Arc<Account>, StoreError> {
        let account = Account { scopes, ..account.clone() };
        self.store.update_account(&account).await?;
        Ok(self.roster.put(account))
    }

    async fn begin_epoch(&self, account: Account) -> Result<Arc<Account>, NotDone> {
        let account = Account { session_epoch: account.session_epoch + 1, ..account };
        self.store.update_account(&account).await?;
        Ok(self.roster.put(account))
    }

    /// Forgets an administrator; its sessions end.
    pub async fn remove(&self, account: &Account) -> Result<(), StoreError> {
        self.store.remove_account(&account.id).await?;
        self.roster.remove(&account.id);
        Ok(())
    }

    /// All admin keys, in the order of their names.
    pub fn keys(&self) -> Vec<Arc<AdminKeyEntry>> {
        self.roster.keys()
    }

    /// Makes an admin key; the caller has looked that the name is free, and lets nobody in between.
    pub async fn add_key(
        &self,
        name: Name,
        scopes: Scopes,
        expires_at: Option<Timestamp>,
        key: &AdminKey,
    ) -> Result<Arc<AdminKeyEntry>, StoreError> {
        let mac = KeyMac::from_bytes(self.pepper.mac(key.expose()));
        let created_at = self.timeline.now();
        let entry = AdminKeyEntry { id: key.id().to_owned(), name, scopes, created_at, expires_at, mac };
        self.store.insert_admin_key(&entry).await?;
        Ok(self.roster.put_key(entry))
    }

    /// Forgets an admin key.
    pub async fn remove_key(&self, key: &AdminKeyEntry) -> Result<(), StoreError> {
        self.store.remove_admin_key(&key.id).await?;
        self.roster.remove_key(&key.id);
        Ok(())
    }

    fn throttle(&self) -> MutexGuard<'_, LoginThrottle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a change of a password was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// Too many passwords are being hashed.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The database did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Random bytes for an id, a salt or a key.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the machine has a random source");
    bytes
}
