//! Who may fetch tokens: create, list, another key, revoke.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scorpiox_wire::admin::{self, ClientIssued, ClientRequest, ClientRevoked, ClientView, Page};
use scorpiox_wire::{ClientKey, Code, Problem, Secret};
use tracing::error;
use zeroize::Zeroizing;

use super::enrolment::random;
use super::{Administrator, Registrar, not_now, outcome_of, storage};
use crate::audit_chain::Line;
use crate::clock::Timestamp;
use crate::domain::client::{Client, ClientId, KeyMac};
use crate::domain::credential::{CredentialId, Name};
use crate::domain::limits::{ClientLimits, ClientTerms, Rate};
use crate::domain::permission::Wish;
use crate::domain::scope::Scope;
use crate::gate::Caller;
use crate::holding::Holding;
use crate::store::StoreError;
use crate::store::clients::{Granted, LastHandout};

/// So many networks can one client be allowed.
const NETWORKS: usize = 64;

impl Registrar {
    /// Creates a client; its key is told this once.
    pub async fn create_client(&self, by: &Administrator, request: &ClientRequest) -> Result<ClientIssued, Problem> {
        let _changing = self.changing.lock().await;
        let name = Name::parse(&request.name).map_err(|error| Problem::new(Code::BadRequest, error.to_string()))?;
        let holding = self.holding(&request.credential)?;
        let terms = ClientTerms { limits: parse_limits(&request.limits)?, paused_at: None };
        if self.find(name.as_str()).await?.is_some() {
            return Err(Problem::new(Code::Conflict, format!("there is a client '{name}' already"))
                .with_hint(format!("another key for it: scorpiox-broker client rotate-key {name}")));
        }
        let (key, key_id, key_mac) = self.new_key();
        let id = ClientId::from_random(random());
        let client = Client { id, name, created_at: self.now(), revoked_at: None, key_id, key_mac };
        self.parts().store.insert_client(&client, &terms, holding.id()).await.map_err(|error| storage(&error))?;
        let caller = Caller::new(client, terms, Some(holding));
        self.gate.admit(&caller);
        let (object, detail) = (
            format!("client:{}", request.name),
            format!("credential:{}{}", request.credential, in_words(&request.limits)),
        );
        self.note(by, "client.create", &object, "ok", &detail).await;
        Ok(self.issued(&caller, key, None))
    }

    /// Another key; the old one holds no longer, from the very next request.
    pub async fn rotate_key(&self, by: &Administrator, name: &str) -> Result<ClientIssued, Problem> {
        let _changing = self.changing.lock().await;
        let old = self.caller(name).await?;
        if !old.client.has_key() {
            return Err(Problem::new(
                Code::Conflict,
                format!("the client '{name}' signs in by browser and has no key"),
            )
            .with_hint(format!("scorpiox-broker client invite {name}")));
        }
        let (key, key_id, key_mac) = self.new_key();
        let (store, id) = (&self.parts().store, &old.client.id);
        store.replace_key(id, &key_id, &key_mac).await.map_err(|error| storage(&error))?;
        self.gate.shut_out(&old.client.key_id);
        let caller = old.succeeded_by(Client { key_id, key_mac, ..old.client.clone() }, old.holding.clone());
        self.gate.admit(&caller);
        self.note(by, "client.rotate_key", &format!("client:{name}"), "ok", "").await;
        let last = self.last_after_a_change(&caller.client).await;
        Ok(self.issued(&caller, key, last))
    }

    /// Gives a client other limits, all of them; they hold from the very next request.
    pub async fn limit(
        &self,
        by: &Administrator,
        name: &str,
        limits: &admin::ClientLimits,
    ) -> Result<ClientView, Problem> {
        let limits_said = in_words(limits);
        let limits = parse_limits(limits)?;
        let change = |terms: &ClientTerms| ClientTerms { limits, ..terms.clone() };
        self.change_terms(by, name, "client.limit", limits_said.trim_start(), change).await
    }

    /// Lets a client have nothing, from the very next request, until it is resumed.
    pub async fn pause_client(&self, by: &Administrator, name: &str) -> Result<ClientView, Problem> {
        let now = self.now();
        let change = |terms: &ClientTerms| ClientTerms { paused_at: terms.paused_at.or(Some(now)), ..terms.clone() };
        self.change_terms(by, name, "client.pause", "", change).await
    }

    /// Ends a client's pause.
    pub async fn resume_client(&self, by: &Administrator, name: &str) -> Result<ClientView, Problem> {
        let change = |terms: &ClientTerms| ClientTerms { paused_at: None, ..terms.clone() };
        self.change_terms(by, name, "client.resume", "", change).await
    }

