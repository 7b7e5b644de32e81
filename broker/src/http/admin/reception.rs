//! Every request passes here first: who asks, and whether they may.

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpMessage, Route, web};

use super::administrator::operation;
use super::refusals::{self, Change};
use super::to_the_end::{body_of, to_the_end};
use super::{Operation, once};
use crate::domain::scope::Scope;
use crate::http::error::Refusal;
use crate::registrar::{Administrator, Registrar, missing_scope};

/// The operation's route, with the reception in front of it.
pub(super) fn behind(operation: &Operation) -> Route {
    let scope = operation.scope;
    let kind = Kind::of(operation);
    let change = Change::of(operation);
    operation
        .route()
        // Inside, so that it is done also when whoever asked has hung up meanwhile.
        .wrap(from_fn(move |request, next| refusals::noted(change, request, next)))
        .wrap(from_fn(move |request, next| receive(scope, kind, change, request, next)))
}

/// What a request is about.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// It reads: nothing is lost when it is cut off.
    Reading,
    /// It changes something, and must not be answered from memory.
    Change,
    /// It changes something, and may be given a name, so that it is done once.
    Named,
}

impl Kind {
    fn of(operation: &Operation) -> Self {
        match operation {
            _ if operation.takes_a_name() => Self::Named,
            _ if operation.method == Method::GET => Self::Reading,
            _ => Self::Change,
        }
    }
}

async fn receive<B: MessageBody + 'static>(
    scope: Option<Scope>,
    kind: Kind,
    change: Option<Change>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(needed) = scope {
        let by = match request.extract::<Administrator>().await {
            Ok(by) if by.scopes.allow(needed) => by,
            Ok(by) => {
                let refusal = forbidden(&request, &by, needed);
                return Ok(request.error_response(refusal));
            }
            Err(stranger) => return Ok(request.error_response(stranger)),
        };
        request.extensions_mut().insert(by.clone());
        if let Kind::Named = kind {
            let head = request.request().clone();
            let answer = once::once(&by, request, next).await;
            if let (Some(change), Err(error)) = (change, &answer) {
                change.refused(&by, &head, &refusals::of(error)).await;
            }
            return answer;
        }
    }
    let answer = match kind {
        Kind::Reading => next.call(request).await?,
        Kind::Change | Kind::Named => {
            body_of(&mut request).await?;
            to_the_end(next.call(request)).await??
        }
    };
    Ok(answer.map_into_boxed_body())
}

fn forbidden(request: &ServiceRequest, by: &Administrator, needed: Scope) -> Refusal {
    let has = &by.scopes;
    if let Some(registrar) = request.app_data::<web::Data<Arc<Registrar>>>() {
        registrar.deny(by, &operation(request.request()));
    }
    tracing::warn!(actor = by.actor, %needed, %has, "an operation was refused: the scope is missing");
    missing_scope(&by.actor, has, needed).into()
}

#[cfg(test)]
mod tests {
    use actix_web::test::{TestRequest, init_service};
    use actix_web::{App, HttpResponse};
    use tokio::sync::Notify;

    use super::*;
    use crate::domain::scope::Scopes;
    use crate::registrar::Noted;

    /// Where a change stands still, and how it is seen.
    #[derive(Default)]
    struct Gate {
        reached: Notify,
        opened: Notify,
        done: Notify,
    }

    async fn change(gate: web::Data<Gate>) -> HttpResponse {
        gate.reached.notify_one();
        gate.opened.notified().await;
        gate.done.notify_one();
        HttpResponse::Ok().finish()
    }

    fn somebody() -> Administrator {
        let (actor, address) = ("admin:anna".to_owned(), "local".to_owned());
        let (identity, request_id, noted) = (actor.clone(), String::new(), Noted::default());
        Administrator { actor, identity, request_id, address, scopes: Scopes::everything(), session: None, noted }
    }

    #[actix_web::test]
    async fn a_change_goes_on_when_its_request_is_dropped_also_without_a_name() {
        let operations = [
            Operation::post(Scope::Clients, "/unnamed", change),
            Operation::post(Scope::Read, "/backup", change),
            Operation::delete(Scope::Read, "/session", change).for_anybody(),
        ];
        for operation in operations {
            let gate = web::Data::new(Gate::default());
            let app = App::new().app_data(gate.clone()).route(operation.path, behind(&operation));
            let app = init_service(app).await;
            let request = TestRequest::with_uri(operation.path).method(operation.method.clone()).to_request();
            request.extensions_mut().insert(somebody());
            // The request's future ends with the block that it is selected in.
            tokio::select! {
                _ = actix_web::dev::Service::call(&app, request) => panic!("nothing opened the gate"),
                () = gate.reached.notified() => {}
            }
            gate.opened.notify_one();
            let done = tokio::time::timeout(std::time::Duration::from_secs(60), gate.done.notified()).await;
            assert!(done.is_ok(), "{} was cut off", operation.path);
        }
    }
}
