//! The broker as a whole.

use scorpiox_wire::Code;
use scorpiox_wire::admin::Status;

use super::{Answer, Data, Operation, ok};
use crate::domain::scope::Scope;
use crate::registrar::Administrator;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Scope::Read, "/status", status).says("The broker at a glance").answers::<Status>(),
        Operation::post(Scope::Everything, "/promote", promote)
            .says("Declare the database as it is to be the newest one: a fenced broker renews again")
            .answers::<Status>()
            .refuses(&[Code::Unavailable]),
    ]
}

async fn status(registrar: Data) -> Answer {
    ok(registrar.status())
}

async fn promote(by: Administrator, registrar: Data) -> Answer {
    registrar.promote(&by).await?;
    ok(registrar.status())
}
