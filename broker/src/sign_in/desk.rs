//! What administrators do: invite, and decide about programs that wait.

use std::sync::Arc;

use scorpiox_wire::admin::{InviteIssued, InviteRequest, SignInApproval, SignInApproved, SignInView};
use scorpiox_wire::{Code, Problem};
use tracing::error;

use super::{SignIns, lock, random};
use crate::domain::device_grant::{self, Asking, NobodyWaits, UserCode};
use crate::domain::invite::{self, Invite};
use crate::gate::Caller;
use crate::registrar::Administrator;

impl SignIns {
    /// An invite for a client, which is made when there is none. It takes the place of the one before.
    pub async fn invite(
        &self,
        by: &Administrator,
        name: &str,
        request: &InviteRequest,
    ) -> Result<InviteIssued, Problem> {
        let caller = self.parts.registrar.client_that_signs_in(by, name, request.credential.as_deref()).await?;
        let invite = Invite::from_random(random());
        let now = self.parts.timeline.now();
        let expires_at = now + invite::LIFE;
        let saved = self.parts.store.save_invite(&caller.client.id, &self.mac(&invite), now, expires_at).await;
        saved.map_err(|error| {
            error!(%error, "an invite was not kept");
            Problem::new(Code::Unavailable, "the broker's storage failed; there is no new invite")
                .with_hint("look at the broker's log and its disk")
        })?;
        self.parts.registrar.note(by, "client.invite", &format!("client:{name}"), "ok", "").await;
        Ok(InviteIssued {
            client: name.to_owned(),
            credential: credential_of(&caller),
            invite: invite.shown(),
            expires_at: expires_at.as_unix(),
            origin: self.issuer().to_owned(),
        })
    }

    /// The programs that wait for a person, in the order of their codes: those behind this one.
    pub fn waiting(&self, after: Option<&str>) -> Vec<SignInView> {
        let now = self.parts.timeline.now();
        let devices = lock(&self.devices);
        let waiting = devices.pending(self.moment());
        let mut views: Vec<_> =
            waiting.into_iter().map(|(asking, left)| view(asking, (now + left).as_unix())).collect();
        views.retain(|waits| after.is_none_or(|after| waits.user_code.as_str() > after));
        views.sort_by(|one, other| one.user_code.cmp(&other.user_code));
        views
    }

    /// Lets a program in as this client, which is made when there is none.
    pub async fn approve(
        &self,
        by: &Administrator,
        code: &str,
        request: &SignInApproval,
    ) -> Result<SignInApproved, Problem> {
        let (code, sign_in) = self.find(code)?;
        // Before the client is made: for nobody there would be none.
        let deciding = self.deciding(&code).map_err(|NobodyWaits| nobody(&code))?;
        let caller =
            self.parts.registrar.client_that_signs_in(by, &request.name, request.credential.as_deref()).await?;
        deciding.approve(caller.client.id.clone()).map_err(|NobodyWaits| nobody(&code))?;
        let (object, detail) = (format!("client:{}", request.name), described(&sign_in));
        self.parts.registrar.note(by, "sign_in.approve", &object, "ok", &detail).await;
        Ok(SignInApproved { sign_in, client: request.name.clone(), credential: credential_of(&caller) })
    }

    /// Sends a program away.
    pub async fn deny(&self, by: &Administrator, code: &str) -> Result<SignInView, Problem> {
        let (code, sign_in) = self.find(code)?;
        lock(&self.devices).deny(&code, self.moment()).map_err(|NobodyWaits| nobody(&code))?;
        self.parts.registrar.note(by, "sign_in.deny", &format!("code:{code}"), "ok", &described(&sign_in)).await;
        Ok(sign_in)
    }

    fn find(&self, code: &str) -> Result<(UserCode, SignInView), Problem> {
        let code = UserCode::parse(code).map_err(|error| Problem::new(Code::BadRequest, error.to_string()))?;
        let devices = lock(&self.devices);
        let asking = devices.find(&code, self.moment()).map_err(|NobodyWaits| nobody(&code))?;
        let view = view(asking, (asking.asked_at + device_grant::LIFE).as_unix());
        Ok((code, view))
    }
}

fn nobody(code: &UserCode) -> Problem {
    Problem::new(Code::NotFound, format!("no program waits with the code {code}"))
        .with_hint("scorpiox-broker client pending")
}

fn view(asking: &Asking, expires_at: i64) -> SignInView {
    SignInView {
        user_code: asking.user_code.to_string(),
        address: asking.address.map(|address| address.to_string()),
        agent: Some(asking.agent.clone()).filter(|agent| !agent.is_empty()),
        asked_at: asking.asked_at.as_unix(),
        expires_at,
    }
}

fn described(sign_in: &SignInView) -> String {
    let address = sign_in.address.as_deref().unwrap_or("an unknown address");
    format!("code {} from {address}", sign_in.user_code)
}

fn credential_of(caller: &Arc<Caller>) -> String {
    caller
        .holding
        .as_ref()
        .map_or_else(|| "(removed)".to_owned(), |holding| holding.served().credential.name.as_str().to_owned())
}
