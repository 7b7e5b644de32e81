//! A broker somewhere else: over TLS, with a session or an admin key.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::header::HeaderValue;
use scorpiox_wire::admin::SessionAnswer;
use scorpiox_wire::{AdminKey, Secret};

use super::AdminError;
use super::pin::{Pin, Pinned};
use crate::clock::{Monotonic, SharedClock};
use crate::provider::dial::{BadEndpoint, BadProxy, Dialer, Egress, Endpoint, RootsError, Stream, trust, trust_only};

/// A session is renewed when it would end this soon.
const NEAR_ITS_END: Duration = Duration::from_secs(5 * 60);

/// How a broker's certificate is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// By its public key.
    Pin(Pin),
    /// By these authorities and its name.
    CaFile(PathBuf),
    /// By the system's authorities and its name.
    System,
}

/// A place that cannot be asked, whatever is there.
#[derive(Debug, thiserror::Error)]
pub enum BadPlace {
    /// The URL.
    #[error(transparent)]
    Url(#[from] BadEndpoint),
    /// The URL has a query.
    #[error("the broker's URL ends with its port or a path, not with a query")]
    Query,
    /// A pin for a broker that shows no certificate.
    #[error("--pin names a certificate's key, and plain http has no certificate: leave --pin out, or use https")]
    PinWithoutTls,
    /// The authorities.
    #[error("{0}")]
    Roots(#[from] RootsError),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] BadProxy),
}

/// The way to a broker over the network, and what it is asked with.
pub struct Network {
    url: String,
    endpoint: Endpoint,
    /// What stands before `/admin/v1`, without a slash at its end.
    prefix: String,
    dialer: Dialer,
    clock: SharedClock,
    pinned: Option<Arc<Pinned>>,
    pass: Mutex<Pass>,
}

enum Pass {
    /// Nobody has logged in yet.
    None,
    Key(AdminKey),
    Session {
        token: Secret,
        ends_at: Monotonic,
    },
}

impl Network {
    /// To `url`: `https://broker.example:8444`, plain `http` only on loopback. `environment` names proxies.
    pub fn to<'a>(
        url: &str,
        how: &Trust,
        environment: impl Fn(&str) -> Option<&'a str>,
        clock: SharedClock,
    ) -> Result<Self, BadPlace> {
        let endpoint = Endpoint::parse(url)?;
        if endpoint.path().contains('?') {
            return Err(BadPlace::Query);
        }
        let mut pinned = None;
        let by_system = || trust(None, environment("SSL_CERT_FILE").map(std::path::Path::new));
        let tls = match how {
            Trust::Pin(_) if endpoint.is_plain_on_loopback() => return Err(BadPlace::PinWithoutTls),
            Trust::Pin(pin) => {
                let only = Pinned::to(*pin);
                pinned = Some(Arc::clone(&only));
                trust_only(only)
            }
            Trust::CaFile(file) => trust(Some(file), None)?,
            Trust::System => by_system()?,
        };
        let either = |upper, lower| environment(upper).or_else(|| environment(lower));
        let proxy = either("HTTPS_PROXY", "https_proxy");
        let egress = Egress::parse(proxy, either("NO_PROXY", "no_proxy"))?;
        let prefix = endpoint.path().trim_end_matches('/').to_owned();
        let mut dialer = Dialer::new(clock.clone(), tls, egress);
        if pinned.is_some() && proxy.is_some() {
            // The pin is the broker's, not the proxy's.
            dialer = dialer.trusting_proxies_by(by_system()?);
        }
        Ok(Self { url: url.to_owned(), endpoint, prefix, dialer, clock, pinned, pass: Mutex::new(Pass::None) })
    }

    /// With an admin key.
    pub fn with_key(self, key: AdminKey) -> Self {
        Self { pass: Mutex::new(Pass::Key(key)), ..self }
    }

    /// The request's target for a path behind `/admin/v1/`.
    pub(super) fn target(&self, path: &str) -> String {
        format!("{}/admin/v1/{path}", self.prefix)
    }

    /// What stands in the `Host` header.
    pub(super) fn host(&self) -> String {
        self.endpoint.host_header()
    }

    pub(super) async fn open(&self) -> Result<Box<dyn Stream>, AdminError> {
        let unreachable = |why: String| AdminError::Unreachable { url: self.url.clone(), why };
        self.dialer.open(&self.endpoint).await.map_err(|unsent| {
            let met = self.pinned.as_ref().and_then(|pinned| pinned.met());
            unreachable(met.map_or_else(
                || unsent.to_string(),
                |met| format!("its public key is {met}, which --pin does not name"),
            ))
        })
    }

    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let pass = self.pass();
        let text = match &*pass {
            Pass::None => return None,
            Pass::Key(key) => key.expose(),
            Pass::Session { token, .. } => token.expose(),
        };
        let text = Secret::new(format!("Bearer {text}"));
        // What is no header is no session of a broker, and is refused without it.
        let mut value = HeaderValue::from_str(text.expose()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    pub(super) fn begin_session(&self, answer: SessionAnswer) {
        let ends_at = self.clock.monotonic() + Duration::from_secs(answer.expires_in);
        *self.pass() = Pass::Session { token: answer.token, ends_at };
    }

    pub(super) fn has_session(&self) -> bool {
        matches!(*self.pass(), Pass::Session { .. })
    }

    pub(super) fn is_session_near_its_end(&self) -> bool {
        let now = self.clock.monotonic();
        matches!(&*self.pass(), Pass::Session { ends_at, .. } if ends_at.since(now) < NEAR_ITS_END)
    }

    fn pass(&self) -> MutexGuard<'_, Pass> {
        self.pass.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({})", self.endpoint)
    }
}

#[cfg(test)]
mod tests;
