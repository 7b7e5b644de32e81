//! Who asks: whoever may open the socket. Its file's mode decides, and the kernel tells who it was.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::http::connection::LocalUser;
use crate::http::request_id::RequestId;
use crate::registrar::Administrator;

impl FromRequest for Administrator {
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let actor = match request.conn_data::<LocalUser>() {
            Some(LocalUser(uid)) => format!("admin:uid={uid}"),
            None => "admin:unknown".to_owned(),
        };
        let id = RequestId::extract(request).into_inner();
        let request_id = id.map_or_else(|never| match never {}, |id| id.as_str().to_owned());
        ready(Ok(Self { actor, request_id, address: "unix".to_owned() }))
    }
}
