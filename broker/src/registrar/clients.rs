//! Who may fetch tokens: create, list, another key, revoke.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scorpiox_wire::admin::{ClientIssued, ClientRequest, ClientRevoked, ClientView, Page};
use scorpiox_wire::{ClientKey, Code, Problem, Secret};
use zeroize::Zeroizing;

use super::enrolment::random;
use super::{Administrator, Registrar, storage};
use crate::clock::Timestamp;
use crate::domain::client::{Client, ClientId, KeyMac};
use crate::domain::credential::{CredentialId, Name};
use crate::domain::permission::Wish;
use crate::gate::Caller;
use crate::holding::{Holding, Outcome};
use crate::store::clients::{Granted, LastHandout};

impl Registrar {
    /// Creates a client; its key is told this once.
    pub async fn create_client(&self, by: &Administrator, request: &ClientRequest) -> Result<ClientIssued, Problem> {
        let _changing = self.changing.lock().await;
        let name = Name::parse(&request.name).map_err(|error| Problem::new(Code::BadRequest, error.to_string()))?;
        let holding = self.holding(&request.credential)?;
        if self.find(name.as_str()).await?.is_some() {
            return Err(Problem::new(Code::Conflict, format!("there is a client '{name}' already"))
                .with_hint(format!("another key for it: scorpiox-broker client rotate-key {name}")));
        }
        let (key, key_id, key_mac) = self.new_key();
        let id = ClientId::from_random(random());
        let client = Client { id, name, created_at: self.now(), revoked_at: None, key_id, key_mac };
        self.parts().store.insert_client(&client, holding.id()).await.map_err(|error| storage(&error))?;
        let caller = Caller::new(client, Some(holding));
        self.gate.admit(&caller);
        let (object, detail) = (format!("client:{}", request.name), format!("credential:{}", request.credential));
        self.note(by, "client.create", &object, "ok", &detail).await;
        self.issued(&caller, key).await
    }

    /// Another key; the old one holds no longer, from the very next request.
    pub async fn rotate_key(&self, by: &Administrator, name: &str) -> Result<ClientIssued, Problem> {
        let _changing = self.changing.lock().await;
        let old = self.caller(name).await?;
        let (key, key_id, key_mac) = self.new_key();
        let (store, id) = (&self.parts().store, &old.client.id);
        store.replace_key(id, &key_id, &key_mac).await.map_err(|error| storage(&error))?;
        self.gate.shut_out(&old.client.key_id);
        let caller = Caller::new(Client { key_id, key_mac, ..old.client.clone() }, old.holding.clone());
        *caller.refusals() = old.refusals().clone();
        self.gate.admit(&caller);
        self.note(by, "client.rotate_key", &format!("client:{name}"), "ok", "").await;
        self.issued(&caller, key).await
    }

    /// Ends a client. The token that it has goes on until it ends, or until its credential is renewed.
    pub async fn revoke(&self, by: &Administrator, name: &str, rotate: bool) -> Result<ClientRevoked, Problem> {
        let _changing = self.changing.lock().await;
        let caller = self.caller(name).await?;
        let now = self.now();
        // Memory first: from here on not one token more, whatever the disk does.
        self.gate.shut_out(&caller.client.key_id);
        if let Err(error) = self.parts().store.revoke_client(&caller.client.id, now).await {
            self.gate.admit(&caller);
            return Err(storage(&error));
        }
        self.note(by, "client.revoke", &format!("client:{name}"), "ok", "").await;
        let rotated = match (&caller.holding, rotate) {
            (Some(holding), true) => self.rotate_now(holding).await,
            (Some(_), false) | (None, _) => false,
        };
        let client = Client { revoked_at: Some(now), ..caller.client.clone() };
        let client = self.client_view(&client, caller.credential_id(), Some(&caller)).await?;
        Ok(ClientRevoked { client, rotated })
    }

    /// Clients behind `after` in the order of their names, revoked ones too.
    pub async fn clients(&self, after: Option<&Name>, limit: u32) -> Result<Page<ClientView>, Problem> {
        let after = after.map_or("", Name::as_str);
        let rows = self.parts().store.clients_after(after, limit + 1).await.map_err(|error| storage(&error))?;
        let view = |(Granted { client, credential }, last): (Granted, Option<LastHandout>)| {
            let caller = self.gate.caller_of(&client);
            self.client_seen(&client, credential.as_ref(), caller.as_ref(), last)
        };
        Ok(Page::cut(rows.into_iter().map(view).collect(), limit, |view| view.name.clone()))
    }

    /// One client, revoked or not.
    pub async fn client(&self, name: &str) -> Result<ClientView, Problem> {
        let found = self.parts().store.client_named(name).await.map_err(|error| storage(&error))?;
        let Granted { client, credential } = found.ok_or_else(|| no_client(name))?;
        let caller = self.gate.caller_of(&client);
        self.client_view(&client, credential.as_ref(), caller.as_ref()).await
    }

    async fn rotate_now(&self, holding: &Arc<Holding>) -> bool {
        let Ok(mut flight) = self.rotator.renew(holding, Wish::OperatorProbe) else { return false };
        let outcome = flight.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        matches!(outcome, Some(Outcome::Renewed(_)))
    }

    async fn find(&self, name: &str) -> Result<Option<Client>, Problem> {
        let found = self.parts().store.client_named(name).await.map_err(|error| storage(&error))?;
        Ok(found.map(|row| row.client))
    }

    /// A client that is not revoked.
    async fn caller(&self, name: &str) -> Result<Arc<Caller>, Problem> {
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

    async fn issued(&self, caller: &Arc<Caller>, key: ClientKey) -> Result<ClientIssued, Problem> {
        let client = self.client_view(&caller.client, caller.credential_id(), Some(caller)).await?;
        let facade = self.facade();
        Ok(ClientIssued { client, key: Secret::new(key.expose()), url: facade.url, pin: facade.pin })
    }

    async fn client_view(
        &self,
        client: &Client,
        credential: Option<&CredentialId>,
        caller: Option<&Arc<Caller>>,
    ) -> Result<ClientView, Problem> {
        let last = self.parts().store.last_handout(&client.id).await.map_err(|error| storage(&error))?;
        Ok(self.client_seen(client, credential, caller, last))
    }

    fn client_seen(
        &self,
        client: &Client,
        credential: Option<&CredentialId>,
        caller: Option<&Arc<Caller>>,
        last: Option<LastHandout>,
    ) -> ClientView {
        let counted = caller.map_or(0, |caller| caller.last_at.load(Ordering::Relaxed));
        let counted = i64::try_from(counted).ok().filter(|at| *at > 0);
        let name = credential.and_then(|id| self.parts().holdings.get(id));
        ClientView {
            name: client.name.as_str().to_owned(),
            key_id: client.key_id.clone(),
            credential: name
                .map_or_else(|| "(removed)".to_owned(), |holding| holding.served().credential.name.as_str().to_owned()),
            created_at: client.created_at.as_unix(),
            revoked_at: client.revoked_at.map(Timestamp::as_unix),
            generation: last.map(|last| last.generation),
            last_seen_at: last.map(|last| last.last_at.as_unix()).max(counted),
            holds_until: last.map(|last| last.expires_at.as_unix()).filter(|until| *until > self.now().as_unix()),
        }
    }
}

fn no_client(name: &str) -> Problem {
    Problem::new(Code::NotFound, format!("there is no client '{name}'")).with_hint("scorpiox-broker client list")
}
