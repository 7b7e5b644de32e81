//! Dial, then send: the steps of one POST, kept apart because their failures mean different things.
//!
//! hyper's own pieces, without a pool, a retry or a redirect: what fails in [`Dialer::dial`] has proven sent nothing, and
//! a [`Dialed`] connection can be sent on once.
//!
//! * `endpoint`: where a request goes. * `roots`: whose certificates count. * `egress`: the way out.
//! * `connect`: DNS, proxy, TCP, TLS. * `gate`: whether a byte may have left. * `answer`: what comes in, bounded.
//! * `request`: what is said. * `exchange`: one request on one connection.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use super::{RawAnswer, Sent, Unsent};
use crate::clock::{Monotonic, SharedClock};

mod answer;
mod connect;
mod egress;
mod endpoint;
mod exchange;
mod gate;
mod request;
mod roots;

pub use egress::{BadProxy, Egress};
pub use endpoint::{BadEndpoint, Endpoint};
pub use exchange::{Dialed, EXCHANGE_LIMIT};
pub(crate) use gate::Stream;
pub use request::{Agent, BadAgent, CODEX_VERSION, ORIGINATOR, Payload};
pub use roots::{RootsError, trust, trust_only};

/// How long dialing may take: DNS, proxy, TCP and TLS together.
pub const DIAL_LIMIT: Duration = Duration::from_secs(10);

/// Opens connections to a provider.
#[derive(Clone)]
pub struct Dialer {
    clock: SharedClock,
    tls: Arc<ClientConfig>,
    /// For a proxy that is spoken to over TLS.
    proxy_tls: Arc<ClientConfig>,
    egress: Egress,
}

/// Why a call that may be repeated has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallFailed {
    /// Nothing was sent.
    #[error("{0}")]
    Unsent(Unsent),
    /// It was sent, and no complete answer came back.
    #[error("{0}")]
    NoAnswer(String),
}

impl Dialer {
    /// `tls` comes from [`trust`].
    pub fn new(clock: SharedClock, tls: Arc<ClientConfig>, egress: Egress) -> Self {
        Self { clock, proxy_tls: Arc::clone(&tls), tls, egress }
    }

    /// Another trust for the proxy: `tls` may know one peer only.
    pub fn trusting_proxies_by(self, proxy_tls: Arc<ClientConfig>) -> Self {
        Self { proxy_tls, ..self }
    }

    /// Opens a connection over which nothing has been said, within [`DIAL_LIMIT`].
    pub async fn dial(&self, endpoint: &Endpoint) -> Result<Dialed, Unsent> {
        self.in_time(endpoint, async {
            let stream = connect::connect(self, endpoint).await?;
            Dialed::over(stream, endpoint, &self.clock).await
        })
        .await
    }

    /// The same as a bare stream, for a conversation that counts no bytes.
    pub(crate) async fn open(&self, endpoint: &Endpoint) -> Result<Box<dyn Stream>, Unsent> {
        self.in_time(endpoint, connect::connect(self, endpoint)).await
    }

    async fn in_time<T>(
        &self,
        endpoint: &Endpoint,
        dialing: impl Future<Output = Result<T, Unsent>>,
    ) -> Result<T, Unsent> {
        tokio::select! {
            biased;
            dialed = dialing => dialed,
            () = self.clock.sleep(DIAL_LIMIT) => {
                Err(Unsent(format!("no connection to {endpoint} within {} s", DIAL_LIMIT.as_secs())))
            }
        }
    }

    /// One POST for which it does no harm if it is made twice. Answers of every status are answers.
    pub async fn call(&self, endpoint: &Endpoint, agent: &Agent, payload: Payload) -> Result<RawAnswer, CallFailed> {
        let dialed = self.dial(endpoint).await.map_err(CallFailed::Unsent)?;
        let write_before = self.clock.monotonic() + EXCHANGE_LIMIT;
        told(dialed.post(agent, payload, write_before).await)
    }
}

impl Dialer {
    /// One POST of a notice with these headers; it does no harm if it is made twice. Answers of every status are answers.
    pub async fn notify(
        &self,
        endpoint: &Endpoint,
        headers: &[(&str, String)],
        body: Vec<u8>,
    ) -> Result<RawAnswer, CallFailed> {
        let request = request::notice(endpoint, headers, body).map_err(CallFailed::Unsent)?;
        let dialed = self.dial(endpoint).await.map_err(CallFailed::Unsent)?;
        let write_before = self.clock.monotonic() + EXCHANGE_LIMIT;
        told(dialed.send(request, write_before).await)
    }
}

fn told(sent: Sent) -> Result<RawAnswer, CallFailed> {
    match sent {
        Sent::Answered(answer) => Ok(answer),
        Sent::NotWritten(unsent) => Err(CallFailed::Unsent(unsent)),
        Sent::NoAnswer { why } => Err(CallFailed::NoAnswer(why)),
    }
}

impl Dialed {
    /// Makes the one POST that this connection is for, if its first byte leaves by `write_before`.
    ///
    /// Bounded by [`EXCHANGE_LIMIT`] and 64 KiB of answer. Dropping the future closes the connection.
    pub async fn post(self, agent: &Agent, payload: Payload, write_before: Monotonic) -> Sent {
        let request = request::post(&self.endpoint, agent, payload);
        self.send(request, write_before).await
    }
}

impl fmt::Debug for Dialed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dialed({})", self.endpoint)
    }
}

#[cfg(test)]
mod tests;
