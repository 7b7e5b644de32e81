//! The broker's token address, checked: nothing secret travels in the clear.

use std::net::IpAddr;

use url::{Host, Url};

/// An `https` address, or an `http` address on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    text: String,
    host: String,
    loopback: bool,
    encrypted: bool,
}

/// Why the text is no address of a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's text is its documentation")]
pub enum MalformedUrl {
    #[error("expected an address like https://broker.example:8443/codex")]
    NotAnAddress,
    #[error("plain http is taken only for this machine (127.0.0.1, ::1, localhost); use https")]
    Unencrypted,
    #[error("user and password do not belong into the address")]
    UserInfo,
    #[error("a query or fragment does not belong into the address")]
    Query,
}

impl BrokerUrl {
    /// Reads an address as a person wrote it.
    pub fn parse(text: &str) -> Result<Self, MalformedUrl> {
        let url = Url::parse(text).map_err(|_| MalformedUrl::NotAnAddress)?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            None => return Err(MalformedUrl::NotAnAddress),
        };
        let encrypted = match url.scheme() {
            "https" => true,
            "http" if loopback => false,
            "http" => return Err(MalformedUrl::Unencrypted),
            _ => return Err(MalformedUrl::NotAnAddress),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(MalformedUrl::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(MalformedUrl::Query);
        }
        let host = url.host_str().ok_or(MalformedUrl::NotAnAddress)?.to_owned();
        Ok(Self { text: url.into(), host, loopback, encrypted })
    }

    /// The address, normalised.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address of another of the broker's paths: `/codex/auth.json` beside `/codex`, behind the same prefix if a proxy
    /// put one there.
    pub fn beside(&self, path: &str) -> String {
        let url = Url::parse(&self.text).expect("it was an address when it was read");
        let joined = url.join(path.trim_start_matches('/')).expect("a path of ours is an address beside another");
        joined.into()
    }

    /// Name or address of the host, for people and for `NO_PROXY`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// True when the broker runs on this machine.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// True for `https`.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_taken_anywhere_and_http_on_this_machine_only() {
        for text in ["https://broker.example/codex", "https://10.0.0.7:8443/codex", "https://[::1]:1/codex"] {
            assert!(BrokerUrl::parse(text).unwrap().is_encrypted(), "{text}");
        }
        for text in ["http://127.0.0.1:80/codex", "http://[::1]/codex", "http://localhost:9/codex", "http://127.9.9.9/"]
        {
            let url = BrokerUrl::parse(text).unwrap();
            assert!(url.is_loopback() && !url.is_encrypted(), "{text}");
        }
        for text in ["http://broker.example/codex", "http://localhost.evil.example/", "http://127.0.0.1.nip.io/"] {
            assert_eq!(BrokerUrl::parse(text), Err(MalformedUrl::Unencrypted), "{text}");
        }
    }

    #[test]
    fn other_paths_of_the_broker_are_behind_the_same_prefix() {
        for (text, path, beside) in [
            ("https://b.example/codex", "/codex/auth.json", "https://b.example/codex/auth.json"),
            ("https://b.example:8443/team/codex", "/oauth/token", "https://b.example:8443/team/oauth/token"),
        ] {
            assert_eq!(BrokerUrl::parse(text).unwrap().beside(path), beside);
        }
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        let cases = [
            ("broker.example/codex", MalformedUrl::NotAnAddress),
            ("ftp://broker.example/", MalformedUrl::NotAnAddress),
            ("https://", MalformedUrl::NotAnAddress),
            ("https://user@broker.example/codex", MalformedUrl::UserInfo),
            ("https://broker.example/codex?a=1", MalformedUrl::Query),
            ("https://broker.example/codex#x", MalformedUrl::Query),
        ];
        for (text, expected) in cases {
            assert_eq!(BrokerUrl::parse(text), Err(expected), "{text}");
        }
    }
}
