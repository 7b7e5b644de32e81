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

    /// Delivers within [`LIMIT`]; the error is for people.
    pub async fn deliver(&self, notice: &Notice, timeline: &Timeline) -> Result<(), String> {
        match self {
            Self::Webhook(webhook) => tokio::select! {
                outcome = webhook.deliver(notice, timeline.now()) => outcome,
                () = timeline.sleep(LIMIT) => Err(format!("{} took longer than {} s", self.who(), LIMIT.as_secs())),
            },
            Self::Program(program) => {
                let (program, notice) = (program.clone(), notice.clone());
                let run = tokio::task::spawn_blocking(move || program.deliver(&notice, LIMIT));
                run.await.unwrap_or_else(|_| Err("the delivery stopped by a bug".to_owned()))
            }
        }
    }
}
