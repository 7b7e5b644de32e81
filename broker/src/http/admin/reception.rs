//! Every request passes here first: who asks, and whether they may.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, Route};

use super::Operation;
use crate::domain::scope::Scope;
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
    if let Some(_needed) = scope {
        // Whoever may open the socket may do everything.
        let _by = request.extract::<Administrator>().await?;
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}
