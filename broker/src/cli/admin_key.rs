//! `admin key`: keys with which programs administer.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;
use scorpiox_wire::admin::{AdminKeyIssued, AdminKeyRequest, AdminKeyView, Scope};
use serde_json::json;

use super::admin::spoken;
use super::desk::{Desk, Errand};
use super::failure::Failure;
use super::issued::Destination;
use super::screen::Form;
use super::text::{Table, Tone, printable, quoted};
use super::wording::Wording;
use crate::config;
use crate::domain::credential::Name;

#[derive(Debug, Subcommand)]
pub(super) enum KeyVerb {
    /// Make an admin key and print it, once
    #[command(after_help = "Examples:\n  scorpiox-broker admin key add ci --scope clients --expires 90d\n  \
        scorpiox-broker admin key add nightly --scope read --key-file nightly.key")]
    Add {
        /// Name of the new key
        #[arg(value_parser = Name::parse)]
        name: Name,
        /// What it may do: read, clients, credentials, everything; several with commas
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', required = true)]
        scopes: Vec<Scope>,
        /// After how long it ends by itself, such as 90d or 12h; without it, it does not
        #[arg(long, value_name = "SPAN", value_parser = span)]
        expires: Option<Duration>,
        /// Write the key into this new file (0600) instead of showing it
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
    /// List the admin keys
    #[command(after_help = "Example:\n  scorpiox-broker admin key list")]
    List,
    /// End an admin key
    #[command(after_help = "Example:\n  scorpiox-broker admin key revoke nightly")]
    Revoke {
        /// Name of the key
        #[arg(value_parser = Name::parse)]
        name: Name,
    },
}

fn span(text: &str) -> Result<Duration, String> {
    config::span(text).ok_or_else(|| "write a whole number and its unit, such as 90d or 12h".to_owned())
}

impl Errand for KeyVerb {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        match self {
            Self::Add { name, scopes, expires, key_file } => {
                let expires_in = expires.map(|span| span.as_secs());
                let request = AdminKeyRequest { name: name.to_string(), scopes, expires_in };
                let destination = Destination::prepare(key_file)?;
                let issued = desk.broker.add_admin_key(&request).await?;
                hand_over(desk, destination, &issued)
            }
            Self::List => list(desk).await,
            Self::Revoke { name } => {
                let view = desk.broker.revoke_admin_key(&name).await?;
                desk.answer(&view, |view, _| format!("the admin key {} has ended", view.name))
            }
        }
    }
}

fn hand_over(desk: &mut Desk, destination: Destination, issued: &AdminKeyIssued) -> Result<(), Failure> {
    let name = &issued.admin_key.name;
    let undo = format!("scorpiox-broker admin key revoke {name}, and make another one");
    let file = destination.keep(name, issued.key.expose(), undo)?;
    if desk.screen.form() == Form::Json {
        let AdminKeyIssued { admin_key, key: _, url, pin } = issued;
        return match file {
            None => desk.screen.json(issued),
            Some(file) => {
                desk.screen.json(&json!({ "admin_key": admin_key, "key_file": file, "url": url, "pin": pin }))
            }
        };
    }
    let may = spoken(&issued.admin_key.scopes);
    let wording = desk.screen.wording(desk.now());
    let end = issued.admin_key.expires_at.map_or_else(String::new, |at| format!(" until {}", wording.date(at)));
    let place = file.as_ref().map_or_else(|| "FILE".to_owned(), |file| quoted(file));
    let shown = if file.is_some() { "" } else { "; its key is shown this once, keep it in a file of mode 0600" };
    desk.screen.say(&format!("{name} may administer{end}: {may}{shown}{}", way_in(issued, &place)));
    match file {
        None => desk.screen.answer(issued.key.expose()),
        Some(file) => desk.screen.answer(&file.display().to_string()),
    }
}

fn way_in(issued: &AdminKeyIssued, file: &str) -> String {
    from_elsewhere(issued.url.as_deref(), issued.pin.as_deref(), &format!("--admin-key-file {file}"))
}

/// How the administration is reached from another machine, by whoever is named with `who`.
pub(super) fn from_elsewhere(url: Option<&str>, pin: Option<&str>, who: &str) -> String {
    let Some(url) = url else {
        return "\n  the administration is not served over the network: set [admin] listen".to_owned();
    };
    let pin = pin.map(|pin| format!(" --pin {pin}")).unwrap_or_default();
    let command = format!("scorpiox-broker --broker {url} {who}{pin} status");
    format!("\n  from another machine: {}", printable(&command))
}

async fn list(desk: &mut Desk) -> Result<(), Failure> {
    let views = desk.broker.admin_keys().await?;
    if views.is_empty() && desk.screen.form() == Form::Human {
        desk.nothing_yet("there is no admin key yet", "scorpiox-broker admin key add NAME --scope read");
        return Ok(());
    }
    desk.answer(&views, |views, wording| table(views, wording))
}

fn table(views: &[AdminKeyView], wording: &Wording) -> String {
    let mut table = Table::headed(&["NAME", "KEY", "MAY", "MADE", "ENDS"]);
    for view in views {
        let has_ended = view.expires_at.is_some_and(|at| at <= wording.now.as_unix());
        let end = view.expires_at.map_or_else(|| "never".to_owned(), |at| wording.moment(at));
        let plain = |text: String| (Tone::Plain, text);
        table.row([
            plain(view.name.clone()),
            plain(view.key_id.clone()),
            plain(spoken(&view.scopes)),
            plain(wording.moment(view.created_at)),
            (if has_ended { Tone::Bad } else { Tone::Plain }, end),
        ]);
    }
    wording.render(&table)
}
