//! A credential in words.

use std::fmt::Write as _;

use scorpiox_wire::admin::{CredentialView, Health};

use super::text::{Table, Tone, printable};
use super::wording::Wording;
use crate::domain::words::counted;

/// The health as JSON writes it, so that a word seen here can be searched for there.
pub(super) fn health(health: Health) -> (Tone, &'static str) {
    match health {
        Health::Good => (Tone::Good, "good"),
        Health::BackingOff => (Tone::Attention, "backing_off"),
        Health::InDoubt => (Tone::Attention, "in_doubt"),
        Health::Reauth => (Tone::Bad, "reauth"),
        Health::Quarantine => (Tone::Bad, "quarantine"),
        Health::Paused => (Tone::Attention, "paused"),
    }
}

/// Whose login it is, as short as it can be said.
pub(super) fn account(view: &CredentialView) -> String {
    let whose = view.email.as_ref().unwrap_or(&view.account_id);
    view.plan_type.as_ref().map_or_else(|| whose.clone(), |plan| format!("{whose}, {plan}"))
}

/// `1 client`, `3 clients`.
pub(super) fn clients(count: u64) -> String {
    counted(count, "client", "clients")
}

/// All credentials in a table, and under it what is wrong with each that is not well.
pub(super) fn list(views: &[CredentialView], wording: &Wording) -> String {
    let headings = ["NAME", "HEALTH", "SERVED", "ACCOUNT", "GENERATION", "TOKEN ENDS", "RENEWAL", "CLIENTS"];
    let mut table = Table::headed(&headings);
    for view in views {
        let (tone, word) = health(view.health);
        let served = if view.serving { (Tone::Plain, "yes") } else { (Tone::Bad, "no") };
        let plain = |text: String| (Tone::Plain, text);
        table.row([
            plain(view.name.clone()),
            (tone, word.to_owned()),
            (served.0, served.1.to_owned()),
            plain(account(view)),
            plain(view.generation.to_string()),
            plain(wording.moment(view.expires_at)),
            plain(renewal(view, wording)),
            plain(view.clients.to_string()),
        ]);
    }
    let mut text = wording.render(&table);
    for view in views {
        if let Some(reason) = &view.reason {
            let next = wording.next(view.next.as_deref());
            let _ = write!(text, "\n{}: {}{next}", printable(&view.name), printable(reason));
        }
    }
    text
}

/// One credential with everything that is known of it.
pub(super) fn show(view: &CredentialView, wording: &Wording) -> String {
    let mut table = Table::new();
    let (tone, word) = health(view.health);
    table.fact("name", &view.name);
    table.row([(Tone::Plain, "health".to_owned()), (tone, word.to_owned())]);
    if let Some(reason) = &view.reason {
        table.fact("why", reason);
    }
    if let Some(next) = &view.next {
        table.fact("next", wording.command(next));
    }
    table.fact("served", if view.serving { "yes" } else { "no" });
    table.fact("login", format!("{} at {}", account(view), view.provider));
    table.fact("account id", &view.account_id);
    table.fact("token ends", wording.moment(view.expires_at));
    table.fact("obtained", wording.moment(view.rotated_at));
    table.fact("renewal", renewal(view, wording));
    table.fact("generation", view.generation.to_string());
    table.fact("epoch", view.epoch.to_string());
    table.fact("clients", view.clients.to_string());
    table.fact("id", &view.id);
    wording.render(&table)
}

fn renewal(view: &CredentialView, wording: &Wording) -> String {
    view.renew_at.map_or_else(|| "none planned".to_owned(), |at| wording.moment(at))
}
