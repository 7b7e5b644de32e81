//! `client holders`: who still holds a token of a credential.

use scorpiox_wire::admin::Holder;

use super::desk::Desk;
use super::failure::Failure;
use super::screen::Form;
use super::text::{Table, Tone};
use super::wording::Wording;
use crate::domain::credential::Name;

pub(super) async fn list(desk: &mut Desk, credential: &Name) -> Result<(), Failure> {
    let holders = desk.broker.holders(credential).await?;
    if holders.is_empty() && desk.screen.form() == Form::Human {
        let sentence = format!("nobody holds a token of {credential} that has not ended");
        return desk.screen.answer(&sentence);
    }
    desk.answer(&holders, |holders, wording| table(holders, wording))
}

fn table(holders: &[Holder], wording: &Wording) -> String {
    let mut table = Table::headed(&["CLIENT", "STATE", "GENERATION", "TOKENS", "LAST TOKEN", "HOLDS A TOKEN UNTIL"]);
    for holder in holders {
        let state = match holder.revoked_at {
            None => (Tone::Good, "good".to_owned()),
            Some(at) => (Tone::Bad, format!("revoked {}", wording.moment(at))),
        };
        let plain = |text: String| (Tone::Plain, text);
        table.row([
            plain(holder.client.clone()),
            state,
            plain(holder.generation.to_string()),
            plain(holder.tokens.to_string()),
            plain(wording.moment(holder.last_seen_at)),
            plain(wording.moment(holder.until)),
        ]);
    }
    wording.render(&table)
}
