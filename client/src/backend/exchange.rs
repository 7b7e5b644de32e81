//! One GET to the backend, with the headers by which it knows us.

use std::time::Duration;

use ureq::http::header::{ACCEPT, AUTHORIZATION, ETAG, HeaderName, IF_NONE_MATCH, RETRY_AFTER};
use zeroize::Zeroizing;

use super::address::BackendAddress;
use super::answer::{self, BackendAnswer, Good};
use super::identity::Identity;
use super::renewal::{Tokens, with_a_good_token};
use crate::failure::Failure;
use crate::http::{self, Patience, Way};
use crate::settings::Trust;
use crate::talk::Talk;
use crate::token::Token;

/// The longest answer, in bytes: a catalogue carries every model's instructions.
pub(super) const LONGEST_ANSWER: u64 = 4 * 1024 * 1024;
const ACCOUNT: HeaderName = HeaderName::from_static("chatgpt-account-id");
const ORIGINATOR: HeaderName = HeaderName::from_static("originator");
const VERSION: HeaderName = HeaderName::from_static("version");

/// The backend, and how it is reached.
pub struct Backend<'a> {
    /// Where it is.
    pub address: BackendAddress,
    /// Who we say we are.
    pub identity: Identity,
    /// The proxy's address, or `None` for a direct connection.
    pub proxy: Option<String>,
    /// What its certificate is checked against.
    pub trust: Trust,
    /// Where tokens come from.
    pub tokens: &'a dyn Tokens,
}

/// A question to the backend.
#[derive(Debug, Clone, Copy)]
pub(super) struct Get<'a> {
    pub(super) url: &'a str,
    /// What we have: the backend may say that it still holds.
    pub(super) have: Option<&'a str>,
    pub(super) within: Duration,
}

impl Backend<'_> {
    /// The way there.
    pub fn way(&self) -> Way<'_> {
        let (proxy, user_agent) = (self.proxy.as_deref(), self.identity.user_agent.as_str());
        Way { url: self.address.url(), proxy, trust: &self.trust, user_agent }
    }

    /// The headers of every request: who asks, and for whom.
    pub fn headers(&self, token: &Token) -> Vec<(HeaderName, Zeroizing<String>)> {
        let bearer = format!("Bearer {}", token.access_token.expose());
        let mut headers = vec![
            (AUTHORIZATION, bearer.into()),
            (ORIGINATOR, self.identity.originator.clone().into()),
            (VERSION, self.identity.client_version.clone().into()),
        ];
        headers.extend(token.account_id.clone().map(|account| (ACCOUNT, account.into())));
        headers
    }

    pub(super) fn get(&self, question: Get<'_>, talk: &mut Talk) -> Result<Good, Failure> {
        with_a_good_token(self.tokens, talk, |token, talk| {
            talk.detail(format!("asking {}", question.url));
            let answer = self.ask(question, token)?;
            answer::read(answer, self.address.host())
        })
    }

    fn ask(&self, question: Get<'_>, token: &Token) -> Result<BackendAnswer, Failure> {
        let unreached = |error: ureq::Error| unreached(&error, self.address.host());
        let agent = self.way().agent(Patience::Whole(question.within))?;
        let mut request = agent.get(question.url).header(ACCEPT, "application/json");
        for (name, value) in self.headers(token) {
            request = request.header(name, value.as_str());
        }
        if let Some(have) = question.have {
            request = request.header(IF_NONE_MATCH, have);
        }
        let mut response = request.call().map_err(unreached)?;
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after = header(RETRY_AFTER).and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
        let etag = header(ETAG).map(str::to_owned);
        let status = response.status().as_u16();
        let body = http::bounded_body(response.body_mut(), LONGEST_ANSWER).map_err(unreached)?;
        Ok(BackendAnswer { status, etag, retry_after, body })
    }
}

/// Why `host` gave no answer.
pub(super) fn unreached(error: &ureq::Error, host: &str) -> Failure {
    if let Some(rustls::Error::InvalidCertificate(why)) = http::tls_error(error) {
        return Failure::configuration(format!("the certificate of {host} is not trusted: {why}"))
            .with_hint("behind a proxy that opens TLS, name its certificate in CODEX_CA_CERTIFICATE");
    }
    match error {
        error if http::is_timeout(error) => Failure::temporary(format!("{host} did not answer in time")),
        ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => {
            Failure::temporary(format!("the answer of {host} is too long"))
        }
        ureq::Error::Io(error) => Failure::temporary(format!("cannot reach {host}: {error}")),
        error => Failure::temporary(format!("cannot reach {host}: {error}")),
    }
}
