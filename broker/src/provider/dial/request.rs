//! The one kind of request that is made: a POST with a small body.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use zeroize::Zeroizing;

use super::endpoint::Endpoint;
use crate::provider::Unsent;

/// The version of the stock CLI that we name when the configuration names none (*P 25*: the backend looks at it).
pub const CODEX_VERSION: &str = "0.169.0";
/// The originator of the stock CLI (*P 6*).
pub const ORIGINATOR: &str = "codex_cli_rs";

/// What we say we are.
#[derive(Debug, Clone)]
pub struct Agent {
    user_agent: HeaderValue,
    originator: HeaderValue,
}

/// A name or version that cannot stand in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("originator and version must be visible ASCII, like codex_cli_rs and 0.169.0")]
pub struct BadAgent;

impl Agent {
    /// `codex_cli_rs/0.169.0 (linux; x86_64) scorpiox-broker/0.1.0`.
    pub fn new(originator: &str, codex_version: &str) -> Result<Self, BadAgent> {
        if ![originator, codex_version].iter().all(|text| is_word(text)) {
            return Err(BadAgent);
        }
        let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
        let own = concat!("scorpiox-broker/", env!("CARGO_PKG_VERSION"));
        let user_agent = format!("{originator}/{codex_version} ({system}; {machine}) {own}");
        Ok(Self {
            user_agent: HeaderValue::try_from(user_agent).map_err(|_| BadAgent)?,
            originator: HeaderValue::try_from(originator).map_err(|_| BadAgent)?,
        })
    }

    /// `codex_cli_rs`.
    pub fn originator(&self) -> &str {
        self.originator.to_str().expect("it was checked to be visible ASCII")
    }
}

impl Default for Agent {
    fn default() -> Self {
        Self::new(ORIGINATOR, CODEX_VERSION).expect("the defaults are visible ASCII")
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A body and what it is.
pub enum Payload {
    /// `application/json`.
    Json(Zeroizing<Vec<u8>>),
    /// `application/x-www-form-urlencoded`.
    Form(Zeroizing<Vec<u8>>),
}

/// A POST that asks for the connection to be closed after it, and for no encoding of the answer.
pub(super) fn post(endpoint: &Endpoint, agent: &Agent, payload: Payload) -> Request<Full<Bytes>> {
    let (content_type, body) = match payload {
        Payload::Json(body) => ("application/json", body),
        Payload::Form(body) => ("application/x-www-form-urlencoded", body),
    };
    Request::post(endpoint.path.as_str())
        .header(HOST, endpoint.host_header())
        .header(USER_AGENT, agent.user_agent.clone())
        .header("originator", agent.originator.clone())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, content_type)
        .header(CONNECTION, "close")
        // The owner zeroes it when hyper has let go of it.
        .body(Full::new(Bytes::from_owner(body)))
        .expect("a parsed URL makes a valid request line and host")
}

/// A POST with these headers and no claim to be anybody else.
pub(super) fn notice(
    endpoint: &Endpoint,
    headers: &[(&str, String)],
    body: Vec<u8>,
) -> Result<Request<Full<Bytes>>, Unsent> {
    let mut request = Request::post(endpoint.path.as_str())
        .header(HOST, endpoint.host_header())
        .header(USER_AGENT, concat!("scorpiox-broker/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close");
    for (name, value) in headers {
        request = request.header(*name, value.as_str());
    }
    request.body(Full::new(Bytes::from(body))).map_err(|error| Unsent(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_one_line() {
        let agent = Agent::new("codex_cli_rs", "0.169.0").unwrap();
        assert!(agent.user_agent.to_str().unwrap().starts_with("codex_cli_rs/0.169.0 ("));
        for (originator, version) in [("", "1"), ("a b", "1"), ("a", "1\r\nx: y"), ("ä", "1"), ("a", "")] {
            assert_eq!(Agent::new(originator, version).err(), Some(BadAgent), "{originator:?} {version:?}");
        }
    }
}
