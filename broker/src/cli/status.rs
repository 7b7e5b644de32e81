//! `status`: the broker at a glance.

use std::fmt::Write as _;

use clap::Args;
use scorpiox_wire::admin::Status;

use super::credential_text;
use super::desk::{Desk, Errand};
use super::failure::Failure;
use super::text::{Paint, Table, Tone, moment, printable};
use crate::clock::Timestamp;

/// Show how the broker and its logins are, and what to do about it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker status --data /var/lib/scorpiox-broker")]
pub(super) struct StatusArguments {}

impl Errand for StatusArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        let status = desk.broker.status().await?;
        let now = desk.now();
        desk.screen.either(&status, |status, paint| text(status, now, paint))
    }
}

/// The status in words.
pub(super) fn text(status: &Status, now: Timestamp, paint: Paint) -> String {
    let mut table = Table::new();
    let able = |able: bool| if able { (Tone::Good, "yes".to_owned()) } else { (Tone::Bad, "no".to_owned()) };
    table.row([(Tone::Plain, "serving".to_owned()), able(status.serving)]);
    table.row([(Tone::Plain, "renewing".to_owned()), able(status.renewing)]);
    table.fact("version", &status.version);
    table.fact("started", moment(status.started_at, now));
    table.fact("data", &status.data);
    table.fact("clients use", &status.url);
    table.fact("clients", status.clients.to_string());
    if let Some(end) = status.certificate_ends_at {
        table.fact("certificate", format!("ends {}", moment(end, now)));
    }
    let mut text = table.render(paint);
    for degraded in &status.degraded {
        let what = paint.tone(Tone::Attention, &printable(&degraded.what));
        let _ = write!(text, "\n{what}: {}", printable(&degraded.reason));
        if let Some(next) = &degraded.next {
            let _ = write!(text, "\n  next: {}", printable(next));
        }
        text.push('\n');
    }
    text.push('\n');
    if status.credentials.is_empty() {
        text.push_str("no login yet\n  next: scorpiox-broker login");
    } else {
        text.push_str(&credential_text::list(&status.credentials, now, paint));
    }
    text
}
