//! Who asks: whoever may open the socket, as the kernel says; over the network a session or an admin key.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use scorpiox_wire::{Code, Problem};

use crate::domain::scope::Scopes;
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
        return Ok(Administrator {
            actor,
            request_id,
            address,
            scopes: Scopes::everything(),
            session: None,
            noted: Noted::default(),
        });
    }
    let registrar = request.app_data::<web::Data<Arc<Registrar>>>().ok_or_else(stranger)?;
    let recognised = bearer(request).and_then(|bearer| registrar.recognise(bearer).ok()).ok_or_else(stranger)?;
    let address = ClientAddress::of(request).to_string();
    Ok(Administrator {
        actor: recognised.actor,
        request_id,
        address,
        scopes: recognised.scopes,
        session: recognised.session,
        noted: Noted::default(),
    })
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let (scheme, bearer) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| bearer.trim())
}

fn stranger() -> Refusal {
    Problem::new(Code::Unauthorized, "nobody is known by this session or admin key")
        .with_hint("log in again (--admin NAME), or ask for another key: scorpiox-broker admin key add NAME")
        .into()
}