    /// Memory first, as with a revocation: what is narrower must hold whatever the disk does. A failure takes it back.
    async fn change_terms(
        &self,
        by: &Administrator,
        name: &str,
        action: &str,
        detail: &str,
        change: impl FnOnce(&ClientTerms) -> ClientTerms,
    ) -> Result<ClientView, Problem> {
        let _changing = self.changing.lock().await;
        let caller = self.caller(name).await?;
        let before = caller.terms.load_full();
        let next = Arc::new(change(&before));
        caller.terms.store(Arc::clone(&next));
        if let Err(error) = self.parts().store.set_terms(&caller.client.id, &next).await {
            caller.terms.store(before);
            return Err(storage(&error));
        }
        self.note(by, action, &format!("client:{name}"), "ok", detail).await;
        let last = self.last_after_a_change(&caller.client).await;
        Ok(self.client_seen(&caller.client, &next, caller.credential_id(), Some(&caller), last))
    }

    /// Ends a client. The token that it has goes on until it ends, or until its credential is renewed. To `rotate` is to
    /// renew a credential, and needs that scope too.
    pub async fn revoke(&self, by: &Administrator, name: &str, rotate: bool) -> Result<ClientRevoked, Problem> {
        if rotate {
            by.needs(Scope::Credentials)?;
        }
        let changing = self.changing.lock().await;
        let caller = self.caller(name).await?;
        let now = self.now();
        // Memory first: from here on not one token more, whatever the disk does.
        self.gate.shut_out(&caller.client.key_id);
        let last = match self.end(&caller.client, now).await {
            Ok(last) => last,
            Err(error) => {
                self.gate.admit(&caller);
                return Err(storage(&error));
            }
        };
        self.note(by, "client.revoke", &format!("client:{name}"), "ok", "").await;
        // The provider may take its time, and others have changes to make.
        drop(changing);
        let rotated = match (&caller.holding, rotate) {
            (Some(holding), true) => self.rotate_now(by, holding, name).await,
            (Some(_), false) | (None, _) => false,
        };
        let client = Client { revoked_at: Some(now), ..caller.client.clone() };
        let client = self.client_seen(&client, &caller.terms.load(), caller.credential_id(), Some(&caller), last);
        Ok(ClientRevoked { client, rotated })
    }

    /// What it holds is read before: an answer that cannot tell it would sound as if it held nothing.
    async fn end(&self, client: &Client, now: Timestamp) -> Result<Option<LastHandout>, StoreError> {
        let last = self.parts().store.last_handout(&client.id).await?;
        self.parts().store.revoke_client(&client.id, now).await?;
        Ok(last)
    }

    /// Clients behind `after` in the order of their names, revoked ones too.
    pub async fn clients(&self, after: Option<&Name>, limit: u32) -> Result<Page<ClientView>, Problem> {
        let after = after.map_or("", Name::as_str);
        let rows = self.parts().store.clients_after(after, limit + 1).await.map_err(|error| storage(&error))?;
        let view = |(Granted { client, terms, credential }, last): (Granted, Option<LastHandout>)| {
            let caller = self.gate.caller_of(&client);
            self.client_seen(&client, &terms, credential.as_ref(), caller.as_ref(), last)
        };
        Ok(Page::cut(rows.into_iter().map(view).collect(), limit, |view| view.name.clone()))
    }

    /// One client, revoked or not.
    pub async fn client(&self, name: &str) -> Result<ClientView, Problem> {
        let found = self.parts().store.client_named(name).await.map_err(|error| storage(&error))?;
        let Granted { client, terms, credential } = found.ok_or_else(|| no_client(name))?;
        let caller = self.gate.caller_of(&client);
        let last = self.parts().store.last_handout(&client.id).await.map_err(|error| storage(&error))?;
        Ok(self.client_seen(&client, &terms, credential.as_ref(), caller.as_ref(), last))
    }

    async fn rotate_now(&self, by: &Administrator, holding: &Arc<Holding>, revoked: &str) -> bool {
        let credential = holding.served().credential.name.clone();
        let outcome = match self.rotator.renew_for(by.as_asker(), holding, Wish::OperatorProbe) {
            Ok(flight) => outcome_of(flight).await,
            Err(why) => Err(not_now(credential.as_str(), &why).message),
        };
        let (verdict, word) = match &outcome {
            Ok(generation) => ("ok", format!("generation {generation}")),
            Err(word) => (Code::Unavailable.as_str(), word.clone()),
        };
        let detail = format!("{word}; because client:{revoked} was revoked");
        self.note(by, "credential.refresh", &format!("credential:{credential}"), verdict, &detail).await;
        outcome.is_ok()
    }

    pub(super) async fn find(&self, name: &str) -> Result<Option<Client>, Problem> {
        let found = self.parts().store.client_named(name).await.map_err(|error| storage(&error))?;
        Ok(found.map(|row| row.client))
    }

