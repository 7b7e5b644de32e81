//! Whoever is told.

use std::time::Duration;

use super::Notice;
use super::program::Program;
use super::webhook::Webhook;
use crate::timeline::Timeline;

/// How long one delivery may take.
pub const LIMIT: Duration = Duration::from_secs(10);

/// Whoever is told.
pub enum Sink {
    /// A URL.
    Webhook(Box<Webhook>),
    /// A program.
    Program(Program),
}

/// Why a notice was not taken; for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// Nothing is said about this notice: it is tried again in its turn.
    #[error("{0}")]
    Failed(String),
    /// Whoever listens does not want this one.
    #[error("{0}")]
    Refused(String),
}

impl Sink {
    /// Its stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Program(_) => "command",
        }
    }

    /// Who it is, for people.
    pub fn who(&self) -> String {
        match self {
            Self::Webhook(webhook) => webhook.host(),
            Self::Program(program) => program.path(),
        }
    }

    /// Delivers within [`LIMIT`].
    pub async fn deliver(&self, notice: &Notice, timeline: &Timeline) -> Result<(), Undelivered> {
        match self {
            Self::Webhook(webhook) => tokio::select! {
                outcome = webhook.deliver(notice, timeline.now()) => outcome,
                () = timeline.sleep(LIMIT) => {
                    Err(Undelivered::Failed(format!("{} took longer than {} s", self.who(), LIMIT.as_secs())))
                }
            },
            Self::Program(program) => {
                let (program, notice) = (program.clone(), notice.clone());
                let run = tokio::task::spawn_blocking(move || program.deliver(&notice, LIMIT));
                let outcome = run.await.unwrap_or_else(|_| Err("the delivery stopped by a bug".to_owned()));
                outcome.map_err(Undelivered::Failed)
            }
        }
    }
}
