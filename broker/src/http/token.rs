//! `GET /codex`: who asks, what for, and the answer with its tag.

use std::sync::Arc;

use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, USER_AGENT,
};
use actix_web::{HttpRequest, HttpResponse, web};
use scorpiox_wire::{Code, Problem, TokenTag, token};

use super::error::Refusal;
use super::request_id::RequestId;
use super::visitor::ClientAddress;
use crate::gate::{Caller, Gate};
use crate::issuer::{Ask, Handed, Issuer, Origin, Refused};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What the handler needs.
pub struct TokenService {
    /// Recognises keys.
    pub gate: Arc<Gate>,
    /// Hands out tokens.
    pub issuer: Arc<Issuer>,
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
    let caller =
        recognise(&service.gate, &request).inspect_err(|refusal| service.issuer.turned_away(refusal.problem.code))?;
    let ask = read(&request)?;
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let origin = Origin { request_id: id.as_str(), address: &address, agent };
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

pub(super) fn recognise(gate: &Gate, request: &HttpRequest) -> Result<Arc<Caller>, Refusal> {
    let stranger = || {
        Refusal::from(
            Problem::new(Code::Unauthorized, "no client has this key")
                .with_hint("check TOKEN_HTTP_API_KEY, or ask for a new key: scorpiox-broker client rotate-key NAME"),
        )
    };
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(stranger)?;
    let (scheme, key) = header.split_once(' ').ok_or_else(stranger)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(stranger());
    }
    gate.recognise(key.trim()).map_err(|_| stranger())
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
        Refused::NoGrant => ("ask the broker's administrator".to_owned(), None),
        Refused::Revoked => ("ask the broker's administrator for a new key".into(), None),
        Refused::Paused(name) => (format!("on the broker: scorpiox-broker credential resume {name}"), None),
        Refused::Reauth(name) | Refused::Quarantined(name) => (login(name), None),
        Refused::BackingOff(left) => ("the broker tries again by itself".into(), Some(*left)),
        Refused::TooSoon(left) => ("the token is probably good: look at the error it met".into(), Some(*left)),
        Refused::Busy(left) => ("ask again in a moment".into(), Some(*left)),
        Refused::Fenced => ("on the broker: scorpiox-broker status".into(), None),
        Refused::Audit(_) => ("on the broker: scorpiox-broker status".into(), Some(std::time::Duration::from_secs(5))),
    };
    let problem = Problem::new(refused.code(), refused.to_string()).with_hint(hint);
    Refusal { problem, retry_after }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auditor::AuditUnavailable;

    #[test]
    fn each_refusal_has_its_code_and_says_when_to_come_again() {
        let name = || "main".to_owned();
        let wait = Duration::from_secs(7);
        let table = [
            (Refused::NoGrant, Code::Forbidden, false),
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
