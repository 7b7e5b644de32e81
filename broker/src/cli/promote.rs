//! `promote`: declare the database as it is to be the newest.

use clap::Args;

use super::credential::confirm;
use super::desk::{Desk, Errand};
use super::failure::Failure;
use super::status;

/// End a fence: declare that this database is the newest one
///
/// A broker whose high-water mark is missing still serves but renews nothing, because its database may be an old copy whose
/// refresh tokens have been redeemed since; presenting one of those ends the login. Promote it only when no newer copy
/// of this data exists and no other broker runs with one.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker promote --yes")]
pub(super) struct PromoteArguments {
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Errand for PromoteArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        if !self.yes {
            let question = "Is this the newest copy of the data, and does no other broker run with a copy of it? An \
                            older copy that renews ends its logins.";
            confirm(desk, question)?;
        }
        let status = desk.broker.promote().await?;
        desk.answer(&status, status::text)
    }
}
