//! One HTTP request to the broker.

use std::time::Duration;

use ureq::http::Response;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH, RETRY_AFTER};
use ureq::typestate::WithoutBody;
use ureq::{Agent, Body, RequestBuilder};
use zeroize::Zeroizing;

use super::answer::HttpAnswer;
use super::remote::{Exchange, Question};
use super::tls;
use crate::failure::Failure;
use crate::http::{self, Patience, Way};
use crate::settings::RemoteSettings;

/// The longest answer, in bytes, after decompression.
const LONGEST_ANSWER: u64 = 64 * 1024;
const USER_AGENT: &str = concat!("scorpiox-codex-fetchtoken/", env!("CARGO_PKG_VERSION"));

/// The way to a broker. Costs nothing until it is used: most commands are answered from the cache.
pub struct Http<'a> {
    /// Which broker, our key, and how it is known to be the right one.
    pub settings: &'a RemoteSettings,
    /// The proxy's address, or `None` for a direct connection.
    pub proxy: Option<String>,
}

impl Exchange for Http<'_> {
    fn ask(&self, question: &Question, within: Duration) -> Result<HttpAnswer, Failure> {
        let mut request = self.agent(within)?.get(self.settings.url.as_str());
        if let Some(refused) = &question.refused {
            request = request.query(scorpiox_wire::token::REFUSED, refused.to_string());
        }
        if let Some(have) = &question.have {
            request = request.header(IF_NONE_MATCH, have.to_etag());
        }
        self.send(request)
    }
}

impl Http<'_> {
    /// Another address of the same broker, with our key.
    pub fn get(&self, url: &str, within: Duration) -> Result<HttpAnswer, Failure> {
        self.send(self.agent(within)?.get(url))
    }

    /// JSON to another address of the same broker, without our key: what is sent says whose it is.
    pub fn post_json(&self, url: &str, body: &str, within: Duration) -> Result<HttpAnswer, Failure> {
        self.answered(self.agent(within)?.post(url).header(CONTENT_TYPE, "application/json").send(body))
    }

    fn agent(&self, within: Duration) -> Result<Agent, Failure> {
        let (url, trust) = (&self.settings.url, &self.settings.trust);
        let way = Way { url, proxy: self.proxy.as_deref(), trust, user_agent: USER_AGENT };
        way.agent(Patience::Whole(within))
    }

    fn send(&self, mut request: RequestBuilder<WithoutBody>) -> Result<HttpAnswer, Failure> {
        if let Some(key) = &self.settings.key {
            let authorization = Zeroizing::new(format!("Bearer {}", key.expose()));
            request = request.header(AUTHORIZATION, authorization.as_str());
        }
        self.answered(request.call())
    }

    fn answered(&self, response: Result<Response<Body>, ureq::Error>) -> Result<HttpAnswer, Failure> {
        response.and_then(bounded).map_err(|error| self.unanswered(&error))
    }

    fn unanswered(&self, error: &ureq::Error) -> Failure {
        let host = self.settings.url.host();
        if let Some(error) = http::tls_error(error) {
            return tls::failure(error, host);
        }
        let failure = match error {
            ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => {
                return Failure::temporary(format!("the answer of {host} is longer than a broker's can be"));
            }
            error if http::is_timeout(error) => Failure::unreachable(format!("{host} did not answer in time")),
            ureq::Error::Io(error) => Failure::unreachable(format!("cannot reach {host}: {error}")),
            error => Failure::unreachable(format!("cannot reach {host}: {error}")),
        };
        failure.with_hint("is the broker running, and CODEX_REMOTE_URL right?")
    }
}

fn bounded(mut response: Response<Body>) -> Result<HttpAnswer, ureq::Error> {
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let status = response.status().as_u16();
    let body = http::bounded_body(response.body_mut(), LONGEST_ANSWER)?;
    Ok(HttpAnswer { status, retry_after: retry_after.map(Duration::from_secs), body })
}
