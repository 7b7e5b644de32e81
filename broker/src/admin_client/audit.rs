//! The audit: reading, checking and pruning it.

use hyper::Method;
use scorpiox_wire::admin::{AuditEntry, AuditVerdict, Page, PruneAnswer, PruneRequest};

use super::{AdminClient, AdminError};

impl AdminClient {
    /// Entries of the audit, oldest first, at most `limit`: those after `seq`, or the newest when it is absent.
    /// Only one page of them.
    pub async fn audit(&self, after: Option<u64>, limit: u32) -> Result<Page<AuditEntry>, AdminError> {
        let after = after.map(|seq| format!("after={seq}&")).unwrap_or_default();
        self.get(&format!("audit?{after}limit={limit}")).await
    }

    /// Removes old entries of the audit.
    pub async fn prune_audit(&self, request: PruneRequest) -> Result<PruneAnswer, AdminError> {
        self.post("audit/prune", &request).await
    }

    /// Begins the anchor file anew.
    pub async fn begin_anchors(&self) -> Result<AuditVerdict, AdminError> {
        self.call(Method::POST, "audit/begin-anchors", None).await
    }

    /// Checks the audit's chain.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, AdminError> {
        self.get("audit/verify").await
    }
}
