//! Who may administer over the network: people with a password, programs with a key.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scorpiox_wire::admin::{
    AdminKeyIssued, AdminKeyRequest, AdminKeyView, AdministratorAdded, AdministratorRequest, AdministratorView, Page,
    PasswordRequest, ScopesRequest,
};
use scorpiox_wire::{AdminKey, Code, Problem, Secret};
use zeroize::Zeroizing;

use super::enrolment::random;
use super::{Administrator, Registrar, storage};
use crate::administrators::NotDone;
use crate::clock::Timestamp;
use crate::config::refuse_sample;
use crate::domain::administrator::{Account, AdminKeyEntry, NewPassword};
use crate::domain::credential::{CredentialId, Name};
use crate::domain::scope::{Scope, Scopes};

/// A key that ends after longer than this does not end by itself.
const LONGEST_KEY_LIFE: Duration = Duration::from_secs(100 * 365 * 86_400);

impl Registrar {
    /// Administrators over the network, in the order of their names.
    pub fn administrators(&self, after: Option<&Name>, limit: u32) -> Page<AdministratorView> {
        let accounts = self.administrators.accounts();
        let rest = accounts.iter().filter(|account| after.is_none_or(|after| account.name > *after));
        Page::cut(rest.map(|account| account_view(account)).collect(), limit, |view| view.name.clone())
    }

    /// Makes an administrator.
    pub async fn add_administrator(
        &self,
        by: &Administrator,
        request: &AdministratorRequest,
    ) -> Result<AdministratorAdded, Problem> {
        let _changing = self.changing.lock().await;
        let (name, scopes) = (name(&request.name)?, scopes(&request.scopes)?);
        let password = new_password(&request.password)?;
        if self.administrators.account(name.as_str()).is_some() {
            return Err(Problem::new(Code::Conflict, format!("there is an administrator '{name}' already"))
                .with_hint(format!("another password for it: scorpiox-broker admin password {name}")));
        }
        let account = self.administrators.add(name, scopes, &password).await.map_err(|error| not_done(&error))?;
        let detail = format!("scopes:{}", account.scopes);
        self.note(by, "admin.add", &format!("admin:{}", account.name), "ok", &detail).await;
        let (url, pin) = self.door();
        Ok(AdministratorAdded { administrator: account_view(&account), url, pin })
    }

    /// Removes an administrator; its sessions end with the very next request.
    pub async fn remove_administrator(&self, by: &Administrator, name: &str) -> Result<AdministratorView, Problem> {
        let _changing = self.changing.lock().await;
        let account = self.account(name)?;
        self.administrators.remove(&account).await.map_err(|error| storage(&error))?;
        self.note(by, "admin.remove", &format!("admin:{name}"), "ok", "").await;
        Ok(account_view(&account))
    }

    /// Gives an administrator another password; its sessions end.
    pub async fn set_password(
        &self,
        by: &Administrator,
        name: &str,
        request: &PasswordRequest,
    ) -> Result<AdministratorView, Problem> {
        let _changing = self.changing.lock().await;
        let account = self.account(name)?;
        let password = new_password(&request.password)?;
        let account = self.administrators.set_password(&account, &password).await.map_err(|error| not_done(&error))?;
        self.note(by, "admin.password", &format!("admin:{name}"), "ok", "").await;
        Ok(account_view(&account))
    }

    /// Changes what an administrator may do, from its very next request.
    pub async fn set_scopes(
        &self,
        by: &Administrator,
        name: &str,
        request: &ScopesRequest,
    ) -> Result<AdministratorView, Problem> {
        let _changing = self.changing.lock().await;
        let account = self.account(name)?;
        let changed = self.administrators.set_scopes(&account, scopes(&request.scopes)?).await;
        let changed = changed.map_err(|error| storage(&error))?;
        let detail = format!("scopes:{} before:{}", changed.scopes, account.scopes);
        self.note(by, "admin.scopes", &format!("admin:{name}"), "ok", &detail).await;
        Ok(account_view(&changed))
    }

    /// Ends all sessions of an administrator; the password stays.
    pub async fn revoke_sessions(&self, by: &Administrator, name: &str) -> Result<AdministratorView, Problem> {
        let _changing = self.changing.lock().await;
        let account = self.account(name)?;
        let account = self.administrators.revoke_sessions(&account).await.map_err(|error| not_done(&error))?;
        self.note(by, "admin.revoke_sessions", &format!("admin:{name}"), "ok", "").await;
        Ok(account_view(&account))
    }

    /// Admin keys, in the order of their names.
    pub fn admin_keys(&self, after: Option<&Name>, limit: u32) -> Page<AdminKeyView> {
        let keys = self.administrators.keys();
        let rest = keys.iter().filter(|key| after.is_none_or(|after| key.name > *after));
        Page::cut(rest.map(|key| key_view(key)).collect(), limit, |view| view.name.clone())
    }

