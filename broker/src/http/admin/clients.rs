//! Who may fetch tokens.

use actix_web::web;
use scorpiox_wire::Code;
use scorpiox_wire::admin::{
    ClientIssued, ClientLimits, ClientRequest, ClientRevoked, ClientView, Holder, RevokeRequest,
};

use super::json::Json;
use super::paging::{PageQuery, Paged};
use super::{Answer, Data, Operation, ok};
use crate::domain::scope::Scope;
use crate::registrar::Administrator;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Scope::Read, "/clients", list_clients)
            .says("The clients, revoked ones too, in the order of their names")
            .query::<PageQuery>()
            .pages::<ClientView>(),
        Operation::get(Scope::Read, "/clients/{name}", show_client)
            .says("One client")
            .answers::<ClientView>()
            .refuses(&[Code::NotFound]),
        Operation::post(Scope::Clients, "/clients", create_client)
            .says("Create a client; its key is in this answer and never again")
            .takes::<ClientRequest>()
            .answers::<ClientIssued>()
            .refuses(&[Code::NotFound, Code::Conflict]),
        Operation::get(Scope::Read, "/credentials/{name}/holders", list_holders)
            .says("The clients that still hold a token of a credential, revoked ones too, in the order of their names")
            .query::<PageQuery>()
            .pages::<Holder>()
            .refuses(&[Code::NotFound]),
        Operation::post(Scope::Clients, "/clients/{name}/rotate-key", rotate_client_key)
            .says("Another key; the old one holds no longer")
            .answers::<ClientIssued>()
            .refuses(&[Code::NotFound, Code::Conflict]),
        Operation::put(Scope::Clients, "/clients/{name}/limits", limit_client)
            .says("Other limits for a client, all of them; they hold from its next request")
            .takes::<ClientLimits>()
            .answers::<ClientView>()
            .refuses(&[Code::NotFound, Code::Conflict]),
        Operation::post(Scope::Clients, "/clients/{name}/pause", pause_client)
            .says("Hand out nothing to this client until it is resumed")
            .answers::<ClientView>()
            .refuses(&[Code::NotFound, Code::Conflict]),
        Operation::post(Scope::Clients, "/clients/{name}/resume", resume_client)
            .says("End a client's pause")
            .answers::<ClientView>()
            .refuses(&[Code::NotFound, Code::Conflict]),
        Operation::put(Scope::Clients, "/clients/{name}/grants/{credential}", grant_credential)
            .says("Let a client use this credential, in place of the one it has")
            .answers::<ClientView>()
            .refuses(&[Code::NotFound, Code::Conflict]),
        Operation::delete(Scope::Clients, "/clients/{name}/grants/{credential}", take_credential)
            .says("Take a credential away from a client, which stays with nothing to fetch")
            .answers::<ClientView>()
            .refuses(&[Code::NotFound, Code::Conflict]),
        Operation::post(Scope::Clients, "/clients/{name}/revoke", revoke_client)
            .says("End a client; the answer says until when the token that it has still works. `rotate` needs the scope `credentials` too")
            .takes::<RevokeRequest>()
            .answers::<ClientRevoked>()
            .refuses(&[Code::NotFound, Code::Conflict]),
    ]
}

async fn show_client(registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.client(&name).await?)
}

async fn list_clients(registrar: Data, page: Paged) -> Answer {
    ok(registrar.clients(page.after_name()?.as_ref(), page.limit).await?)
}

async fn create_client(by: Administrator, registrar: Data, body: Json<ClientRequest>) -> Answer {
    ok(registrar.create_client(&by, &body).await?)
}

async fn rotate_client_key(by: Administrator, registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.rotate_key(&by, &name).await?)
}

async fn grant_credential(by: Administrator, registrar: Data, names: web::Path<(String, String)>) -> Answer {
    ok(registrar.grant(&by, &names.0, &names.1).await?)
}

async fn take_credential(by: Administrator, registrar: Data, names: web::Path<(String, String)>) -> Answer {
    ok(registrar.ungrant(&by, &names.0, &names.1).await?)
}

async fn revoke_client(
    by: Administrator,
    registrar: Data,
    name: web::Path<String>,
    body: Json<RevokeRequest>,
) -> Answer {
    ok(registrar.revoke(&by, &name, body.rotate).await?)
}

async fn limit_client(by: Administrator, registrar: Data, name: web::Path<String>, body: Json<ClientLimits>) -> Answer {
    ok(registrar.limit(&by, &name, &body).await?)
}

async fn pause_client(by: Administrator, registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.pause_client(&by, &name).await?)
}

async fn resume_client(by: Administrator, registrar: Data, name: web::Path<String>) -> Answer {
    ok(registrar.resume_client(&by, &name).await?)
}

async fn list_holders(registrar: Data, name: web::Path<String>, paged: Paged) -> Answer {
    ok(registrar.holders(&name, paged.after_name()?.as_ref(), paged.limit).await?)
}
