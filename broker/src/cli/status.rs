//! `status`: the broker at a glance.

use std::fmt::Write as _;

use clap::Args;
use scorpiox_wire::admin::{HealthCounts, Status};

use super::credential_text;
use super::desk::{Desk, Errand};
use super::failure::Failure;
use super::text::{Table, Tone, printable};
use super::wording::Wording;
use crate::domain::words::counted;

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
    if let Some(end) = status.admin_certificate_ends_at {
        table.fact("administration's certificate", format!("ends {}", wording.moment(end)));
    }
    let mut text = wording.render(&table);
    for degraded in &status.degraded {
        let what = wording.tone(Tone::Attention, &degraded.what);
        let next = wording.next(degraded.next.as_deref());
        let _ = writeln!(text, "\n{what}: {}{next}", printable(&degraded.reason));
    }
    text.push('\n');
    let total = status.health.total();
    if total > status.credentials.len() as u64 {
        let _ = write!(text, "{}", counts(&status.health));
        if !status.credentials.is_empty() {
            text.push_str("\n\n");
            text.push_str(&credential_text::list(&status.credentials, wording));
        }
    } else if status.credentials.is_empty() {
        let _ = write!(text, "no login yet{}", wording.next(Some("scorpiox-broker login")));
    } else {
        text.push_str(&credential_text::list(&status.credentials, wording));
    }
    text
}

/// Too many to be listed: how many are how; the list that follows has those that are not well.
fn counts(health: &HealthCounts) -> String {
    let HealthCounts { good, backing_off, in_doubt, reauth, quarantine, paused } = *health;
    let by_health = [
        (good, "good"),
        (backing_off, "backing off"),
        (in_doubt, "in doubt"),
        (reauth, "ended"),
        (quarantine, "set aside"),
        (paused, "paused"),
    ];
    let found = by_health.iter().filter(|(count, _)| *count > 0);
    let found: Vec<_> = found.map(|(count, how)| format!("{count} {how}")).collect();
    format!("{}: {}", counted(health.total(), "login", "logins"), found.join(", "))
}
