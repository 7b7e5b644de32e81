//! The broker as a whole.

use scorpiox_wire::Code;
use scorpiox_wire::admin::{PromoteRequest, PromotionView, Status};

use super::json::Json;
use super::{Answer, Data, Operation, ok};
use crate::domain::scope::Scope;
use crate::registrar::Administrator;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Scope::Read, "/status", status).says("The broker at a glance").answers::<Status>(),
        Operation::get(Scope::Read, "/promote", promotion)
            .says("What the end of a fence would do to each login")
            .answers::<PromotionView>(),
        Operation::post(Scope::Everything, "/promote", promote)
            .says("Declare the database as it is to be the newest one: a fenced broker renews again")
            .takes::<PromoteRequest>()
            .answers::<Status>()
            .refuses(&[Code::Busy, Code::Unavailable]),
    ]
}

async fn status(registrar: Data) -> Answer {
    ok(registrar.status())
}

async fn promotion(registrar: Data) -> Answer {
    ok(registrar.promotion())
}

async fn promote(by: Administrator, registrar: Data, body: Json<PromoteRequest>) -> Answer {
    registrar.promote(&by, *body).await?;
    ok(registrar.status())
}

/// Not in the list of operations: its answer is the text of a monitoring system.
pub(super) async fn metrics(registrar: Data) -> actix_web::HttpResponse {
    crate::http::metrics::page(&registrar)
}
