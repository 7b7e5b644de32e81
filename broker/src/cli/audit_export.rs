//! `audit export`: entries as JSON lines, page by page.

use clap::Args;
use scorpiox_wire::admin::AuditEntry;

use super::desk::Desk;
use super::failure::Failure;
use super::typed_time::{self, TypedTime};
use crate::clock::Timestamp;

const PAGE: u32 = 1_000;

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// Only entries from then on: 2027-01-31, 2027-01-31T18:00:00Z, or 90d for the last 90 days
    #[arg(long, value_name = "WHEN", value_parser = typed_time::parse)]
    from: Option<TypedTime>,
    /// Only entries from before then
    #[arg(long, value_name = "WHEN", value_parser = typed_time::parse)]
    to: Option<TypedTime>,
    /// Only entries of this actor, such as client:laptop-anna; with * at its end of all that begin so
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// Only entries about this action, such as token.first; with * at its end of all that begin so
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
}

/// What is wanted.
struct Filter {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    actor: Option<String>,
    action: Option<String>,
}

impl ExportArguments {
    pub(super) async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        let now = desk.now();
        let moment = |typed: Option<TypedTime>| typed.map(|typed| typed.before(now));
        let filter = Filter { from: moment(self.from), to: moment(self.to), actor: self.actor, action: self.action };
        let mut after = 0;
        loop {
            let page = desk.broker.audit(Some(after), PAGE).await?;
            for entry in page.items.iter().filter(|entry| filter.takes(entry)) {
                desk.screen.json(entry)?;
            }
            let Some(last) = page.items.last().filter(|_| page.next.is_some()) else { return Ok(()) };
            after = last.seq;
        }
    }
}

impl Filter {
    fn takes(&self, entry: &AuditEntry) -> bool {
        let at = Timestamp::from_unix(entry.at);
        self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at < to)
            && matches(self.actor.as_deref(), &entry.actor)
            && matches(self.action.as_deref(), &entry.action)
    }
}

fn matches(wanted: Option<&str>, text: &str) -> bool {
    match wanted {
        None => true,
        Some(wanted) => wanted.strip_suffix('*').map_or(wanted == text, |beginning| text.starts_with(beginning)),
    }
}
