//! The real provider: dialed, asked and classified. [`super::login`] adds how a person logs in there.

use scorpiox_wire::Secret;

use super::codex;
use super::dial::{Agent, Dialed, Dialer, Payload};
use super::oauth_server::OAuthServer;
use super::{Connection, Later, Provider, RawAnswer, Sent, Unsent};
use crate::clock::Monotonic;
use crate::domain::answer::Verdict;

/// The Codex OAuth server.
#[derive(Clone)]
pub struct CodexProvider {
    /// How it is reached.
    pub dialer: Dialer,
    /// Where its doors are, and as whose client we knock.
    pub server: OAuthServer,
    /// What we say we are.
    pub agent: Agent,
}

impl Provider for CodexProvider {
    fn dial(&self) -> Later<'_, Result<Box<dyn Connection>, Unsent>> {
        Box::pin(async {
            let dialed = self.dialer.dial(&self.server.token).await?;
            let (client_id, agent) = (self.server.client_id.clone(), self.agent.clone());
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
