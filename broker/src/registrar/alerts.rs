//! Telling people: trying it.

use std::sync::Arc;

use scorpiox_wire::admin::{AlertDelivery, AlertTest};
use scorpiox_wire::{Code, Problem};

use super::{Administrator, Registrar};
use crate::alerts::Outbox;

impl Registrar {
    /// Whom alerts go to.
    pub fn tell(&self, outbox: Arc<Outbox>) {
        // Set once, at the start.
        let _ = self.outbox.set(outbox);
    }

    /// Tells everybody who is configured that this is a test.
    pub async fn test_alerts(&self, by: &Administrator) -> Result<AlertTest, Problem> {
        let nobody = || {
            Problem::new(Code::Conflict, "nobody is told anything: no alert is configured")
                .with_hint("set alerts.webhook_url or alerts.command, and restart the broker")
        };
        let outbox = self.outbox.get().filter(|outbox| !outbox.sinks().is_empty()).ok_or_else(nobody)?;
        let outcomes = outbox.test().await.into_iter().map(|(sink, outcome)| AlertDelivery {
            sink: sink.name().to_owned(),
            to: sink.who(),
            delivered: outcome.is_ok(),
            problem: outcome.err(),
        });
        let sinks: Vec<_> = outcomes.collect();
        let failed = sinks.iter().filter(|delivery| !delivery.delivered).count();
        let detail = format!("{} told, {failed} not reached", sinks.len() - failed);
        self.note(by, "alert.test", "broker", "ok", &detail).await;
        Ok(AlertTest { sinks })
    }
}
