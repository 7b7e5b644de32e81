//! The real provider: dialed, asked and classified.

use scorpiox_wire::Secret;

use super::{Agent, Dialed, Dialer, Endpoint, Payload};
use crate::clock::Monotonic;
use crate::domain::answer::Verdict;
use crate::provider::{Connection, Later, Provider, RawAnswer, Sent, Unsent, codex};

/// The Codex OAuth server as the rotator sees it.
#[derive(Clone)]
pub struct CodexProvider {
    /// How it is reached.
    pub dialer: Dialer,
    /// Where refresh tokens are redeemed.
    pub token_endpoint: Endpoint,
    /// Whose tokens they are: the public client id.
    pub client_id: String,
    /// What we say we are.
    pub agent: Agent,
}

impl Provider for CodexProvider {
    fn dial(&self) -> Later<'_, Result<Box<dyn Connection>, Unsent>> {
        Box::pin(async {
            let dialed = self.dialer.dial(&self.token_endpoint).await?;
            let (client_id, agent) = (self.client_id.clone(), self.agent.clone());
            Ok(Box::new(Redemption { dialed, client_id, agent }) as Box<dyn Connection>)
        })
    }

    fn classify(&self, answer: &RawAnswer) -> Verdict {
        codex::classify(answer)
    }
}

/// A connection on which one refresh token may be presented.
struct Redemption {
    dialed: Dialed,
    client_id: String,
    agent: Agent,
}

impl Connection for Redemption {
    fn is_open(&mut self) -> bool {
        self.dialed.is_open()
    }

    fn send(self: Box<Self>, refresh_token: Secret, write_before: Monotonic) -> Later<'static, Sent> {
        Box::pin(async move {
            let body = codex::encode_refresh(&self.client_id, &refresh_token);
            self.dialed.post(&self.agent, Payload::Json(body), write_before).await
        })
    }
}
