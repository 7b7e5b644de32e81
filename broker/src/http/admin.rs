//! The administration operations: decode, call the registrar, encode.
//!
//! * [`operation`]: one operation: its route, what it needs, and its part of the document.
//! * [`reception`]: every request passes here first: who asks, and whether they may.
//! * `administrator`: who asks. * `refusals`: what was refused is written down.
//! * `json`: the body of a change.
//! * `to_the_end`: a change goes on when whoever asked has gone.
//! * `once`: the header `Idempotency-Key`.
//! * `paging`: which part of a list.
//! * `broker`, `alerts`, `credentials`, `logins`, `clients`, `sign_ins`, `audit`, `administrators`, `session`: the rooms. Each has a list of its operations and their handlers.
//!
//! A new operation is a handler and a line in its room's list:
//!
//! ```text
//! Operation::post(Scope::Clients, "/clients/{name}/pause", pause_client)
//!     .says("Hand out nothing to this client until it is resumed")
//!     .takes::<PauseClient>()                    the body, with ToSchema
//!     .answers::<ClientView>()
//!     .refuses(&[Code::NotFound])                beyond what every operation may refuse with
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::error::Refusal;
use crate::domain::scope::Scope;
use crate::registrar::Registrar;

mod administrator;
mod administrators;
mod alerts;
mod audit;
mod broker;
mod clients;
mod credentials;
pub mod custody;
mod json;
mod logins;
mod once;
pub mod operation;
mod paging;
pub mod reception;
mod refusals;
mod session;
mod sign_ins;
mod to_the_end;

pub use operation::Operation;

type Answer = Result<HttpResponse, Refusal>;
type Data = web::Data<Arc<Registrar>>;

/// What all paths begin with.
pub const PREFIX: &str = "/admin/v1";

/// Every operation there is.
pub fn operations() -> Vec<Operation> {
    [
        broker::operations(),
        alerts::operations(),
        custody::operations(),
        credentials::operations(),
        logins::operations(),
        clients::operations(),
        sign_ins::operations(),
        audit::operations(),
        administrators::operations(),
        session::operations(),
    ]
    .concat()
}

/// Adds the routes, and the document that describes them.
pub fn routes(app: &mut web::ServiceConfig) {
    let mut by_path: BTreeMap<&str, Vec<Operation>> = BTreeMap::new();
    for operation in operations() {
        by_path.entry(operation.path).or_default().push(operation);
    }
    let scope = by_path.into_iter().fold(web::scope(PREFIX), |scope, (path, operations)| {
        let resource = operations
            .iter()
            .fold(web::resource(path), |resource, operation| resource.route(reception::behind(operation)));
        scope.service(resource)
    });
    // Beside the operations, because its answer is no JSON: where a monitoring system looks for it.
    let metrics = Operation::get(Scope::Read, super::metrics::PATH, broker::metrics);
    let metrics = web::resource(metrics.path).route(reception::behind(&metrics));
    app.service(scope).service(metrics).configure(super::openapi::routes);
}

fn ok(body: impl Serialize) -> Answer {
    // Some answers hold a key.
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body))
}

#[cfg(test)]
mod scopes_tests;