    /// Makes an admin key, which is told this once.
    pub async fn add_admin_key(
        &self,
        by: &Administrator,
        request: &AdminKeyRequest,
    ) -> Result<AdminKeyIssued, Problem> {
        let _changing = self.changing.lock().await;
        let (name, scopes) = (name(&request.name)?, scopes(&request.scopes)?);
        let expires_at = request.expires_in.map(|seconds| self.key_end(seconds)).transpose()?;
        if self.administrators.keys().iter().any(|key| key.name == name) {
            return Err(Problem::new(Code::Conflict, format!("there is an admin key '{name}' already"))
                .with_hint(format!("choose another name, or end it: scorpiox-broker admin key revoke {name}")));
        }
        let bytes = Zeroizing::new(random::<32>());
        let secret = Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()));
        let id = CredentialId::from_random(random());
        let key = AdminKey::compose(id.as_str(), &secret).expect("an id and 32 bytes make a key");
        let entry =
            self.administrators.add_key(name, scopes, expires_at, &key).await.map_err(|error| storage(&error))?;
        let detail = format!("key:{} scopes:{}", entry.id, entry.scopes);
        self.note(by, "admin_key.add", &format!("admin-key:{}", entry.name), "ok", &detail).await;
        let (url, pin) = self.door();
        Ok(AdminKeyIssued { admin_key: key_view(&entry), key: Secret::new(key.expose()), url, pin })
    }

    /// Where administrators from elsewhere come in, and the pin of its certificate.
    fn door(&self) -> (Option<String>, Option<String>) {
        self.facade().door.map_or((None, None), |door| (Some(door.url), door.pin))
    }

    /// Ends an admin key with the very next request.
    pub async fn revoke_admin_key(&self, by: &Administrator, name: &str) -> Result<AdminKeyView, Problem> {
        let _changing = self.changing.lock().await;
        let key = self.administrators.keys().into_iter().find(|key| key.name.as_str() == name).ok_or_else(|| {
            Problem::new(Code::NotFound, format!("there is no admin key '{name}'"))
                .with_hint("scorpiox-broker admin key list")
        })?;
        self.administrators.remove_key(&key).await.map_err(|error| storage(&error))?;
        self.note(by, "admin_key.revoke", &format!("admin-key:{name}"), "ok", &format!("key:{}", key.id)).await;
        Ok(key_view(&key))
    }

    fn account(&self, name: &str) -> Result<Arc<Account>, Problem> {
        self.administrators.account(name).ok_or_else(|| {
            Problem::new(Code::NotFound, format!("there is no administrator '{name}'"))
                .with_hint("scorpiox-broker admin list")
        })
    }

    fn key_end(&self, seconds: u64) -> Result<Timestamp, Problem> {
        let life = Duration::from_secs(seconds);
        if life.is_zero() || life > LONGEST_KEY_LIFE {
            return Err(Problem::new(Code::BadRequest, "a key ends after 1 second to 100 years, or not by itself"));
        }
        Ok(self.now() + life)
    }
}

fn account_view(account: &Account) -> AdministratorView {
    AdministratorView {
        name: account.name.as_str().to_owned(),
        scopes: account.scopes.to_vec(),
        created_at: account.created_at.as_unix(),
        password_set_at: account.password_set_at.as_unix(),
    }
}

fn key_view(key: &AdminKeyEntry) -> AdminKeyView {
    AdminKeyView {
        name: key.name.as_str().to_owned(),
        key_id: key.id.clone(),
        scopes: key.scopes.to_vec(),
        created_at: key.created_at.as_unix(),
        expires_at: key.expires_at.map(Timestamp::as_unix),
    }
}

fn name(text: &str) -> Result<Name, Problem> {
    Name::parse(text).map_err(|error| Problem::new(Code::BadRequest, error.to_string()))
}

fn scopes(scopes: &[Scope]) -> Result<Scopes, Problem> {
    Scopes::new(scopes.iter().copied()).map_err(|error| Problem::new(Code::BadRequest, error.to_string()))
}

fn new_password(text: &Secret) -> Result<NewPassword, Problem> {
    let refused = |error: String| Problem::new(Code::BadRequest, error);
    refuse_sample("the password", text.expose().as_bytes()).map_err(|error| refused(error.to_string()))?;
    NewPassword::parse(text.clone()).map_err(|error| refused(error.to_string()))
}

fn not_done(error: &NotDone) -> Problem {
    match error {
        NotDone::Busy(busy) => Problem::new(Code::Busy, busy.to_string()).with_hint("try again in a few seconds"),
        NotDone::Store(error) => storage(error),
    }
}
