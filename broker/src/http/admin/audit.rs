//! What was done, by whom.

use actix_web::web;
use scorpiox_wire::admin::{AuditEntry, AuditVerdict};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Answer, Data, Operation, ok};
use crate::domain::scope::Scope;

/// Most entries of the audit in one answer.
const PAGE: u32 = 1_000;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Scope::Read, "/audit", list_audit)
            .says("Entries of the audit, oldest first; without `after` the newest ones")
            .query::<AuditQuery>()
            .answers::<Vec<AuditEntry>>(),
        Operation::get(Scope::Read, "/audit/verify", verify_audit)
            .says("Go through the whole chain and name the first entry that does not fit")
            .answers::<AuditVerdict>(),
    ]
}

/// Which part of the audit.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// Only entries with a larger number.
    after: Option<u64>,
    /// So many.
    limit: Option<u32>,
}

async fn list_audit(registrar: Data, query: web::Query<AuditQuery>) -> Answer {
    let limit = query.limit.unwrap_or(100).min(PAGE);
    ok(registrar.audit(query.after, limit).await?)
}

async fn verify_audit(registrar: Data) -> Answer {
    ok(registrar.verify_audit().await?)
}
