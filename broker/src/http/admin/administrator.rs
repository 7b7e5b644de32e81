//! Who asks: whoever may open the socket, as the kernel says; over the network a session or an admin key.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use scorpiox_wire::{Code, Problem};

use crate::administrators::Recognised;
use crate::domain::scope::Scopes;
use crate::failures::Failures;
use crate::http::connection::LocalUser;
use crate::http::error::Refusal;
use crate::http::request_id::{self, RequestId};
use crate::http::visitor::ClientAddress;
use crate::registrar::{Administrator, Noted, Registrar};

impl FromRequest for Administrator {
    type Error = Refusal;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // The reception has found out already.
        let known = request.extensions().get::<Self>().cloned();
        ready(known.map_or_else(|| find(request), Ok))
    }
}

fn find(request: &HttpRequest) -> Result<Administrator, Refusal> {
    let request_id = request_id::current().unwrap_or_else(RequestId::random).as_str().to_owned();
    if let Some(LocalUser(uid)) = request.conn_data::<LocalUser>() {
        let (actor, address) = (format!("admin:uid={uid}"), "unix".to_owned());
        let (identity, scopes, noted) = (actor.clone(), Scopes::everything(), Noted::default());
        return Ok(Administrator { actor, identity, request_id, address, scopes, session: None, noted });
    }
    let registrar = request.app_data::<web::Data<Arc<Registrar>>>().ok_or_else(unknown)?;
    let from = ClientAddress::of(request);
    let Some(recognised) = bearer(request).and_then(|bearer| registrar.recognise(bearer).ok()) else {
        registrar.deny_stranger(&operation(request), request_id, from.to_string());
        return Err(stranger(request, from));
    };
    let Recognised { actor, id: identity, scopes, session } = recognised;
    let (address, noted) = (from.to_string(), Noted::default());
    Ok(Administrator { actor, identity, request_id, address, scopes, session, noted })
}

/// What is asked for, without the names in it: a stranger may write anything there.
pub(super) fn operation(request: &HttpRequest) -> String {
    format!("{} {}", request.method(), request.match_pattern().unwrap_or_default())
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, bearer) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| bearer.trim())
}

fn stranger(request: &HttpRequest, from: ClientAddress) -> Refusal {
    let failures = request.app_data::<web::Data<Failures>>();
    match failures.map_or(Ok(()), |failures| failures.note(from.0)) {
        Ok(()) => unknown(),
        Err(wait) => Refusal {
            problem: Problem::new(Code::TooMany, "too many unknown sessions or keys came from this address")
                .with_hint("a good key or session is served at once"),
            retry_after: Some(wait),
        },
    }
}

fn unknown() -> Refusal {
    Problem::new(Code::Unauthorized, "nobody is known by this session or admin key")
        .with_hint("log in again (--admin NAME), or ask for another key: scorpiox-broker admin key add NAME")
        .into()
}
