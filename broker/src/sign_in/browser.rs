//! A browser asks for a code on a page of ours, and the program behind it redeems that code.

use std::sync::Arc;

use scorpiox_wire::Secret;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::form::{self, NotOurs};
use super::{InviteRefused, SignIns, Visitor, hash, lock, ticket};
use crate::domain::authorization::{AuthorizationRequest, Presentation, Presented, Settled};
use crate::domain::loopback::Loopback;
use crate::domain::pkce::Challenge;
use crate::domain::stand_in::Purpose;
use crate::issuer::Origin;
use crate::oauth::sign_in::{Denied, SignedIn};

const PAGE: &str = "authorize";

/// What the form carries.
#[derive(Serialize, Deserialize)]
struct Carried {
    redirect: String,
    state: String,
    challenge: String,
}

/// What a program presents.
#[derive(Clone, Copy)]
pub struct Redemption<'a> {
    /// The code.
    pub code: &'a str,
    /// The address to which it was brought.
    pub redirect_uri: &'a str,
    /// The verifier behind its challenge.
    pub verifier: &'a str,
}

/// Why a code brings nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefused {
    /// Unknown, used, older than a minute, or presented wrongly: the answer does not tell which.
    #[error("this code is not good: it may be used, older than a minute, or another program's")]
    Code,
    /// It was good, but there is no token.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl SignIns {
    /// The hidden field of the form that answers this request.
    pub fn form_of(&self, request: &AuthorizationRequest) -> String {
        let carried = Carried {
            redirect: request.redirect.as_written().to_owned(),
            state: request.state.clone(),
            challenge: request.challenge.to_text(),
        };
        form::write(&self.parts.sealer, PAGE, &carried, self.parts.timeline.now())
    }

    /// The request that a form answers.
    pub fn request_of(&self, form: &str) -> Result<AuthorizationRequest, NotOurs> {
        let carried: Carried = form::read(&self.parts.sealer, PAGE, form, self.parts.timeline.now())?;
        Ok(AuthorizationRequest {
            redirect: Loopback::parse(&carried.redirect).map_err(|_| NotOurs)?,
            challenge: Challenge::parse(&carried.challenge, Some("S256")).map_err(|_| NotOurs)?,
            state: carried.state,
        })
    }

    /// Where the browser goes with a code, now that its person has shown an invite.
    pub async fn authorize(
        &self,
        request: &AuthorizationRequest,
        invite: &str,
        visitor: Visitor<'_>,
    ) -> Result<Secret, InviteRefused> {
        let invite = self.look_at(invite, visitor).await?;
        self.use_up(&invite, &format!("browser: {}", visitor.agent), visitor).await?;
        let (code, hash) = ticket();
        lock(&self.codes).issue(hash, invite.caller.client.id.clone(), request, self.moment());
        let parameters = [("code", code.expose()), ("state", &request.state), ("iss", self.issuer())];
        Ok(Secret::new(request.redirect.with(&parameters)))
    }

    /// A token and a stand-in for a code.
    pub async fn redeem(&self, redemption: Redemption<'_>, origin: Origin<'_>) -> Result<SignedIn, CodeRefused> {
        let code = hash(redemption.code);
        let presented = Presented { redirect_uri: redemption.redirect_uri, verifier: redemption.verifier };
        let presentation = lock(&self.codes).present(&code, presented, self.moment());
        let client = match presentation {
            Presentation::Good(client) => client,
            Presentation::Refused => return Err(CodeRefused::Code),
            Presentation::Replayed(family) => {
                warn!(stand_in = %family.id, "a code was redeemed a second time: what came of it ends");
                self.parts.oauth.stand_ins().end(&family).await;
                return Err(CodeRefused::Code);
            }
        };
        // Revoked since: whoever asks is told no more than that.
        let caller = self.caller(&client).ok_or(CodeRefused::Code)?;
        let signed_in = match self.parts.oauth.sign_in(&caller, Purpose::Gateway, origin).await {
            Ok(signed_in) => signed_in,
            Err(denied) => {
                lock(&self.codes).give_back(&code);
                return Err(denied.into());
            }
        };
        let stand_ins = self.parts.oauth.stand_ins();
        let Ok((family, _)) = stand_ins.recognise(signed_in.stand_in.expose()) else { return Err(CodeRefused::Code) };
        let settled = lock(&self.codes).settle(&code, Arc::clone(&family));
        match settled {
            Settled::Kept => Ok(signed_in),
            Settled::Replayed => {
                stand_ins.end(&family).await;
                Err(CodeRefused::Code)
            }
        }
    }
}
