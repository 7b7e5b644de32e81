//! `GET /.well-known/oauth-authorization-server`: where programs that sign in find everything (RFC 8414).

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpResponse, web};
use scorpiox_wire::stock;
use serde_json::json;

use super::{authorize, device};
use crate::sign_in::SignIns;

/// Its path.
pub const PATH: &str = "/.well-known/oauth-authorization-server";

pub(super) fn routes(app: &mut web::ServiceConfig) {
    app.service(web::resource(PATH).route(web::get().to(show)));
}

async fn show(sign_ins: web::Data<Arc<SignIns>>) -> HttpResponse {
    let issuer = sign_ins.issuer();
    let at = |path: &str| format!("{issuer}{path}");
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": at(authorize::PATH),
        "token_endpoint": at(stock::TOKEN_PATH),
        "revocation_endpoint": at(stock::REVOKE_PATH),
        "device_authorization_endpoint": at(device::ASK_PATH),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"
        ],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": true,
    });
    HttpResponse::Ok().insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store"))).json(document)
}
