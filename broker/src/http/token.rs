//! `GET /codex`: who asks, what for, and the answer with its tag.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, USER_AGENT,
};
use actix_web::{HttpRequest, HttpResponse, web};
use scorpiox_wire::{Code, Problem, TokenTag, token};

use super::error::Refusal;
use super::request_id::RequestId;
use super::trace;
use super::visitor::ClientAddress;
use crate::domain::admission::Denied;
use crate::failures::Failures;
use crate::gate::{Caller, Gate};
use crate::issuer::{Ask, Handed, Issuer, Mending, Origin, Refused};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const BY_ITSELF: &str = "the broker tries again by itself";
/// When a client is told to come again and nobody knows better.
pub(super) const LATER: Duration = Duration::from_secs(30);

/// What the handler needs.
pub struct TokenService {
    /// Recognises keys.
    pub gate: Arc<Gate>,
    /// Hands out tokens.
    pub issuer: Arc<Issuer>,
    /// Slows addresses that present wrong keys.
    pub failures: Arc<Failures>,
}

/// Adds the route.
pub fn routes(app: &mut web::ServiceConfig) {
    app.service(web::resource(token::PATH).route(web::get().to(get)));
}

async fn get(
    request: HttpRequest,
    id: RequestId,
    address: ClientAddress,
    service: web::Data<TokenService>,
) -> Result<HttpResponse, Refusal> {
    trace::served(&request, token::PATH, answer(&request, &id, address, &service)).await
}

async fn answer(
    request: &HttpRequest,
    id: &RequestId,
    address: ClientAddress,
    service: &TokenService,
) -> Result<HttpResponse, Refusal> {
    let caller =
        recognise(service, request, address).inspect_err(|refusal| service.issuer.turned_away(refusal.problem.code))?;
    let ask = read(request)?;
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let origin = Origin { request_id: id.as_str(), address: address.0, agent };
    match service.issuer.hand_out(&caller, &ask, origin).await {
        Ok(Handed::Token(handout)) => {
            let printed = handout.printed();
            let etag = HeaderValue::from_maybe_shared(printed.etag()).expect("a tag is visible ASCII");
            Ok(HttpResponse::Ok()
                .insert_header((CONTENT_TYPE, JSON))
                .insert_header((CACHE_CONTROL, NO_STORE))
                .insert_header((ETAG, etag))
                .body(printed.body()))
        }
        Ok(Handed::Unchanged(tag)) => Ok(HttpResponse::NotModified()
            .insert_header((CACHE_CONTROL, NO_STORE))
            .insert_header((ETAG, tag.to_etag()))
            .finish()),
        Err(refused) => Err(refusal(&refused)),
    }
}

pub(super) fn recognise(
    service: &TokenService,
    request: &HttpRequest,
    from: ClientAddress,
) -> Result<Arc<Caller>, Refusal> {
    presented(request).and_then(|key| service.gate.recognise(key).ok()).ok_or_else(|| stranger(&service.failures, from))
}

/// The key behind `Authorization: Bearer`.
fn presented(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok())?;
    let (scheme, key) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// No client has the key that came from there.
pub(super) fn stranger(failures: &Failures, from: ClientAddress) -> Refusal {
    match failures.note(from.0) {
        Ok(()) => Problem::new(Code::Unauthorized, "no client has this key")
            .with_hint("check TOKEN_HTTP_API_KEY, or ask for a new key: scorpiox-broker client rotate-key NAME")
            .into(),
        Err(wait) => Refusal {
            problem: Problem::new(Code::TooMany, "too many wrong keys came from this address")
                .with_hint("check TOKEN_HTTP_API_KEY; a good key is served at once"),
            retry_after: Some(wait),
        },
    }
}

fn read(request: &HttpRequest) -> Result<Ask, Refusal> {
    let mut ask = Ask::default();
    let query = request.query_string();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        if name != token::REFUSED || ask.refused.is_some() {
            return Err(Refusal::new(Code::BadRequest, "the only query of this path is ?refused=TAG, once"));
        }
        ask.refused = Some(tag(&value)?);
    }
    if let Some(value) = request.headers().get(IF_NONE_MATCH) {
        // What is no tag of ours cannot be the current one: it asks for the token, as RFC 9110 §13.1.2 says.
        ask.known = value.to_str().ok().and_then(|text| text.parse().ok());
    }
    Ok(ask)
}

