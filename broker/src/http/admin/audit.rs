//! What was done, by whom.

use actix_web::web;
use scorpiox_wire::Code;
use scorpiox_wire::admin::{AuditEntry, AuditVerdict, PruneAnswer, PruneRequest};
use serde::Deserialize;
use utoipa::IntoParams;

use super::json::Json;
use super::paging::{limited, strange_cursor};
use super::{Answer, Data, Operation, ok};
use crate::clock::Timestamp;
use crate::domain::scope::Scope;
use crate::registrar::Administrator;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(Scope::Read, "/audit", list_audit)
            .says("Entries of the audit, oldest first; without `after` the newest ones")
            .query::<AuditQuery>()
            .pages::<AuditEntry>(),
        Operation::get(Scope::Read, "/audit/verify", verify_audit)
            .says("Go through the whole chain and name the first entry that does not fit")
            .answers::<AuditVerdict>(),
        Operation::post(Scope::Everything, "/audit/prune", prune_audit)
            .says("Remove old entries, once each is proved; a sealed checkpoint stands for them")
            .takes::<PruneRequest>()
            .answers::<PruneAnswer>()
            .refuses(&[Code::Conflict]),
        Operation::post(Scope::Everything, "/audit/begin-anchors", begin_anchors)
            .says("Put the anchor file aside: the next anchor begins a new one")
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

async fn prune_audit(by: Administrator, registrar: Data, body: Json<PruneRequest>) -> Answer {
    let removed = registrar.prune_audit(&by, Timestamp::from_unix(body.before)).await?;
    ok(PruneAnswer { removed })
}

async fn begin_anchors(by: Administrator, registrar: Data) -> Answer {
    registrar.begin_anchors(&by).await?;
    ok(registrar.verify_audit().await?)
}
