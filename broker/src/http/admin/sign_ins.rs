//! Programs that sign in by browser: invites, and requests that wait for a person.

use std::sync::Arc;

use actix_web::web;
use scorpiox_wire::Code;
use scorpiox_wire::admin::{InviteIssued, InviteRequest, Page, SignInApproval, SignInApproved, SignInView};

use super::json::Json;
use super::paging::{PageQuery, Paged};
use super::{Answer, Operation, ok};
use crate::domain::scope::Scope;
use crate::registrar::Administrator;
use crate::sign_in::SignIns;

type SignInData = web::Data<Arc<SignIns>>;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(Scope::Clients, "/clients/{name}/invite", invite_client)
            .says("Invite a person to sign a program in as this client, which is made without a key when there is none")
            .takes::<InviteRequest>()
            .answers::<InviteIssued>()
            .refuses(&[Code::NotFound, Code::Conflict]),
        Operation::get(Scope::Read, "/sign-ins", list_sign_ins)
            .says("The programs without a browser that wait for a person, in the order of their codes")
            .query::<PageQuery>()
            .pages::<SignInView>(),
        Operation::post(Scope::Clients, "/sign-ins/{code}/approve", approve_sign_in)
            .says("Let a program that waits in as this client, which is made without a key when there is none")
            .takes::<SignInApproval>()
            .answers::<SignInApproved>()
            .refuses(&[Code::NotFound, Code::Conflict]),
        Operation::post(Scope::Clients, "/sign-ins/{code}/deny", deny_sign_in)
            .says("Send a program that waits away")
            .answers::<SignInView>()
            .refuses(&[Code::NotFound]),
    ]
}

async fn invite_client(
    by: Administrator,
    sign_ins: SignInData,
    name: web::Path<String>,
    body: Json<InviteRequest>,
) -> Answer {
    ok(sign_ins.invite(&by, &name, &body).await?)
}

async fn list_sign_ins(sign_ins: SignInData, page: Paged) -> Answer {
    ok(Page::cut(sign_ins.waiting(page.after.as_deref()), page.limit, |waits| waits.user_code.clone()))
}

async fn approve_sign_in(
    by: Administrator,
    sign_ins: SignInData,
    code: web::Path<String>,
    body: Json<SignInApproval>,
) -> Answer {
    ok(sign_ins.approve(&by, &code, &body).await?)
}

async fn deny_sign_in(by: Administrator, sign_ins: SignInData, code: web::Path<String>) -> Answer {
    ok(sign_ins.deny(&by, &code).await?)
}
