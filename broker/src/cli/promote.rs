//! `promote`: declare the database as it is to be the newest.

use clap::Args;
use scorpiox_wire::admin::{LoginStanding, PromoteRequest, PromotionView, UnknownLogins};

use super::credential::confirm;
use super::desk::{Desk, Errand};
use super::failure::Failure;
use super::screen::Form;
use super::status;
use super::text::{Table, Tone};
use super::wording::Wording;
use crate::domain::words::counted;

/// End a fence: declare that this database is the newest one
///
/// A broker whose high-water mark is missing, or whose data came out of a backup, serves but renews nothing: its database
/// may be an old copy whose refresh tokens have been redeemed since, and presenting one of those ends the login.
/// Promote it only when no newer copy of this data exists and no other broker runs with one. What will become of each
/// login is said first; logins whose refresh token was used since are never presented again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scorpiox-broker promote --check\n  scorpiox-broker promote --yes\n  \
    scorpiox-broker promote --try-unknown            when the high-water mark is lost too")]
pub(super) struct PromoteArguments {
    /// Only say what would become of each login
    #[arg(long, conflicts_with_all = ["yes", "try_unknown"])]
    check: bool,
    /// Renew restored logins too of which nobody knows whether they were used since; one that was ends
    #[arg(long)]
    try_unknown: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Errand for PromoteArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        let prospect = desk.broker.promotion().await?;
        if self.check {
            return desk.answer(&prospect, text);
        }
        let wording = desk.screen.wording(desk.now());
        if prospect.fenced.is_none() {
            let status = desk.broker.status().await?;
            return desk.answer(&status, |_, wording| text(&prospect, wording));
        }
        if desk.screen.form() == Form::Human {
            desk.screen.say(&text(&prospect, &wording));
        }
        if !self.yes {
            let question = "Is this the newest copy of the data, and does no other broker run with a copy of it? An \
                            older copy that renews ends its logins.";
            confirm(desk, question)?;
        }
        let unknown = if self.try_unknown { UnknownLogins::Try } else { UnknownLogins::SetAside };
        let status = desk.broker.promote(PromoteRequest { unknown }).await?;
        desk.answer(&status, status::text)
    }
}

fn text(prospect: &PromotionView, wording: &Wording) -> String {
    let Some(fenced) = &prospect.fenced else {
        return "the broker is not fenced: there is nothing to promote".to_owned();
    };
    let mut text = format!("fenced: {fenced}\n");
    if prospect.restored_from.is_some() {
        text.push_str(
            "What was done since then is forgotten: clients that were revoked and logins that were paused are back.\n",
        );
    }
    let mut table = Table::headed(&["LOGIN", "STANDING", "AFTER THE PROMOTION"]);
    for login in &prospect.logins {
        let (standing, then) = words(login.standing, prospect.restored_from.is_some());
        let tone = if login.next.is_some() { Tone::Bad } else { Tone::Good };
        table.row([(Tone::Plain, login.name.clone()), (tone, standing.to_owned()), (Tone::Plain, then.to_owned())]);
    }
    text.push_str(&table.render(wording.paint));
    let people: Vec<_> = prospect.logins.iter().filter_map(|login| login.next.as_deref()).collect();
    text.push_str(&lost(prospect));
    match people.len() {
        0 => text.push_str("\nno login needs a person"),
        count => {
            text.push_str(&format!("\n{count} need a person:"));
            for next in people {
                text.push_str(&wording.next(Some(next)));
            }
        }
    }
    text
}

/// What was put in after the backup is in no table: the data has forgotten it, and the mark never knew its names.
fn lost(prospect: &PromotionView) -> String {
    match prospect.lost_logins.as_deref() {
        None => {
            "\nLogins that were put in after the backup are lost, and without the high-water mark nobody knows how \
                 many: log in again with each."
                .to_owned()
        }
        Some([]) => String::new(),
        Some(ids) => format!(
            "\n{} put in after the backup and lost: log in again (answers to clients name such a login by its id: {})",
            counted(ids.len(), "more login was", "more logins were"),
            ids.join(", ")
        ),
    }
}

fn words(standing: LoginStanding, restored: bool) -> (&'static str, &'static str) {
    match standing {
        LoginStanding::Safe if restored => ("safe", "renewed: its refresh token was not used since the backup"),
        LoginStanding::Safe => ("believed", "renewed, if this is the newest copy of the data"),
        LoginStanding::InDoubt => ("in doubt", "probed with care: a renewal was under way"),
        LoginStanding::Behind => ("behind", "not renewed: its refresh token was used since; served until it ends"),
        LoginStanding::Ended => ("ended", "not renewed, as before"),
        LoginStanding::Removed => ("removed since", "not renewed: remove it again, or log in"),
        LoginStanding::Unknown => ("unknown", "set aside, or renewed with --try-unknown"),
    }
}
