//! `client`: the machines, people and CI jobs that may fetch tokens.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use scorpiox_wire::admin::{ClientRequest, ClientRevoked, ClientView, RevokeRequest};

use super::desk::{Desk, Errand};
use super::failure::{Exit, Failure};
use super::issued;
use super::screen::Form;
use super::text::{Table, Tone};
use super::wording::Wording;
use crate::domain::credential::Name;

/// Let machines, people and CI jobs fetch tokens
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker client add laptop-anna --credential main")]
pub(super) struct ClientArguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Create a client and print, once, what its scorpiox-env.txt needs
    #[command(after_help = "Examples:\n  scorpiox-broker client add laptop-anna --credential main\n  \
        scorpiox-broker client add ci --credential main --key-file ci.key")]
    Add {
        /// Name of the new client
        #[arg(value_parser = Name::parse)]
        name: Name,
        /// Name of the credential whose token it may fetch
        #[arg(long, value_name = "NAME", value_parser = Name::parse)]
        credential: Name,
        #[command(flatten)]
        output: KeyOutput,
    },
    /// List the clients and what they hold
    #[command(after_help = "Example:\n  scorpiox-broker client list")]
    List,
    /// Give a client another key; the old one ends at once
    #[command(after_help = "Example:\n  scorpiox-broker client rotate-key laptop-anna")]
    RotateKey {
        /// Name of the client
        #[arg(value_parser = Name::parse)]
        name: Name,
        #[command(flatten)]
        output: KeyOutput,
    },
    /// End a client's access
    ///
    /// The token that it holds works until it ends or the credential is renewed; the command says until when.
    #[command(after_help = "Example:\n  scorpiox-broker client revoke laptop-anna --rotate")]
    Revoke {
        /// Name of the client
        #[arg(value_parser = Name::parse)]
        name: Name,
        /// Renew its credential at once, so that the token it holds ends soon
        #[arg(long)]
        rotate: bool,
    },
}

#[derive(Debug, Args)]
struct KeyOutput {
    /// Write the key into this new file (0600) instead of showing it
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl Errand for ClientArguments {
    async fn run(self, desk: &mut Desk) -> Result<(), Failure> {
        match self.verb {
            Verb::Add { name, credential, output } => {
                let request = ClientRequest { name: name.to_string(), credential: credential.to_string() };
                let destination = issued::Destination::prepare(output.key_file)?;
                let issued = desk.broker.add_client(&request).await;
                issued::hand_over(desk, destination, issued?)
            }
            Verb::List => list(desk).await,
            Verb::RotateKey { name, output } => {
                let destination = issued::Destination::prepare(output.key_file)?;
                let issued = desk.broker.rotate_key(&name).await;
                issued::hand_over(desk, destination, issued?)
            }
            Verb::Revoke { name, rotate } => revoke(desk, &name, rotate).await,
        }
    }
}

async fn list(desk: &mut Desk) -> Result<(), Failure> {
    let views = desk.broker.clients().await?;
    if views.is_empty() && desk.screen.form() == Form::Human {
        desk.nothing_yet("there is no client yet", "scorpiox-broker client add NAME --credential NAME");
        return Ok(());
    }
    desk.answer(&views, |views, wording| table(views, wording))
}

fn table(views: &[ClientView], wording: &Wording) -> String {
    let mut table = Table::headed(&["NAME", "KEY", "CREDENTIAL", "STATE", "LAST TOKEN", "HOLDS A TOKEN UNTIL"]);
    for view in views {
        let state = match view.revoked_at {
            None => (Tone::Good, "good".to_owned()),
            Some(at) => (Tone::Bad, format!("revoked {}", wording.moment(at))),
        };
        let plain = |text: String| (Tone::Plain, text);
        let last = view.last_seen_at.map_or_else(|| "never".to_owned(), |at| wording.moment(at));
        let holds = view.holds_until.filter(|until| *until > wording.now.as_unix());
        let holds = holds.map_or_else(|| "holds none".to_owned(), |until| wording.moment(until));
        table.row([
            plain(view.name.clone()),
            plain(view.key_id.clone()),
            plain(view.credential.clone()),
            state,
            plain(last),
            plain(holds),
        ]);
    }
    wording.render(&table)
}

async fn revoke(desk: &mut Desk, name: &Name, rotate: bool) -> Result<(), Failure> {
    let answer = desk.broker.revoke(name, RevokeRequest { rotate }).await?;
    desk.answer(&answer, |answer, wording| revoked(answer, rotate, wording))?;
    if rotate && !answer.rotated {
        let credential = &answer.client.credential;
        return Err(Failure::new(
            Exit::Failed,
            format!("{name} is revoked, but {credential} could not be renewed now"),
        )
        .next(format!("scorpiox-broker credential show {credential}")));
    }
    Ok(())
}

fn revoked(answer: &ClientRevoked, rotate: bool, wording: &Wording) -> String {
    let client = &answer.client;
    let name = &client.name;
    let holds = client.holds_until.filter(|until| *until > wording.now.as_unix());
    match holds {
        None => format!("{name} is revoked and holds no token"),
        Some(_) if answer.rotated => {
            format!("{name} is revoked; {} was renewed, so the token that it holds ends soon", client.credential)
        }
        Some(until) => {
            let sooner = if rotate {
                String::new()
            } else {
                let refresh = format!("scorpiox-broker credential refresh {}", client.credential);
                format!("\n  to end it sooner: {}", wording.command(&refresh))
            };
            format!("{name} is revoked; the token that it holds works until it ends, {}{sooner}", wording.moment(until))
        }
    }
}
