//! `admin`: who may administer over the network.

use clap::{Args, Subcommand};
use scorpiox_wire::admin::{AdministratorRequest, AdministratorView, PasswordRequest, Scope, ScopesRequest};

use super::admin_key::{KeyVerb, from_elsewhere};
use super::desk::{Desk, Errand};
use super::failure::Failure;
use super::password::PasswordSource;
use super::screen::Form;
use super::text::{Table, Tone};
use super::wording::Wording;
use crate::domain::credential::Name;

/// Let people and programs administer over the network
///
/// On the broker's own machine whoever may open its socket administers without a password. Over the network, which
/// [admin] listen switches on, people log in with a password and programs have an admin key.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scorpiox-broker admin add anna\n  \
    scorpiox-broker admin key add nightly --scope read --key-file nightly.key")]
pub(super) struct AdminArguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an administrator; the password is asked twice on the terminal
    #[command(after_help = "Examples:\n  scorpiox-broker admin add anna\n  \
        scorpiox-broker admin add bert --scope read,clients --password-file password")]
    Add {
        /// Name of the new administrator
        #[arg(value_parser = Name::parse)]
        name: Name,
        #[command(flatten)]
        scopes: AccountScopes,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// List the administrators
    #[command(after_help = "Example:\n  scorpiox-broker admin list")]
    List,
    /// Remove an administrator; its sessions end at once
    #[command(after_help = "Example:\n  scorpiox-broker admin remove anna")]
    Remove {
        /// Name of the administrator
        #[arg(value_parser = Name::parse)]
        name: Name,
    },
    /// Give an administrator another password; its sessions end at once
    #[command(after_help = "Example:\n  scorpiox-broker admin password anna")]
    Password {
        /// Name of the administrator
        #[arg(value_parser = Name::parse)]
        name: Name,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Change what an administrator may do, from its very next request
    #[command(after_help = "Example:\n  scorpiox-broker admin scope anna read,clients")]
    Scope {
        /// Name of the administrator
        #[arg(value_parser = Name::parse)]
        name: Name,
        /// What it may do from now on: read, clients, credentials, everything; several with commas
        #[arg(value_name = "SCOPE", value_delimiter = ',', required = true)]
        scopes: Vec<Scope>,
    },
    /// End all sessions of an administrator; the password stays
    #[command(after_help = "Example:\n  scorpiox-broker admin revoke-sessions anna")]
    RevokeSessions {
        /// Name of the administrator
        #[arg(value_parser = Name::parse)]
        name: Name,
    },
    /// Keys with which programs administer
    #[command(
        after_help = "Example:\n  scorpiox-broker admin key add nightly --scope read --expires 90d --key-file nightly.key"
    )]
    Key {
        #[command(subcommand)]
        verb: KeyVerb,
    },
}

#[derive(Debug, Args)]
struct AccountScopes {
    /// What it may do: read, clients, credentials, everything; several with commas
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',', default_value = "everything")]
    scopes: Vec<Scope>,
}

impl Errand for AdminArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        match self.verb {
            Verb::Add { name, scopes, password } => {
                let password = password.new_password(&mut desk.screen)?.secret().clone();
                let request = AdministratorRequest { name: name.to_string(), scopes: scopes.scopes, password };
                let added = desk.broker.add_administrator(&request).await?;
                desk.answer(&added, |added, _| {
                    let AdministratorView { name, scopes, .. } = &added.administrator;
                    let who = format!("--admin {name}");
                    let way_in = from_elsewhere(added.url.as_deref(), added.pin.as_deref(), &who);
                    format!("{name} may administer over the network: {}{way_in}", spoken(scopes))
                })
            }
            Verb::List => list(desk).await,
            Verb::Remove { name } => {
                let view = desk.broker.remove_administrator(&name).await?;
                desk.answer(&view, |view, _| format!("{} is removed; its sessions have ended", view.name))
            }
            Verb::Password { name, password } => {
                let password = password.new_password(&mut desk.screen)?.secret().clone();
                let view = desk.broker.set_password(&name, &PasswordRequest { password }).await?;
                desk.answer(&view, |view, _| format!("{} has another password; its sessions have ended", view.name))
            }
            Verb::Scope { name, scopes } => {
                let view = desk.broker.set_scopes(&name, &ScopesRequest { scopes }).await?;
                desk.answer(&view, |view, _| format!("{} may from now on: {}", view.name, spoken(&view.scopes)))
            }
            Verb::RevokeSessions { name } => {
                let view = desk.broker.revoke_sessions(&name).await?;
                desk.answer(&view, |view, _| format!("the sessions of {} have ended", view.name))
            }
            Verb::Key { verb } => verb.run(desk).await,
        }
    }
}

/// `read, clients`.
pub(super) fn spoken(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
}

async fn list(desk: &mut Desk) -> Result<(), Failure> {
    let views = desk.broker.administrators().await?;
    if views.is_empty() && desk.screen.form() == Form::Human {
        desk.nothing_yet("there is no administrator yet", "scorpiox-broker admin add NAME");
        return Ok(());
    }
    desk.answer(&views, |views, wording| table(views, wording))
}

fn table(views: &[AdministratorView], wording: &Wording) -> String {
    let mut table = Table::headed(&["NAME", "MAY", "MADE", "PASSWORD SET"]);
    for view in views {
        let cells = [
            view.name.clone(),
            spoken(&view.scopes),
            wording.moment(view.created_at),
            wording.moment(view.password_set_at),
        ];
        table.row(cells.map(|cell| (Tone::Plain, cell)));
    }
    wording.render(&table)
}
