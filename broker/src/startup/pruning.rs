//! Lets go of old entries of the audit, once a day, beside everything else.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::error;

use super::running::HOUSEKEEPING;
use crate::registrar::{Administrator, Registrar};
use crate::timeline::Timeline;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long entries stay, and when the next look is due.
pub(super) struct Pruning {
    keep: Duration,
    wait: Duration,
    /// The first look at an audit of years takes minutes, in which signals must be heard.
    under_way: Option<JoinHandle<()>>,
}

impl Pruning {
    /// Entries older than `keep` go; zero: none does.
    pub(super) fn of(keep: Duration) -> Self {
        Self { keep, wait: Duration::ZERO, under_way: None }
    }

    /// A round of housekeeping. The first look is soon after the time is confirmed: what a machine that booted with a wrong
    /// date takes for old would be gone for good.
    pub(super) fn tick(&mut self, registrar: &Arc<Registrar>, timeline: &Timeline) {
        if self.keep.is_zero() || self.under_way.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        if !self.wait.is_zero() {
            self.wait = self.wait.saturating_sub(HOUSEKEEPING);
            return;
        }
        let Some(now) = timeline.confirmed_now() else { return };
        self.wait = DAY;
        let (registrar, before) = (Arc::clone(registrar), now - self.keep);
        self.under_way = Some(tokio::spawn(async move {
            if let Err(problem) = registrar.prune_audit(&Administrator::broker(), before).await {
                error!(%problem, "old entries of the audit were not removed");
            }
        }));
    }
}
