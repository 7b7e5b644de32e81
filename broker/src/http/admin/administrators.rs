//! Who may administer over the network.

use actix_web::web;
use scorpiox_wire::Code;
use scorpiox_wire::admin::{
    AdminKeyIssued, AdminKeyRequest, AdminKeyView, AdministratorAdded, AdministratorRequest, AdministratorView,
    PasswordRequest, ScopesRequest,
};

use super::json::Json;
use super::paging::{PageQuery, Paged};
use super::{Answer, Data, Operation, ok};
use crate::domain::scope::Scope;
use crate::registrar::Administrator;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Scope::Read, "/administrators", list_administrators)
            .says("The people who may administer over the network, in the order of their names")
            .query::<PageQuery>()
            .pages::<AdministratorView>(),
        Operation::post(Scope::Everything, "/administrators", add_administrator)
            .says("Make an administrator")
            .takes::<AdministratorRequest>()
            .answers::<AdministratorAdded>()
            .refuses(&[Code::Conflict, Code::Busy]),
        Operation::delete(Scope::Everything, "/administrators/{name}", remove_administrator)
            .says("Remove an administrator; its sessions end")
            .answers::<AdministratorView>()
            .refuses(&[Code::NotFound]),
        Operation::post(Scope::Everything, "/administrators/{name}/password", set_administrator_password)
            .says("Give an administrator another password; its sessions end")
            .takes::<PasswordRequest>()
            .answers::<AdministratorView>()
            .refuses(&[Code::NotFound, Code::Busy]),
        Operation::put(Scope::Everything, "/administrators/{name}/scopes", set_administrator_scopes)
            .says("Change what an administrator may do, from its very next request")
            .takes::<ScopesRequest>()
            .answers::<AdministratorView>()
            .refuses(&[Code::NotFound]),
        Operation::post(Scope::Everything, "/administrators/{name}/revoke-sessions", revoke_administrator_sessions)
            .says("End all sessions of an administrator")
            .answers::<AdministratorView>()
            .refuses(&[Code::NotFound]),
        Operation::get(Scope::Read, "/admin-keys", list_admin_keys)
            .says("The keys with which programs administer, in the order of their names")
            .query::<PageQuery>()
            .pages::<AdminKeyView>(),
        Operation::post(Scope::Everything, "/admin-keys", add_admin_key)
            .says("Make an admin key; it is in this answer and never again")
            .takes::<AdminKeyRequest>()
            .answers::<AdminKeyIssued>()
            .refuses(&[Code::Conflict]),
        Operation::delete(Scope::Everything, "/admin-keys/{name}", revoke_admin_key)
            .says("End an admin key")
            .answers::<AdminKeyView>()
            .refuses(&[Code::NotFound]),
    ]
}

async fn list_administrators(registrar: Data, page: Paged) -> Answer {
    ok(registrar.administrators(page.after_name()?.as_ref(), page.limit))
}

async fn add_administrator(by: Administrator, registrar: Data, body: Json<AdministratorRequest>) -> Answer {
    ok(registrar.add_administrator(&by, &body).await?)
}

async fn remove_administrator(by: Administrator, registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.remove_administrator(&by, &name).await?)
}

async fn set_administrator_password(
    by: Administrator,
    registrar: Data,
    name: web::Path<String>,
    body: Json<PasswordRequest>,
) -> Answer {
    ok(registrar.set_password(&by, &name, &body).await?)
}

async fn set_administrator_scopes(
    by: Administrator,
    registrar: Data,
    name: web::Path<String>,
    body: Json<ScopesRequest>,
) -> Answer {
    ok(registrar.set_scopes(&by, &name, &body).await?)
}

async fn revoke_administrator_sessions(by: Administrator, registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.revoke_sessions(&by, &name).await?)
}

async fn list_admin_keys(registrar: Data, page: Paged) -> Answer {
    ok(registrar.admin_keys(page.after_name()?.as_ref(), page.limit))
}

async fn add_admin_key(by: Administrator, registrar: Data, body: Json<AdminKeyRequest>) -> Answer {
    ok(registrar.add_admin_key(&by, &body).await?)
}

async fn revoke_admin_key(by: Administrator, registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.revoke_admin_key(&by, &name).await?)
}
