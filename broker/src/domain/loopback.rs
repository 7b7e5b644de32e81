//! Where a browser may be sent back to: a program on the person's own machine, and nowhere else.

use url::{Host, Url};

/// Longest address that is read.
const LONGEST: usize = 512;

/// An `http` address on loopback, any port (RFC 8252 §7.3): `http://127.0.0.1:18455/callback`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loopback {
    /// As it was asked for: the redemption must name the same.
    written: String,
    url: Url,
}

/// The address leads, or might lead, somewhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("redirect_uri must be an http address on 127.0.0.1, [::1] or localhost")]
pub struct NotLoopback;

impl Loopback {
    /// Reads `redirect_uri`. What two programs could read differently is refused: user names, backslashes, fragments,
    /// addresses written in another way.
    pub fn parse(text: &str) -> Result<Self, NotLoopback> {
        let authority = text.strip_prefix("http://").ok_or(NotLoopback)?;
        let ends = authority.find(['/', '?', '#']).unwrap_or(authority.len());
        let host = authority[..ends].rsplit_once(':').map_or(&authority[..ends], |(host, port)| {
            if port.bytes().all(|byte| byte.is_ascii_digit()) { host } else { &authority[..ends] }
        });
        let plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if !plain || !matches!(host, "127.0.0.1" | "[::1]" | "localhost") || text.contains('#') {
            return Err(NotLoopback);
        }
        let url = Url::parse(text).map_err(|_| NotLoopback)?;
        let is_loopback = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        let is_bare = url.username().is_empty() && url.password().is_none();
        (is_loopback && is_bare).then(|| Self { written: text.to_owned(), url }).ok_or(NotLoopback)
    }

    /// As it was asked for.
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The address with more parameters.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_taken_with_any_port_and_path() {
        for text in [
            "http://127.0.0.1:18455/callback",
            "http://127.0.0.1/callback?x=1",
            "http://[::1]:9/",
            "http://localhost:1455/auth/callback",
            "http://localhost",
        ] {
            assert_eq!(Loopback::parse(text).unwrap().as_written(), text);
        }
    }

    #[test]
    fn nothing_leads_anywhere_else() {
        for text in [
            "",
            "https://127.0.0.1:1/",
            "http://example.com/",
            "//127.0.0.1/",
            "http://127.0.0.1@example.com/",
            "http://127.0.0.1:80@example.com/",
            "http://user@127.0.0.1/",
            "http://:x@127.0.0.1/",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://example.com/?http://127.0.0.1/",
            "http://example.com#@127.0.0.1/",
            "http://127.0.0.1\\@example.com/",
            "http://127.0.0.1:80\\.example.com/",
            "http:\\\\example.com\\127.0.0.1",
            "http:/127.0.0.1/",
            "HTTP://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0.0.0.0/",
            "http://127.0.0.2/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::1%25eth0]/",
            "http://[::]/",
            "http://LOCALHOST/",
            "http://localhost./",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1:1/#fragment",
            "http://127.0.0.1/\r\nSet-Cookie: x=1",
            "http://127.0.0.1/é",
            "javascript:alert(1)",
            "data:text/html,x",
            &format!("http://127.0.0.1/{}", "a".repeat(LONGEST)),
        ] {
            assert_eq!(Loopback::parse(text), Err(NotLoopback), "{text}");
        }
    }

    #[test]
    fn parameters_are_added_to_those_that_are_there_and_cannot_break_out() {
        let back = Loopback::parse("http://127.0.0.1:1/cb?a=1").unwrap();
        let to = back.with(&[("code", "x&y=z"), ("state", "s #\r\n")]);
        assert_eq!(to, "http://127.0.0.1:1/cb?a=1&code=x%26y%3Dz&state=s+%23%0D%0A");
        assert_eq!(back.origin(), "http://127.0.0.1:1");
    }
}
