//! `POST /oauth/token` and `/oauth/revoke`: the token endpoint of clients that know nothing of a broker.
//!
//! Nobody authenticates here: the stand-in (or the code) is the credential.
//!
//! * [`parameters`]: form or JSON. * [`trouble`]: errors in both. * `sign_in`: codes and device codes.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use scorpiox_wire::{Code, stock};
use serde::Serialize;
use zeroize::Zeroizing;

use super::error::Refusal;
use super::request_id::RequestId;
use super::token::{LATER, refusal};
use super::unhurried::to_the_end;
use super::visitor::ClientAddress;
use crate::domain::stand_in::Purpose;
use crate::failures::Failures;
use crate::issuer::Origin;
use crate::oauth::OAuth;
use crate::oauth::renewal::Reason;
use crate::oauth::sign_in::{Denied, SignedIn};
use crate::sign_in::SignIns;

pub mod parameters;
mod sign_in;
pub mod trouble;

use parameters::{Dialect, Parameters, Unreadable};
use trouble::{Kind, Trouble};

/// Room for a whole answer: a buffer that grows leaves copies of a token behind.
const ANSWER_BYTES: usize = 16 * 1024;

/// What the handlers need.
pub struct OAuthService {
    /// Tokens and stand-ins.
    pub oauth: Arc<OAuth>,
    /// Codes and device codes.
    pub sign_ins: Arc<SignIns>,
    /// Slows addresses that present stand-ins that are none, together with those that present wrong keys.
    pub failures: Arc<Failures>,
    /// How soon a client that signed in by browser comes back, at the latest.
    pub gateway_expires_in: Duration,
}

/// Adds the routes.
pub fn routes(app: &mut web::ServiceConfig) {
    app.service(web::resource(stock::TOKEN_PATH).route(web::post().to(token)))
        .service(web::resource(stock::REVOKE_PATH).route(web::post().to(revoke)));
}

async fn token(
    request: HttpRequest,
    id: RequestId,
    address: ClientAddress,
    service: web::Data<OAuthService>,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    let (dialect, parameters) = match read(&request, &body) {
        Ok(read) => read,
        Err((dialect, unreadable)) => {
            return Ok(Trouble::new(Kind::InvalidRequest, unreadable.to_string()).response(dialect));
        }
    };
    to_the_end(async move {
        let granted = grant(&service, &parameters, origin(&request, &id, &address)).await;
        let answered = granted.map(|signed_in| answer(&signed_in, service.gateway_expires_in));
        answered.unwrap_or_else(|trouble| trouble.response(dialect))
    })
    .await
}

async fn grant(service: &OAuthService, parameters: &Parameters, origin: Origin<'_>) -> Result<SignedIn, Trouble> {
    match parameters.get("grant_type") {
        Some("refresh_token") => refresh(service, parameters, origin).await,
        Some(sign_in::AUTHORIZATION_CODE) => sign_in::redeem(&service.sign_ins, parameters, origin).await,
        Some(sign_in::DEVICE_CODE) => sign_in::poll(&service.sign_ins, parameters, origin).await,
        Some(_) => Err(Trouble::new(Kind::UnsupportedGrantType, "this grant_type is not known here")),
        None => Err(Trouble::new(Kind::InvalidRequest, "the parameter grant_type is missing")),
    }
}

async fn refresh(service: &OAuthService, parameters: &Parameters, origin: Origin<'_>) -> Result<SignedIn, Trouble> {
    let missing = || Trouble::new(Kind::InvalidRequest, "the parameter refresh_token is missing");
    let stand_in = parameters.get("refresh_token").ok_or_else(missing)?;
    let reason = Reason::of(parameters.get("refresh_reason"));
    let address = origin.address;
    service.oauth.renew(stand_in, reason, origin).await.map_err(|denied| match denied {
        Denied::Invalidated => stranger(&service.failures, address),
        other => trouble_of(&other),
    })
}

/// Nobody has the stand-in that came from there.
fn stranger(failures: &Failures, from: Option<IpAddr>) -> Trouble {
    match failures.note(from) {
        Ok(()) => trouble_of(&Denied::Invalidated),
        Err(wait) => Trouble {
            kind: Kind::TooMany,
            message: "too many wrong keys or refresh tokens came from this address; a good one is served at once"
                .into(),
            retry_after: Some(wait),
        },
    }
}

/// 200 whatever was sent (RFC 7009 section 2.2): a client that logs out must be able to forget.
async fn revoke(
    request: HttpRequest,
    id: RequestId,
    address: ClientAddress,
    service: web::Data<OAuthService>,
    body: Bytes,
) -> Result<HttpResponse, Refusal> {
    if let Ok((_, parameters)) = read(&request, &body) {
        to_the_end(async move {
            if let Some(stand_in) = parameters.get("token") {
                service.oauth.revoke(stand_in, origin(&request, &id, &address)).await;
            }
        })
        .await?;
    }
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(serde_json::json!({})))
}

/// Where a request came from.
pub(super) fn origin<'a>(request: &'a HttpRequest, id: &'a RequestId, address: &'a ClientAddress) -> Origin<'a> {
    let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    Origin { request_id: id.as_str(), address: address.0, agent }
}

