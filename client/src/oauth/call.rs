//! One POST to the login server: bounded in time and size, no redirects, no second attempt. When it fails, what is
//! known: nothing was sent, or nobody can tell what became of it.

use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ureq::http::header::{CONTENT_TYPE, RETRY_AFTER};
use zeroize::Zeroizing;

use super::ORIGINATOR;
use crate::failure::Failure;
use crate::http::{self, Gate, Patience, Way};
use crate::settings::Trust;
use crate::settings::broker_url::BrokerUrl;
use crate::token::proxy;

/// The longest answer, in bytes, after decompression.
const LONGEST_ANSWER: u64 = 64 * 1024;
/// What the stock CLI says, and who we are.
const USER_AGENT: &str = concat!("codex_cli_rs/0.145.0 (Linux; ", "x86_64) scorpiox/", env!("CARGO_PKG_VERSION"));

/// A complete answer.
#[derive(Debug)]
pub struct RawAnswer {
    /// HTTP status.
    pub status: u16,
    /// When asking again makes sense.
    pub retry_after: Option<Duration>,
    /// All of it; may hold tokens.
    pub body: Zeroizing<Vec<u8>>,
}

/// What is sent.
#[derive(Debug)]
pub enum Payload {
    /// `application/json`.
    Json(Zeroizing<Vec<u8>>),
    /// `application/x-www-form-urlencoded`.
    Form(Zeroizing<Vec<u8>>),
}

/// Why there is no complete answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Not a byte of the request has left this machine.
    #[error("{0}")]
    NotSent(Failure),
    /// Something was sent; what became of it nobody can tell.
    #[error("{0}")]
    Unknown(Failure),
}

impl NoAnswer {
    /// For a caller to whom both are the same.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::NotSent(failure) | Self::Unknown(failure) => failure,
        }
    }
}

/// How the login server is reached.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// Looks up proxy and certificates.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// The time that a call may take.
    pub within: Duration,
}

impl Caller<'_> {
    /// Sends it and reads the answer.
    pub fn post(&self, url: &BrokerUrl, payload: Payload) -> Result<RawAnswer, NoAnswer> {
        self.post_through(Arc::new(Open), url, payload)
    }

    /// The same; `before` is what happens between the open connection and the first byte.
    pub fn post_through(
        &self,
        before: Arc<dyn Gate>,
        url: &BrokerUrl,
        payload: Payload,
    ) -> Result<RawAnswer, NoAnswer> {
        let witness = Arc::new(Witness { before, passed: AtomicBool::new(false) });
        let answer = self.attempt(witness.clone(), url, payload);
        answer.map_err(|failure| {
            if witness.passed.load(Ordering::SeqCst) { NoAnswer::Unknown(failure) } else { NoAnswer::NotSent(failure) }
        })
    }

    fn attempt(&self, witness: Arc<Witness>, url: &BrokerUrl, payload: Payload) -> Result<RawAnswer, Failure> {
        let proxy = proxy::choose(self.environment, url)?;
        let certificates = (self.environment)("SSL_CERT_FILE").map(Into::into);
        let trust = Trust::System(certificates.filter(|path: &std::path::PathBuf| path.is_absolute()));
        let way = Way { url, proxy: proxy.as_deref(), trust: &trust, user_agent: USER_AGENT };
        let agent = way.agent_through(Some(witness), Patience::Whole(self.within))?;
        let (kind, body) = match payload {
            Payload::Json(body) => ("application/json", body),
            Payload::Form(body) => ("application/x-www-form-urlencoded", body),
        };
        let request = agent.post(url.as_str()).header(CONTENT_TYPE, kind).header("originator", ORIGINATOR);
        let mut response = request.send(body.as_slice()).map_err(|error| unanswered(&error, url.host()))?;
        let retry_after =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = http::bounded_body(response.body_mut(), LONGEST_ANSWER);
        let body = body.map_err(|error| unanswered(&error, url.host()))?;
        Ok(RawAnswer { status: response.status().as_u16(), retry_after: retry_after.map(Duration::from_secs), body })
    }
}

fn unanswered(error: &ureq::Error, host: &str) -> Failure {
    if let Some(rustls::Error::InvalidCertificate(why)) = http::tls_error(error) {
        let failure = Failure::configuration(format!("the certificate of {host} is not trusted: {why}"));
        return failure.with_hint("name your network's certificates in SSL_CERT_FILE");
    }
    let failure = match error {
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => {
            return Failure::temporary(format!("the answer of {host} is longer than a login server's can be"));
        }
        error if http::is_timeout(error) => Failure::temporary(format!("{host} did not answer in time")),
        error => Failure::temporary(format!("cannot reach {host}: {error}")),
    };
    failure.with_hint("check the network and the proxy")
}

/// Sees whether the caller's gate was passed: from then on a byte may be out.
#[derive(Debug)]
struct Witness {
    before: Arc<dyn Gate>,
    passed: AtomicBool,
}

impl Gate for Witness {
    fn pass(&self) -> io::Result<()> {
        self.before.pass()?;
        self.passed.store(true, Ordering::SeqCst);
        Ok(())
    }
}

/// Nothing stands between.
#[derive(Debug)]
struct Open;

impl Gate for Open {
    fn pass(&self) -> io::Result<()> {
        Ok(())
    }
}
