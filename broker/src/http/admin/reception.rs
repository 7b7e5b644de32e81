//! Every request passes here first: who asks, and whether they may.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpMessage, Route};
use scorpiox_wire::{Code, Problem};

use super::{Operation, once};
use crate::domain::scope::Scope;
use crate::http::error::Refusal;
use crate::registrar::Administrator;

/// The operation's route, with the reception in front of it.
pub(super) fn behind(operation: &Operation) -> Route {
    let scope = operation.scope;
    let naming = if operation.takes_a_name() { Naming::Possible } else { Naming::None };
    operation.route().wrap(from_fn(move |request, next| receive(scope, naming, request, next)))
}

/// Whether a request may be given a name, so that it is done once.
#[derive(Debug, Clone, Copy)]
enum Naming {
    /// A change.
    Possible,
    /// Asking twice does no harm, or must not be answered from memory.
    None,
}

async fn receive<B: MessageBody + 'static>(
    scope: Option<Scope>,
    naming: Naming,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(needed) = scope {
        let by = match request.extract::<Administrator>().await {
            Ok(by) if by.scopes.allow(needed) => by,
            Ok(by) => return Ok(request.error_response(forbidden(&by, needed))),
            Err(stranger) => return Ok(request.error_response(stranger)),
        };
        request.extensions_mut().insert(by.clone());
        if let Naming::Possible = naming {
            return once::once(&by, request, next).await;
        }
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
