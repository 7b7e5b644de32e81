//! A person logs in at the provider.

use actix_web::web;
use scorpiox_wire::Code;
use scorpiox_wire::admin::{LoginCallback, LoginRequest, LoginView};

use super::json::Json;
use super::{Answer, Data, Operation, ok};
use crate::domain::scope::Scope;
use crate::http::error::Refusal;
use crate::registrar::Administrator;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(Scope::Credentials, "/logins", begin_login)
            .says("Begin a login: a code to type, or a page to open")
            .takes::<LoginRequest>()
            .answers::<LoginView>()
            .refuses(&[Code::TooMany]),
        Operation::get(Scope::Credentials, "/logins/{id}", show_login)
            .says("How a login stands")
            .answers::<LoginView>()
            .refuses(&[Code::NotFound]),
        Operation::delete(Scope::Credentials, "/logins/{id}", cancel_login)
            .says("Forget an attempt that nobody waits for any more; the answer is how it stood")
            .answers::<LoginView>()
            .refuses(&[Code::NotFound, Code::Conflict]),
        Operation::post(Scope::Credentials, "/logins/{id}/callback", finish_login)
            .says("Hand over what the browser brought back")
            .takes::<LoginCallback>()
            .answers::<LoginView>()
            .refuses(&[Code::NotFound, Code::Conflict]),
    ]
}

async fn begin_login(by: Administrator, registrar: Data, body: Json<LoginRequest>) -> Answer {
    match registrar.begin_login(&by, body.into_inner()).await {
        Ok(view) => ok(view),
        Err(problem) if problem.code == Code::TooMany => {
            Err(Refusal::from(problem).retry_after(registrar.until_a_login_ends()))
        }
        Err(problem) => Err(problem.into()),
    }
}

async fn show_login(registrar: Data, id: web::Path<String>) -> Answer {
    ok(registrar.login(&id)?)
}

async fn cancel_login(by: Administrator, registrar: Data, id: web::Path<String>) -> Answer {
    ok(registrar.cancel_login(&by, &id).await?)
}

async fn finish_login(by: Administrator, registrar: Data, id: web::Path<String>, body: Json<LoginCallback>) -> Answer {
    ok(registrar.login_callback(&by, &id, body.into_inner()).await?)
}
