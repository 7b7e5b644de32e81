//! What was done, by whom.

use actix_web::web;
use scorpiox_wire::admin::{AuditEntry, AuditVerdict};
use serde::Deserialize;
use utoipa::IntoParams;

use super::paging::{limited, strange_cursor};
use super::{Answer, Data, Operation, ok};
use crate::domain::scope::Scope;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Scope::Read, "/audit", list_audit)
            .says("Entries of the audit, oldest first; without `after` the newest ones")
            .query::<AuditQuery>()
            .pages::<AuditEntry>(),
        Operation::get(Scope::Read, "/audit/verify", verify_audit)
            .says("Go through the whole chain and name the first entry that does not fit")
            .answers::<AuditVerdict>(),
    ]
}

/// Which part of the audit.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// Only entries with a larger number: the `next` of the page before, or 0 for the first.
    #[param(minimum = 0, maximum = 9223372036854775807i64)]
    after: Option<u64>,
    /// So many entries at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

async fn list_audit(registrar: Data, query: web::Query<AuditQuery>) -> Answer {
    if query.after.is_some_and(|seq| i64::try_from(seq).is_err()) {
        return Err(strange_cursor());
    }
    ok(registrar.audit(query.after, limited(query.limit)?).await?)
}

async fn verify_audit(registrar: Data) -> Answer {
    ok(registrar.verify_audit().await?)
}
