//! Which credential a client may use: one, so that giving it another takes the first away.

use std::sync::Arc;

use scorpiox_wire::admin::ClientView;
use scorpiox_wire::{Code, Problem};

use super::{Administrator, Registrar, storage};
use crate::gate::Caller;
use crate::holding::Holding;

impl Registrar {
    /// Gives a client this credential, in place of the one it has. What it holds of that goes on until it ends.
    pub async fn grant(&self, by: &Administrator, name: &str, credential: &str) -> Result<ClientView, Problem> {
        let _changing = self.changing.lock().await;
        let holding = self.holding(credential)?;
        let mut caller = self.caller(name).await?;
        if caller.credential_id() != Some(holding.id()) {
            caller = self.give(&caller, Some(holding)).await?;
            self.note(by, "client.grant", &format!("client:{name}"), "ok", &format!("credential:{credential}")).await;
        }
        Ok(self.view_of(&caller).await)
    }

    /// Takes the credential away; the client stays, with nothing to fetch.
    pub async fn ungrant(&self, by: &Administrator, name: &str, credential: &str) -> Result<ClientView, Problem> {
        let _changing = self.changing.lock().await;
        let caller = self.caller(name).await?;
        let has =
            caller.holding.as_ref().is_some_and(|holding| holding.served().credential.name.as_str() == credential);
        if !has {
            return Err(Problem::new(Code::NotFound, format!("the client '{name}' may not use '{credential}'"))
                .with_hint("scorpiox-broker client list"));
        }
        let caller = self.give(&caller, None).await?;
        self.note(by, "client.ungrant", &format!("client:{name}"), "ok", &format!("credential:{credential}")).await;
        Ok(self.view_of(&caller).await)
    }

    async fn give(&self, caller: &Arc<Caller>, holding: Option<Arc<Holding>>) -> Result<Arc<Caller>, Problem> {
        let credential = holding.as_ref().map(|holding| holding.id());
        self.parts().store.set_grant(&caller.client.id, credential).await.map_err(|error| storage(&error))?;
        let next = caller.succeeded_by(caller.client.clone(), holding);
        self.gate.admit(&next);
        Ok(next)
    }

    async fn view_of(&self, caller: &Arc<Caller>) -> ClientView {
        let last = self.last_after_a_change(&caller.client).await;
        self.client_seen(&caller.client, &caller.terms.load(), caller.credential_id(), Some(caller), last)
    }
}
