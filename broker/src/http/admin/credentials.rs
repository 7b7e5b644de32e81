//! Credentials: show, import, renew, pause, remove.

use actix_web::web;
use scorpiox_wire::Code;
use scorpiox_wire::admin::{
    CredentialRemoved, CredentialView, ImportRequest, PauseRequest, RefreshAnswer, RefreshRequest,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::json::Json;
use super::paging::{PageQuery, Paged};
use super::{Answer, Data, Operation, ok};
use crate::domain::credential::Pause;
use crate::domain::scope::Scope;
use crate::registrar::{Administrator, LoginAtProvider};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Scope::Read, "/credentials", list_credentials)
            .says("The credentials, in the order of their names")
            .query::<PageQuery>()
            .pages::<CredentialView>(),
        Operation::post(Scope::Credentials, "/credentials", import_credential)
            .says("Take over a login that exists elsewhere")
            .takes::<ImportRequest>()
            .answers::<CredentialView>()
            .refuses(&[Code::Conflict, Code::Busy]),
        Operation::get(Scope::Read, "/credentials/{name}", show_credential)
            .says("One credential")
            .answers::<CredentialView>()
            .refuses(&[Code::NotFound]),
        Operation::delete(Scope::Credentials, "/credentials/{name}", remove_credential)
            .says("Forget a credential; the answer is what it was")
            .query::<RemoveQuery>()
            .answers::<CredentialRemoved>()
            .refuses(&[Code::NotFound, Code::Busy]),
        Operation::post(Scope::Credentials, "/credentials/{name}/refresh", refresh_credential)
            .says("Renew now, and wait for the outcome")
            .takes::<RefreshRequest>()
            .answers::<RefreshAnswer>()
            .refuses(&[
                Code::NotFound,
                Code::ReauthRequired,
                Code::Quarantined,
                Code::Paused,
                Code::BackingOff,
                Code::Busy,
            ]),
        Operation::post(Scope::Credentials, "/credentials/{name}/pause", pause_credential)
            .says("Stop renewing, or renewing and serving")
            .takes::<PauseRequest>()
            .answers::<CredentialView>()
            .refuses(&[Code::NotFound]),
        Operation::post(Scope::Credentials, "/credentials/{name}/resume", resume_credential)
            .says("End a pause")
            .answers::<CredentialView>()
            .refuses(&[Code::NotFound]),
    ]
}

async fn list_credentials(registrar: Data, page: Paged) -> Answer {
    ok(registrar.credentials(page.after_name()?.as_ref(), page.limit))
}

async fn show_credential(registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.credential(&name)?)
}

async fn import_credential(by: Administrator, registrar: Data, body: Json<ImportRequest>) -> Answer {
    ok(registrar.import(&by, &body).await?)
}

/// What else happens.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct RemoveQuery {
    /// End the login at the provider too.
    #[serde(default)]
    revoke_upstream: bool,
}

async fn remove_credential(
    by: Administrator,
    registrar: Data,
    name: web::Path<String>,
    query: web::Query<RemoveQuery>,
) -> Answer {
    let login = if query.revoke_upstream { LoginAtProvider::Revoke } else { LoginAtProvider::Leave };
    ok(registrar.remove(&by, &name, login).await?)
}

async fn refresh_credential(
    by: Administrator,
    registrar: Data,
    name: web::Path<String>,
    body: Json<RefreshRequest>,
) -> Answer {
    ok(registrar.refresh(&by, &name, body.probe).await?)
}

async fn pause_credential(
    by: Administrator,
    registrar: Data,
    name: web::Path<String>,
    body: Json<PauseRequest>,
) -> Answer {
    let pause = if body.renewal_only { Pause::Renewal } else { Pause::All };
    ok(registrar.pause(&by, &name, pause).await?)
}

async fn resume_credential(by: Administrator, registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.pause(&by, &name, Pause::None).await?)
}
