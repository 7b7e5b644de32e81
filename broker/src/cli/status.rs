//! `status`: the broker at a glance.

use std::fmt::Write as _;

use clap::Args;
use scorpiox_wire::admin::Status;

use super::credential_text;
use super::desk::{Desk, Errand};
use super::failure::Failure;
use super::text::{Table, Tone, printable};
use super::wording::Wording;

/// Show how the broker and its logins are, and what to do about it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker status --data /var/lib/scorpiox-broker")]
pub(super) struct StatusArguments {}

impl Errand for StatusArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        let status = desk.broker.status().await?;
        desk.answer(&status, text)
    }
}

/// The status in words.
pub(super) fn text(status: &Status, wording: &Wording) -> String {
    let mut table = Table::new();
    let able = |able: bool| if able { (Tone::Good, "yes".to_owned()) } else { (Tone::Bad, "no".to_owned()) };
    table.row([(Tone::Plain, "serving".to_owned()), able(status.serving)]);
    table.row([(Tone::Plain, "renewing".to_owned()), able(status.renewing)]);
    table.fact("version", &status.version);
    table.fact("started", wording.moment(status.started_at));
    table.fact("data", &status.data);
    table.fact("clients use", &status.url);
    table.fact("clients", status.clients.to_string());
    if let Some(end) = status.certificate_ends_at {
        table.fact("certificate", format!("ends {}", wording.moment(end)));
    }
    let mut text = wording.render(&table);
    for degraded in &status.degraded {
        let what = wording.tone(Tone::Attention, &degraded.what);
        let next = wording.next(degraded.next.as_deref());
        let _ = writeln!(text, "\n{what}: {}{next}", printable(&degraded.reason));
    }
    text.push('\n');
    if status.credentials.is_empty() {
        let _ = write!(text, "no login yet{}", wording.next(Some("scorpiox-broker login")));
    } else {
        text.push_str(&credential_text::list(&status.credentials, wording));
    }
    text
}