    /// A client that is not revoked.
    pub(super) async fn caller(&self, name: &str) -> Result<Arc<Caller>, Problem> {
        if let Some(caller) = self.gate.callers().into_iter().find(|caller| caller.client.name.as_str() == name) {
            return Ok(caller);
        }
        let problem = match self.find(name).await? {
            Some(_) => Problem::new(Code::Conflict, format!("the client '{name}' is revoked"))
                .with_hint("create another: scorpiox-broker client add NAME --credential NAME"),
            None => no_client(name),
        };
        Err(problem)
    }

    fn new_key(&self) -> (ClientKey, String, KeyMac) {
        let id = CredentialId::from_random(random());
        let bytes = Zeroizing::new(random::<32>());
        let secret = Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()));
        let key = ClientKey::compose(id.as_str(), &secret).expect("an id and 32 bytes make a key");
        let mac = KeyMac::from_bytes(self.gate.mac(&key));
        (key, id.as_str().to_owned(), mac)
    }

    fn issued(&self, caller: &Arc<Caller>, key: ClientKey, last: Option<LastHandout>) -> ClientIssued {
        let terms = caller.terms.load();
        let client = self.client_seen(&caller.client, &terms, caller.credential_id(), Some(caller), last);
        let facade = self.facade();
        ClientIssued { client, key: Secret::new(key.expose()), url: facade.url, pin: facade.pin }
    }

    /// The change is made, and its answer may have the only copy of a key: that this cannot be read is no failure of it.
    pub(super) async fn last_after_a_change(&self, client: &Client) -> Option<LastHandout> {
        let last = self.parts().store.last_handout(&client.id).await;
        last.unwrap_or_else(|error| {
            error!(client = %client.name, %error, "what this client was last given could not be read");
            None
        })
    }

    pub(super) fn client_seen(
        &self,
        client: &Client,
        terms: &ClientTerms,
        credential: Option<&CredentialId>,
        caller: Option<&Arc<Caller>>,
        last: Option<LastHandout>,
    ) -> ClientView {
        let counted = caller.map_or(0, |caller| caller.last_at.load(Ordering::Relaxed));
        let counted = i64::try_from(counted).ok().filter(|at| *at > 0);
        let name = credential.and_then(|id| self.parts().holdings.get(id));
        ClientView {
            name: client.name.as_str().to_owned(),
            key_id: if client.has_key() { client.key_id.clone() } else { String::new() },
            credential: name
                .map_or_else(|| "(removed)".to_owned(), |holding| holding.served().credential.name.as_str().to_owned()),
            created_at: client.created_at.as_unix(),
            revoked_at: client.revoked_at.map(Timestamp::as_unix),
            generation: last.map(|last| last.generation),
            last_seen_at: last.map(|last| last.last_at.as_unix()).max(counted),
            paused_at: terms.paused_at.map(Timestamp::as_unix),
            limits: limits_view(&terms.limits),
            holds_until: last.map(|last| last.expires_at.as_unix()).filter(|until| *until > self.now().as_unix()),
        }
    }
}

fn no_client(name: &str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no client '{name}'")).with_hint("scorpiox-broker client list")
}

fn parse_limits(written: &admin::ClientLimits) -> Result<ClientLimits, Problem> {
    let network = |text: &String| {
        text.parse().map_err(|_| {
            Problem::new(Code::BadRequest, format!("'{}' is neither an address nor a network", Line::of(text).as_str()))
                .with_hint("write an address or a network such as 10.0.0.0/8")
        })
    };
    if written.allow.len() > NETWORKS {
        return Err(Problem::new(Code::BadRequest, format!("a client has at most {NETWORKS} networks")));
    }
    Ok(ClientLimits {
        requests_per_minute: Rate::from_number(written.requests_per_minute),
        handouts_per_hour: Rate::from_number(written.handouts_per_hour),
        networks: written.allow.iter().map(network).collect::<Result<_, _>>()?,
        expires_at: written.expires_at.map(Timestamp::from_unix),
    })
}

fn limits_view(limits: &ClientLimits) -> admin::ClientLimits {
    admin::ClientLimits {
        requests_per_minute: limits.requests_per_minute.to_number(),
        handouts_per_hour: limits.handouts_per_hour.to_number(),
        allow: limits.networks.iter().map(ToString::to_string).collect(),
        expires_at: limits.expires_at.map(Timestamp::as_unix),
    }
}

/// What of the limits is not as usual, for the audit.
fn in_words(limits: &admin::ClientLimits) -> String {
    let mut words = String::new();
    for (what, rate) in
        [("requests_per_minute", limits.requests_per_minute), ("handouts_per_hour", limits.handouts_per_hour)]
    {
        words.extend(rate.map(|rate| format!(" {what}={rate}")));
    }
    if !limits.allow.is_empty() {
        words.push_str(&format!(" allow={}", limits.allow.join(",")));
    }
    words.extend(limits.expires_at.map(|at| format!(" expires_at={at}")));
    words
}