fn read(request: &HttpRequest, body: &[u8]) -> Result<(Dialect, Parameters), (Dialect, Unreadable)> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let dialect = Dialect::of(content_type, body).map_err(|unreadable| (Dialect::Form, unreadable))?;
    let parameters = Parameters::read(dialect, body).map_err(|unreadable| (dialect, unreadable))?;
    Ok((dialect, parameters))
}

/// A good answer, whichever grant it is for.
pub(super) fn answer(signed_in: &SignedIn, gateway_expires_in: Duration) -> HttpResponse {
    let token = signed_in.handout.answer();
    let id_token = signed_in.id_token();
    let expires_in = match signed_in.purpose {
        Purpose::AuthFile => token.expires_in,
        // It does not come back because of a refusal, so it comes back often.
        Purpose::Gateway => token.expires_in.min(i64::try_from(gateway_expires_in.as_secs()).unwrap_or(i64::MAX)),
    };
    secret_json(&stock::Granted {
        access_token: token.access_token,
        token_type: token.token_type,
        expires_in,
        refresh_token: signed_in.stand_in.clone(),
        id_token,
    })
}

/// An answer that holds secrets: nothing keeps it, and its memory is zeroed.
pub(super) fn secret_json(answer: &impl Serialize) -> HttpResponse {
    let mut body = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES));
    serde_json::to_writer(&mut *body, answer).expect("an answer is texts and numbers");
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((PRAGMA, "no-cache"))
        .body(Bytes::from_owner(body))
}

/// What a client may know of a denial.
pub(super) fn trouble_of(denied: &Denied) -> Trouble {
    let again = "get a new file from the broker: scorpiox-codex-fetchtoken --auth-file FILE";
    match denied {
        Denied::Invalidated => Trouble::new(Kind::Invalidated, format!("{denied}: {again}")),
        Denied::Reused => Trouble::new(Kind::Reused, format!("{denied}: {again}")),
        Denied::Storage | Denied::Refused(_) => {
            let refusal = problem_of(denied);
            let kind = match refusal.problem.code {
                Code::Unauthorized => Kind::Invalidated,
                Code::Forbidden => Kind::AccessDenied,
                Code::TooMany => Kind::TooMany,
                _ => Kind::TemporarilyUnavailable,
            };
            let hint = refusal.problem.hint.map(|hint| format!(": {hint}")).unwrap_or_default();
            let retry_after = match kind {
                Kind::TooMany | Kind::TemporarilyUnavailable => Some(refusal.retry_after.unwrap_or(LATER)),
                _ => None,
            };
            Trouble { kind, message: format!("{}{hint}", refusal.problem.message), retry_after }
        }
    }
}

/// The same as a problem.
pub(super) fn problem_of(denied: &Denied) -> Refusal {
    use scorpiox_wire::Problem;
    let problem = |code, hint: String| Refusal::from(Problem::new(code, denied.to_string()).with_hint(hint));
    match denied {
        Denied::Invalidated | Denied::Reused => {
            problem(Code::Unauthorized, "ask the broker's administrator".to_owned())
        }
        Denied::Refused(refused) => refusal(refused),
        Denied::Storage => problem(Code::Unavailable, "on the broker: scorpiox-broker status".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::{Mending, Refused};

    #[test]
    fn only_a_dead_stand_in_is_a_verdict_and_all_else_is_tried_again() {
        let name = || "main".to_owned();
        let short = |mending| Refused::Short { left: Duration::from_secs(200), credential: name(), mending }.into();
        let wait = Duration::from_secs(7);
        let table = [
            (Denied::Invalidated, Kind::Invalidated, None),
            (Denied::Reused, Kind::Reused, None),
            (Denied::Refused(Refused::Revoked), Kind::Invalidated, None),
            (Denied::Refused(Refused::NoGrant), Kind::AccessDenied, None),
            (Denied::Refused(Refused::Reauth(name())), Kind::TemporarilyUnavailable, Some(LATER)),
            (Denied::Refused(Refused::Quarantined(name())), Kind::TemporarilyUnavailable, Some(LATER)),
            (Denied::Refused(Refused::Paused(name())), Kind::TemporarilyUnavailable, Some(LATER)),
            (Denied::Refused(Refused::TooSoon(wait)), Kind::TemporarilyUnavailable, Some(wait)),
            (Denied::Refused(Refused::BackingOff(wait)), Kind::TemporarilyUnavailable, Some(wait)),
            (Denied::Refused(Refused::Fenced), Kind::TemporarilyUnavailable, Some(LATER)),
            (Denied::Storage, Kind::TemporarilyUnavailable, Some(LATER)),
            (short(Mending::Itself), Kind::TemporarilyUnavailable, Some(LATER)),
            (short(Mending::LogIn), Kind::TemporarilyUnavailable, Some(LATER)),
        ];
        for (denied, kind, retry_after) in table {
            let trouble = trouble_of(&denied);
            assert_eq!((trouble.kind, trouble.retry_after), (kind, retry_after), "{denied:?}");
            assert!(trouble.message.contains(": "), "{denied:?} does not say what to do next");
        }
    }
}
