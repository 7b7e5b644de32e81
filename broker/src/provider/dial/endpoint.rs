//! Where a request goes, parsed once.

use std::fmt;

use url::{Host, Url};

/// A URL that may be called: `https` anywhere, plain `http` only on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(super) security: Security,
    pub(super) host: Host<String>,
    pub(super) port: u16,
    /// Path and query, as the request line has them.
    pub(super) path: String,
}

/// Whether bytes are encrypted on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    Tls,
    PlainOnLoopback,
}

/// A URL that will not be called, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {why}")]
pub struct BadEndpoint {
    /// As it was given, without user and password.
    pub url: String,
    /// For people.
    pub why: String,
}

impl Endpoint {
    /// Accepts `https://auth.openai.com/oauth/token`, `http://127.0.0.1:8080/x`, `http://localhost/x`.
    pub fn parse(text: &str) -> Result<Self, BadEndpoint> {
        let url = Url::parse(text).map_err(|error| BadEndpoint { url: "the URL".into(), why: error.to_string() })?;
        let bad = |why: &str| BadEndpoint { url: without_user(&url), why: why.to_owned() };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("a user or password in it would end up in logs"));
        }
        let host = url.host().ok_or_else(|| bad("it names no host"))?.to_owned();
        let security = match url.scheme() {
            "https" => Security::Tls,
            "http" if is_loopback(&host) => Security::PlainOnLoopback,
            "http" => return Err(bad("plain http would show tokens to the network; only loopback may use it")),
            _ => return Err(bad("only https can be called (and http on loopback)")),
        };
        let port = url.port_or_known_default().ok_or_else(|| bad("it names no port"))?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Self { security, host, port, path: format!("{}{query}", url.path()) })
    }

    /// True for plain http on this machine, where a browser login comes back.
    pub fn is_plain_on_loopback(&self) -> bool {
        self.security == Security::PlainOnLoopback
    }

    /// Path and query, as a request line has them.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// What stands in the `Host` header: `auth.openai.com`, `127.0.0.1:8080`.
    pub(crate) fn host_header(&self) -> String {
        let usual = match self.security {
            Security::Tls => 443,
            Security::PlainOnLoopback => 80,
        };
        if self.port == usual { self.host.to_string() } else { self.to_string() }
    }
}

/// `host:port`, for people and for CONNECT.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

fn is_loopback(host: &Host<String>) -> bool {
    match host {
        // What `localhost` resolves to is checked again when connecting.
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn without_user(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_called_or_refused() {
        let cases = [
            ("https://auth.openai.com/oauth/token", Ok(("auth.openai.com", "auth.openai.com:443", "/oauth/token"))),
            ("https://h:8443/a?b=c#d", Ok(("h:8443", "h:8443", "/a?b=c"))),
            ("http://127.0.0.1:9/x", Ok(("127.0.0.1:9", "127.0.0.1:9", "/x"))),
            ("http://[::1]:9", Ok(("[::1]:9", "[::1]:9", "/"))),
            ("http://localhost", Ok(("localhost", "localhost:80", "/"))),
            ("http://10.0.0.1/x", Err("plain http")),
            ("http://localhost.example.com/x", Err("plain http")),
            ("http://127.0.0.1.example.com/x", Err("plain http")),
            ("ftp://localhost/", Err("only https")),
            ("https://user:password@h/", Err("a user or password")),
            ("auth.openai.com", Err("relative URL")),
            ("", Err("relative URL")),
        ];
        for (text, expected) in cases {
            match (Endpoint::parse(text), expected) {
                (Ok(endpoint), Ok((header, shown, path))) => {
                    assert_eq!((endpoint.host_header().as_str(), endpoint.path.as_str()), (header, path), "{text}");
                    assert_eq!(endpoint.to_string(), shown, "{text}");
                }
                (Err(error), Err(expected)) => {
                    assert!(error.why.contains(expected), "{text}: {error}");
                    assert!(!error.to_string().contains("password@"), "{error}");
                }
                (outcome, _) => panic!("{text}: {outcome:?}"),
            }
        }
    }
}