fn tag(text: &str) -> Result<TokenTag, Refusal> {
    text.parse().map_err(|_| Refusal::new(Code::BadRequest, "?refused= takes the ETag of a token, like 4k2j9x0c7m1d.7"))
}

/// What this caller may know of a refusal.
pub(super) fn refusal(refused: &Refused) -> Refusal {
    let login = |name: &str| format!("on the broker: scorpiox-broker login --name {name}");
    let (hint, retry_after) = match refused {
        Refused::Denied(denied) => denied_hint(denied),
        Refused::NoGrant => ("ask the broker's administrator".to_owned(), None),
        Refused::Revoked => ("ask the broker's administrator for a new key".into(), None),
        Refused::Paused(name) => (format!("on the broker: scorpiox-broker credential resume {name}"), None),
        Refused::Reauth(name) | Refused::Quarantined(name) => (login(name), None),
        Refused::Short { mending: Mending::LogIn, credential, .. } => (login(credential), None),
        Refused::Short { mending: Mending::Itself, .. } => (BY_ITSELF.to_owned(), Some(LATER)),
        Refused::BackingOff(left) => (BY_ITSELF.to_owned(), Some(*left)),
        Refused::TooSoon(left) => ("the token is probably good: look at the error it met".into(), Some(*left)),
        Refused::Busy(left) => ("ask again in a moment".into(), Some(*left)),
        Refused::Fenced => ("on the broker: scorpiox-broker status".into(), None),
        Refused::Audit(_) => ("on the broker: scorpiox-broker status".into(), Some(Duration::from_secs(5))),
    };
    let problem = Problem::new(refused.code(), refused.to_string()).with_hint(hint);
    Refusal { problem, retry_after }
}

fn denied_hint(denied: &Denied) -> (String, Option<Duration>) {
    match denied {
        Denied::Paused => ("on the broker: scorpiox-broker client resume NAME".to_owned(), None),
        Denied::Expired(_) => ("on the broker: scorpiox-broker client limit NAME --expires DATE".to_owned(), None),
        Denied::Elsewhere(_) => ("on the broker: scorpiox-broker client limit NAME --allow NETWORK".to_owned(), None),
        Denied::Requests { wait, .. } => {
            ("keep the token until revalidate_at instead of asking each time".to_owned(), Some(*wait))
        }
        Denied::Handouts { wait, .. } => {
            ("send If-None-Match with the ETag: what is unchanged does not count".to_owned(), Some(*wait))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::auditor::AuditUnavailable;
    use crate::clock::Timestamp;

    #[test]
    fn each_refusal_has_its_code_and_says_when_to_come_again() {
        let name = || "main".to_owned();
        let wait = Duration::from_secs(7);
        let table = [
            (Refused::NoGrant, Code::Forbidden, false),
            (Refused::Denied(Denied::Paused), Code::Forbidden, false),
            (Refused::Denied(Denied::Expired(Timestamp::from_unix(0))), Code::Forbidden, false),
            (Refused::Denied(Denied::Elsewhere([192, 0, 2, 1].into())), Code::Forbidden, false),
            (Refused::Denied(Denied::Requests { limit: NonZeroU32::MIN, wait }), Code::TooMany, true),
            (Refused::Denied(Denied::Handouts { limit: NonZeroU32::MIN, wait }), Code::TooMany, true),
            (Refused::Revoked, Code::Unauthorized, false),
            (Refused::Paused(name()), Code::Paused, false),
            (Refused::Reauth(name()), Code::ReauthRequired, false),
            (Refused::Quarantined(name()), Code::Quarantined, false),
            (Refused::BackingOff(wait), Code::BackingOff, true),
            (Refused::TooSoon(wait), Code::TooSoon, true),
            (Refused::Busy(wait), Code::Busy, true),
            (Refused::Fenced, Code::Unavailable, false),
            (Refused::Audit(AuditUnavailable), Code::AuditUnavailable, true),
        ];
        for (refused, code, waits) in table {
            let refusal = refusal(&refused);
            assert_eq!(refusal.problem.code, code, "{refused:?}");
            assert_eq!(refusal.retry_after.is_some(), waits, "{refused:?}");
            assert!(refusal.problem.hint.is_some(), "{refused:?} leaves a tired person alone");
        }
    }
}
