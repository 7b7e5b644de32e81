//! `audit`: who did what.

use std::time::Duration;

use clap::{Args, Subcommand};
use scorpiox_wire::admin::{AuditEntry, AuditVerdict, PruneRequest};

use super::audit_export::ExportArguments;
use super::desk::{Desk, Errand};
use super::failure::{Exit, Failure};
use super::screen::Form;
use super::text::{Tone, printable};
use super::typed_time::{self, TypedTime};
use super::wording::Wording;
use crate::domain::words::counted;

/// How many entries are asked for at once.
const PAGE: u32 = 500;
/// How often a follower looks for new entries.
const PACE: Duration = Duration::from_secs(1);

/// Show the audit: who fetched, changed or refused what
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scorpiox-broker audit -n 100\n  scorpiox-broker audit --follow --json\n  \
    scorpiox-broker audit verify\n  scorpiox-broker audit export --from 90d --action 'token.*'")]
pub(super) struct AuditArguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// How many of the newest entries
    #[arg(short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=500))]
    newest: u32,
    /// Go on with new entries as they come; with --json one line each
    #[arg(long, short)]
    follow: bool,
    /// The same as the command verify
    #[arg(long, conflicts_with_all = ["follow", "newest"])]
    verify: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check that no entry was changed, removed, inserted or moved
    ///
    /// Holds the whole chain against the high-water mark, the anchor file and the checkpoint of removed entries. Ends
    /// with 1 and names the first entry that is wrong.
    #[command(after_help = "Example:\n  scorpiox-broker audit verify")]
    Verify,
    /// Write entries to standard output, one line of JSON each, oldest first
    #[command(
        after_help = "Example:\n  scorpiox-broker audit export --from 2027-01-01 --to 2027-02-01 --actor 'admin:*'"
    )]
    Export(ExportArguments),
    /// Remove old entries; a sealed checkpoint stands for them, so that the rest can still be proved
    ///
    /// Nothing is removed when the audit is not whole. The newest entry always stays.
    #[command(after_help = "Example:\n  scorpiox-broker audit prune --before 365d")]
    Prune {
        /// Entries from before then: 2027-01-31, 2027-01-31T18:00:00Z, or 365d for what is older than 365 days
        #[arg(long, value_name = "WHEN", value_parser = typed_time::parse)]
        before: TypedTime,
    },
    /// Put an anchor file aside that was lost or does not fit any more, and begin a new one
    ///
    /// First find out what became of it: what it would prove cannot be proved any more. The audit keeps a line about it.
    #[command(after_help = "Example:\n  scorpiox-broker audit begin-anchors")]
    BeginAnchors,
}

impl Errand for AuditArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        match self.verb {
            Some(Verb::Export(export)) => return export.run(desk).await,
            Some(Verb::Prune { before }) => return prune(desk, before).await,
            Some(Verb::BeginAnchors) => {
                let verdict = desk.broker.begin_anchors().await?;
                return tell(desk, &verdict);
            }
            Some(Verb::Verify) => return verify(desk).await,
            None if self.verify => return verify(desk).await,
            None => {}
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

async fn prune(desk: &mut Desk, before: TypedTime) -> Result<(), Failure> {
    let before = before.before(desk.now()).as_unix();
    let answer = desk.broker.prune_audit(PruneRequest { before }).await?;
    desk.answer(&answer, |answer, wording| match answer.removed {
        0 => format!("no entry is from before {}", wording.moment(before)),
        removed => {
            let were = counted(removed, "entry was", "entries were");
            format!("{were} removed: from before {}", wording.moment(before))
        }
    })
}

async fn verify(desk: &mut Desk) -> Result<(), Failure> {
    let verdict = desk.broker.verify_audit().await?;
    tell(desk, &verdict)
}

fn tell(desk: &mut Desk, verdict: &AuditVerdict) -> Result<(), Failure> {
    desk.answer(verdict, |verdict, wording| match verdict.reason {
        None => wording.tone(Tone::Good, &whole(verdict)),
        Some(_) => wording.tone(Tone::Bad, &format!("broken: {}", fault(verdict))),
    })?;
    match verdict.reason {
        None => Ok(()),
        Some(_) => Err(Failure::new(Exit::Failed, format!("the audit is not whole: {}", fault(verdict)))
            .next("compare with a copy of the database from before, and find out who could write to it")),
    }
}

fn whole(verdict: &AuditVerdict) -> String {
    let mut text = format!("whole: {}, each fits the one before it", counted(verdict.entries, "entry", "entries"));
    if verdict.anchors > 0 {
        text.push_str(&format!("; {}", counted(verdict.anchors, "anchor", "anchors")));
    }
    if verdict.removed > 0 {
        let older = counted(verdict.removed, "older one was", "older ones were");
        text.push_str(&format!("; {older} removed by this broker"));
    }
    text
}

fn fault(verdict: &AuditVerdict) -> String {
    let reason = printable(verdict.reason.as_deref().unwrap_or("it does not fit the one before it"));
    let entry = verdict.first_bad.map_or_else(String::new, |seq| format!("entry {seq}: "));
    format!("{entry}{reason} ({} checked)", counted(verdict.entries, "entry", "entries"))
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
    let when = wording.date(entry.at);
    let [actor, action, object] = [&entry.actor, &entry.action, &entry.object].map(|text| printable(text));
    let mut line = format!("{:>6}  {when}  {actor:<24}  {action:<20}  {object:<20}  {outcome}", entry.seq);
    for more in [&entry.address, &entry.detail].into_iter().filter(|text| !text.is_empty()) {
        line.push_str("  ");
        line.push_str(&printable(more));
    }
    line
}
