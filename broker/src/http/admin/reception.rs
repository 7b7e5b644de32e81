//! Every request passes here first: who asks, and whether they may.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpMessage, Route};
use scorpiox_wire::{Code, Problem};

use super::Operation;
use crate::domain::scope::Scope;
use crate::http::error::Refusal;
use crate::registrar::Administrator;

/// The operation's route, with the reception in front of it.
pub(super) fn behind(operation: &Operation) -> Route {
    let scope = operation.scope;
    operation.route().wrap(from_fn(move |request, next| receive(scope, request, next)))
}

async fn receive<B: MessageBody + 'static>(
    scope: Option<Scope>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(needed) = scope {
        let by = match request.extract::<Administrator>().await {
            Ok(by) if by.scopes.allow(needed) => by,
            Ok(by) => return Ok(request.error_response(forbidden(&by, needed))),
            Err(stranger) => return Ok(request.error_response(stranger)),
        };
        request.extensions_mut().insert(by);
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn forbidden(by: &Administrator, needed: Scope) -> Refusal {
    let has = &by.scopes;
    tracing::warn!(actor = by.actor, %needed, %has, "an operation was refused: the scope is missing");
    Problem::new(Code::Forbidden, format!("{} has the scope {has}; this needs {needed}", by.actor))
        .with_hint("ask an administrator with the scope everything for a key or an account with the missing one")
        .into()
}
