//! The broker as a whole: how it is, its alerts, its backups, its master key, which copy of it is the newest.

use std::io;

use http_body_util::{BodyExt, Limited};
use hyper::Method;
use scorpiox_wire::admin::{AlertTest, BackupRequest, PromoteRequest, PromotionView, RekeyRequest, RekeyView, Status};

use super::{AdminClient, AdminError, LARGEST_ANSWER, PATIENCE};
use crate::http::admin::custody::SUM;

impl AdminClient {
    /// The broker at a glance.
    pub async fn status(&self) -> Result<Status, AdminError> {
        self.get("status").await
    }

    /// Tells everybody who is told of alerts that this is a test.
    pub async fn test_alerts(&self) -> Result<AlertTest, AdminError> {
        self.call(Method::POST, "alerts/test", None).await
    }

    /// Declares the database as it is to be the newest.
    pub async fn promote(&self, request: PromoteRequest) -> Result<Status, AdminError> {
        self.post("promote", &request).await
    }

    /// What a promotion would do.
    pub async fn promotion(&self) -> Result<PromotionView, AdminError> {
        self.get("promote").await
    }

    /// Makes a backup and writes it to `out`; its SHA-256 as the broker says it.
    pub async fn backup(&self, request: &BackupRequest, out: &mut impl io::Write) -> Result<String, AdminError> {
        let lost = |error: &dyn std::fmt::Display| AdminError::Lost(error.to_string());
        let body = serde_json::to_vec(request).expect("a body of the contract can be written as JSON");
        let asked = tokio::time::timeout(PATIENCE, self.ask(Method::POST, "backup", Some(body), None));
        let answer = asked.await.map_err(|_| AdminError::Silent)??;
        let status = answer.status();
        let sum = answer.headers().get(SUM).and_then(|sum| sum.to_str().ok()).map(str::to_owned);
        let mut body = answer.into_body();
        let Some(sum) = sum.filter(|_| status.is_success()) else {
            let told = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|error| lost(&error))?.to_bytes();
            let strange =
                || AdminError::Strange { status: status.as_u16(), why: "no backup and no problem".to_owned() };
            let problem = serde_json::from_slice(&told).map_err(|_| strange())?;
            return Err(AdminError::Refused { status: status.as_u16(), problem });
        };
        loop {
            let frame = tokio::time::timeout(PATIENCE, body.frame()).await.map_err(|_| AdminError::Silent)?;
            let Some(frame) = frame else { return Ok(sum) };
            if let Some(piece) = frame.map_err(|error| lost(&error))?.data_ref() {
                out.write_all(piece).map_err(|error| lost(&format!("the file cannot be written: {error}")))?;
            }
        }
    }

    /// Changes the master key.
    pub async fn rekey(&self, request: &RekeyRequest) -> Result<RekeyView, AdminError> {
        self.post("rekey", request).await
    }

    /// How a change of the master key stands.
    pub async fn rekeying(&self) -> Result<RekeyView, AdminError> {
        self.get("rekey").await
    }
}
