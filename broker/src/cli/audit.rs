//! `audit`: who did what.

use std::time::Duration;

use clap::Args;
use scorpiox_wire::admin::{AuditEntry, AuditVerdict};

use super::desk::{Desk, Errand};
use super::failure::{Exit, Failure};
use super::screen::Form;
use super::text::{Tone, printable};
use super::wording::Wording;
use crate::clock::Timestamp;

/// How many entries are asked for at once.
const PAGE: u32 = 500;
/// How often a follower looks for new entries.
const PACE: Duration = Duration::from_secs(1);

/// Show the audit: who fetched, changed or refused what
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scorpiox-broker audit -n 100\n  scorpiox-broker audit --follow --json\n  \
    scorpiox-broker audit --verify")]
pub(super) struct AuditArguments {
    /// How many of the newest entries
    #[arg(short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=500))]
    newest: u32,
    /// Go on with new entries as they come; with --json one line each
    #[arg(long, short)]
    follow: bool,
    /// Check that no entry was changed, removed or inserted
    #[arg(long, conflicts_with_all = ["follow", "newest"])]
    verify: bool,
}

impl Errand for AuditArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        if self.verify {
            return verify(desk).await;
        }
        let newest = newest(desk, self.newest).await?;
        if !self.follow {
            return desk.answer(&newest.shown, |entries, wording| lines(entries, wording));
        }
        print_each(desk, &newest.shown)?;
        let mut last = newest.last;
        loop {
            let page = desk.broker.audit(Some(last), PAGE).await?;
            print_each(desk, &page.items)?;
            last = page.items.last().map_or(last, |entry| entry.seq);
            if page.next.is_none() {
                desk.clock.sleep(PACE).await;
            }
        }
    }
}

struct Newest {
    shown: Vec<AuditEntry>,
    /// The newest entry there is, whether it is shown or not.
    last: u64,
}

async fn newest(desk: &Desk, count: u32) -> Result<Newest, Failure> {
    let mut shown = desk.broker.audit(None, count.max(1)).await?.items;
    let last = shown.last().map_or(0, |entry| entry.seq);
    if count == 0 {
        shown.clear();
    }
    Ok(Newest { shown, last })
}

async fn verify(desk: &mut Desk) -> Result<(), Failure> {
    let verdict = desk.broker.verify_audit().await?;
    desk.answer(&verdict, |verdict, wording| match verdict.first_bad {
        None => wording.tone(Tone::Good, &format!("whole: {} entries, each fits the one before it", verdict.entries)),
        Some(_) => wording.tone(Tone::Bad, &format!("broken: {}", fault(verdict))),
    })?;
    match verdict.first_bad {
        None => Ok(()),
        Some(_) => Err(Failure::new(Exit::Failed, format!("the audit is not whole: {}", fault(&verdict)))
            .next("compare with a copy of the database from before, and find out who could write to it")),
    }
}

fn fault(verdict: &AuditVerdict) -> String {
    let reason = verdict.reason.as_deref().unwrap_or("it does not fit the one before it");
    let seq = verdict.first_bad.unwrap_or_default();
    format!("entry {seq}: {} ({} entries checked)", printable(reason), verdict.entries)
}

fn print_each(desk: &mut Desk, entries: &[AuditEntry]) -> Result<(), Failure> {
    for entry in entries {
        match desk.screen.form() {
            Form::Json => desk.screen.json(entry)?,
            Form::Human => {
                let line = line(entry, &desk.screen.wording(desk.now()));
                desk.screen.answer(&line)?;
            }
        }
    }
    Ok(())
}

fn lines(entries: &[AuditEntry], wording: &Wording) -> String {
    entries.iter().map(|entry| line(entry, wording)).collect::<Vec<_>>().join("\n")
}

fn line(entry: &AuditEntry, wording: &Wording) -> String {
    let tone = if entry.outcome == "ok" { Tone::Plain } else { Tone::Attention };
    let outcome = wording.tone(tone, &entry.outcome);
    let when = Timestamp::from_unix(entry.at);
    let [actor, action, object] = [&entry.actor, &entry.action, &entry.object].map(|text| printable(text));
    let mut line = format!("{:>6}  {when}  {actor:<24}  {action:<20}  {object:<20}  {outcome}", entry.seq);
    for more in [&entry.address, &entry.detail].into_iter().filter(|text| !text.is_empty()) {
        line.push_str("  ");
        line.push_str(&printable(more));
    }
    line
}
