//! The administration operations: decode, call the registrar, encode.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use scorpiox_wire::admin::{
    ClientRequest, ImportRequest, LoginCallback, LoginRequest, PauseRequest, RefreshRequest, RevokeRequest,
};
use serde::{Deserialize, Serialize};

use super::connection::LocalUser;
use super::error::Refusal;
use super::request_id::RequestId;
use crate::domain::credential::Pause;
use crate::registrar::{Administrator, Registrar};

type Answer = Result<HttpResponse, Refusal>;
type Data = web::Data<Arc<Registrar>>;

/// Most entries of the audit in one answer.
const AUDIT_PAGE: u32 = 1_000;

/// Adds the routes.
pub fn routes(app: &mut web::ServiceConfig) {
    app.service(
        web::scope("/admin/v1")
            .route("/status", web::get().to(status))
            .route("/promote", web::post().to(promote))
            .route("/credentials", web::get().to(credentials))
            .route("/credentials", web::post().to(import))
            .route("/credentials/{name}", web::get().to(credential))
            .route("/credentials/{name}", web::delete().to(remove))
            .route("/credentials/{name}/refresh", web::post().to(refresh))
            .route("/credentials/{name}/pause", web::post().to(pause))
            .route("/credentials/{name}/resume", web::post().to(resume))
            .route("/logins", web::post().to(begin_login))
            .route("/logins/{id}", web::get().to(login))
            .route("/logins/{id}/callback", web::post().to(login_callback))
            .route("/clients", web::get().to(clients))
            .route("/clients", web::post().to(create_client))
            .route("/clients/{name}/rotate-key", web::post().to(rotate_key))
            .route("/clients/{name}/revoke", web::post().to(revoke))
            .route("/audit", web::get().to(audit))
            .route("/audit/verify", web::get().to(verify)),
    );
}

/// Who asks: whoever may open the socket. Its file's mode decides, and the kernel tells who it was.
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

fn ok(body: impl Serialize) -> Answer {
    Ok(HttpResponse::Ok().json(body))
}

async fn status(registrar: Data) -> Answer {
    ok(registrar.status())
}

async fn promote(by: Administrator, registrar: Data) -> Answer {
    registrar.promote(&by).await?;
    ok(registrar.status())
}

async fn credentials(registrar: Data) -> Answer {
    ok(registrar.credentials())
}

async fn credential(registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.credential(&name)?)
}

async fn import(by: Administrator, registrar: Data, body: web::Json<ImportRequest>) -> Answer {
    ok(registrar.import(&by, &body).await?)
}

async fn remove(by: Administrator, registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.remove(&by, &name).await?)
}

async fn refresh(
    by: Administrator,
    registrar: Data,
    name: web::Path<String>,
    body: web::Json<RefreshRequest>,
) -> Answer {
    ok(registrar.refresh(&by, &name, body.probe).await?)
}

async fn pause(by: Administrator, registrar: Data, name: web::Path<String>, body: web::Json<PauseRequest>) -> Answer {
    let pause = if body.renewal_only { Pause::Renewal } else { Pause::All };
    ok(registrar.pause(&by, &name, pause).await?)
}

async fn resume(by: Administrator, registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.pause(&by, &name, Pause::None).await?)
}

async fn begin_login(by: Administrator, registrar: Data, body: web::Json<LoginRequest>) -> Answer {
    ok(registrar.begin_login(&by, body.into_inner()).await?)
}

async fn login(registrar: Data, id: web::Path<String>) -> Answer {
    ok(registrar.login(&id)?)
}

async fn login_callback(
    by: Administrator,
    registrar: Data,
    id: web::Path<String>,
    body: web::Json<LoginCallback>,
) -> Answer {
    ok(registrar.login_callback(&by, &id, body.into_inner()).await?)
}

async fn clients(registrar: Data) -> Answer {
    ok(registrar.clients().await?)
}

async fn create_client(by: Administrator, registrar: Data, body: web::Json<ClientRequest>) -> Answer {
    ok(registrar.create_client(&by, &body).await?)
}

async fn rotate_key(by: Administrator, registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.rotate_key(&by, &name).await?)
}

async fn revoke(by: Administrator, registrar: Data, name: web::Path<String>, body: web::Json<RevokeRequest>) -> Answer {
    ok(registrar.revoke(&by, &name, body.rotate).await?)
}

/// Which part of the audit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    after: Option<u64>,
    limit: Option<u32>,
}

async fn audit(registrar: Data, query: web::Query<AuditQuery>) -> Answer {
    let limit = query.limit.unwrap_or(100).min(AUDIT_PAGE);
    ok(registrar.audit(query.after, limit).await?)
}

async fn verify(registrar: Data) -> Answer {
    ok(registrar.verify_audit().await?)
}
