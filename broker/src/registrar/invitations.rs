//! Clients that sign in by browser: they are made without a key.

use std::sync::Arc;

use scorpiox_wire::{Code, Problem};

use super::enrolment::random;
use super::{Administrator, Registrar, storage};
use crate::domain::client::{Client, ClientId, KeyMac};
use crate::domain::credential::{CredentialId, Name};
use crate::domain::limits::ClientTerms;
use crate::gate::Caller;

impl Registrar {
    /// The client of this name; made, without a key, when there is none.
    pub async fn client_that_signs_in(
        &self,
        by: &Administrator,
        name: &str,
        credential: Option<&str>,
    ) -> Result<Arc<Caller>, Problem> {
        let _changing = self.changing.lock().await;
        let name = Name::parse(name).map_err(|error| Problem::new(Code::BadRequest, error.to_string()))?;
        if self.find(name.as_str()).await?.is_some() {
            let caller = self.caller(name.as_str()).await?;
            return match credential {
                Some(wanted) if !has(&caller, wanted) => Err(Problem::new(
                    Code::Conflict,
                    format!("the client '{name}' uses another credential than '{wanted}'"),
                )
                .with_hint("leave --credential out, or choose another name")),
                Some(_) | None => Ok(caller),
            };
        }
        let Some(credential) = credential else {
            return Err(Problem::new(
                Code::BadRequest,
                format!("there is no client '{name}', and a new one needs a credential"),
            )
            .with_hint(format!("scorpiox-broker client invite {name} --credential NAME")));
        };
        self.make_without_key(by, name, credential).await
    }

    async fn make_without_key(&self, by: &Administrator, name: Name, credential: &str) -> Result<Arc<Caller>, Problem> {
        let holding = self.holding(credential)?;
        let client = Client {
            id: ClientId::from_random(random()),
            created_at: self.now(),
            revoked_at: None,
            // Its stand-ins hang on this id; there is no key that has it.
            key_id: CredentialId::from_random(random()).as_str().to_owned(),
            key_mac: KeyMac::NONE,
            name,
        };
        let terms = ClientTerms::default();
        self.parts().store.insert_client(&client, &terms, holding.id()).await.map_err(|error| storage(&error))?;
        let caller = Caller::new(client, terms, Some(holding));
        self.gate.admit(&caller);
        let (object, detail) = (format!("client:{}", caller.client.name), format!("credential:{credential}, no key"));
        self.note(by, "client.create", &object, "ok", &detail).await;
        Ok(caller)
    }
}

fn has(caller: &Caller, credential: &str) -> bool {
    caller.holding.as_ref().is_some_and(|holding| holding.served().credential.name.as_str() == credential)
}
