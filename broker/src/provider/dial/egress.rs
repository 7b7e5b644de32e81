//! The way out: directly, or through a proxy that the administrator names.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scorpiox_wire::Secret;
use url::{Host, Url};

use super::endpoint::{Endpoint, Security};

/// How connections leave this machine.
#[derive(Debug, Clone, Default)]
pub struct Egress {
    proxy: Option<Proxy>,
    exceptions: Vec<Exception>,
}

/// A proxy that is asked to CONNECT.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    pub(super) host: Host<String>,
    pub(super) port: u16,
    pub(super) security: ProxySecurity,
    /// Value of `Proxy-Authorization`.
    pub(super) authorization: Option<Secret>,
}

/// How the proxy itself is spoken to; what goes through it is TLS in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProxySecurity {
    Plain,
    Tls,
}

/// An entry of `NO_PROXY`.
#[derive(Debug, Clone)]
enum Exception {
    Everything,
    Hosts { suffix: String, port: Option<u16> },
}

/// A proxy setting that cannot be used. It never repeats the setting, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadProxy {
    /// It is no URL.
    #[error("the proxy setting is no URL; it looks like http://proxy.example.com:3128")]
    Malformed,
    /// Another kind of proxy.
    #[error("only http:// and https:// proxies are supported")]
    Scheme,
}

impl Egress {
    /// Connections leave directly.
    pub fn direct() -> Self {
        Self::default()
    }

    /// `https_proxy` as in `HTTPS_PROXY` (`http://user:password@proxy:3128`; empty means none), `no_proxy` as in
    /// `NO_PROXY` (`internal.example.com,.lan,10.0.0.1:8443,*`).
    ///
    /// `HTTP_PROXY` has no use here: plain http is spoken only on loopback, and that never goes through a proxy.
    pub fn parse(https_proxy: Option<&str>, no_proxy: Option<&str>) -> Result<Self, BadProxy> {
        let proxy = https_proxy.map(str::trim).filter(|text| !text.is_empty()).map(Proxy::parse).transpose()?;
        let exceptions = no_proxy.unwrap_or_default().split(',').filter_map(Exception::parse).collect();
        Ok(Self { proxy, exceptions })
    }

    /// The proxy for this endpoint; `None` means directly.
    pub(super) fn proxy_for(&self, endpoint: &Endpoint) -> Option<&Proxy> {
        match endpoint.security {
            Security::PlainOnLoopback => None,
            Security::Tls if self.exceptions.iter().any(|exception| exception.covers(endpoint)) => None,
            Security::Tls => self.proxy.as_ref(),
        }
    }
}

impl Proxy {
    fn parse(text: &str) -> Result<Self, BadProxy> {
        // `proxy:3128` is how many people write it.
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&text).map_err(|_| BadProxy::Malformed)?;
        let security = match url.scheme() {
            "http" => ProxySecurity::Plain,
            "https" => ProxySecurity::Tls,
            _ => return Err(BadProxy::Scheme),
        };
        let host = url.host().ok_or(BadProxy::Malformed)?.to_owned();
        let port = url.port_or_known_default().ok_or(BadProxy::Malformed)?;
        Ok(Self { host, port, security, authorization: basic(&url) })
    }
}

fn basic(url: &Url) -> Option<Secret> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair = percent_decoded(url.username());
    pair.push(b':');
    pair.extend(percent_decoded(url.password().unwrap_or_default()));
    Some(Secret::new(format!("Basic {}", STANDARD.encode(pair))))
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = &rest[3..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    bytes
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

impl Exception {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_ascii_lowercase();
        if entry == "*" {
            return Some(Self::Everything);
        }
        let (host, port) = match entry.rsplit_once(':') {
            // `::1` without brackets is an address, not a host and a port.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()),
            _ => (entry.as_str(), None),
        };
        let suffix = host.trim_start_matches("*.").trim_start_matches('.').trim_matches(['[', ']']);
        (!suffix.is_empty()).then(|| Self::Hosts { suffix: suffix.to_owned(), port })
    }

    fn covers(&self, endpoint: &Endpoint) -> bool {
        let Self::Hosts { suffix, port } = self else { return true };
        let same_port = port.is_none_or(|port| port == endpoint.port);
        let same_host = match &endpoint.host {
            Host::Domain(name) => {
                name.strip_suffix(suffix.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Host::Ipv4(address) => address.to_string() == *suffix,
            Host::Ipv6(address) => suffix.parse() == Ok(*address),
        };
        same_port && same_host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_name_hosts_and_what_is_below_them() {
        let cases = [
            ("https://auth.openai.com/", "", true),
            ("https://auth.openai.com/", "openai.com", false),
            ("https://auth.openai.com/", ".OpenAI.com", false),
            ("https://auth.openai.com/", "*.openai.com", false),
            ("https://auth.openai.com/", "auth.openai.com:443", false),
            ("https://auth.openai.com/", "auth.openai.com:8443", true),
            ("https://notopenai.com/", "openai.com", true),
            ("https://auth.openai.com/", "lan, *", false),
            ("https://10.0.0.1/", "0.0.1", true),
            ("https://10.0.0.1/", "10.0.0.1", false),
            ("https://[::1]/", "::1", false),
            ("https://[::1]:8443/", "[::1]:8443", false),
            ("https://[::1]:8443/", "[::1]:443", true),
            ("http://127.0.0.1/", "", false),
        ];
        for (url, no_proxy, through) in cases {
            let egress = Egress::parse(Some("http://proxy:3128"), Some(no_proxy)).unwrap();
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(egress.proxy_for(&endpoint).is_some(), through, "{url} {no_proxy}");
        }
    }

    #[test]
    fn a_proxy_is_a_host_a_port_and_perhaps_a_password() {
        let proxy = Proxy::parse("http://anna:p%40ss%2@proxy.example.com").unwrap();
        assert_eq!((proxy.host.to_string().as_str(), proxy.port), ("proxy.example.com", 80));
        assert_eq!(proxy.authorization.as_ref().map(Secret::expose), Some("Basic YW5uYTpwQHNzJTI="));
        assert!(!format!("{proxy:?}").contains("YW5u"));
        assert_eq!(Proxy::parse("proxy:3128").unwrap().port, 3128);
        assert_eq!(Proxy::parse("https://proxy").unwrap().security, ProxySecurity::Tls);
        assert_eq!(Proxy::parse("socks5://proxy").unwrap_err(), BadProxy::Scheme);
        assert_eq!(Proxy::parse("http://:password@").unwrap_err(), BadProxy::Malformed);
        assert!(Egress::parse(Some(""), None).unwrap().proxy.is_none());
    }
}
