//! Telling people.

use scorpiox_wire::Code;
use scorpiox_wire::admin::AlertTest;

use super::{Answer, Data, Operation, ok};
use crate::domain::scope::Scope;
use crate::registrar::Administrator;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::post(Scope::Everything, "/alerts/test", test)
            .says("Tell everybody who is told of alerts that this is a test")
            .answers::<AlertTest>()
            .refuses(&[Code::Conflict]),
    ]
}

async fn test(by: Administrator, registrar: Data) -> Answer {
    ok(registrar.test_alerts(&by).await?)
}
