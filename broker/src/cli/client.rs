//! `client`: the machines, people and CI jobs that may fetch tokens.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use scorpiox_wire::admin::{ClientLimits, ClientRequest, ClientRevoked, ClientView, RevokeRequest};

use super::approve::{self, ApproveArguments, DenyArguments};
use super::client_holders;
use super::client_limits::{self, TypedLimits};
use super::desk::{Desk, Errand};
use super::failure::{Exit, Failure};
use super::invite::{self, InviteArguments};
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
        scorpiox-broker client add ci --credential main --key-file ci.key --allow 10.0.0.0/8")]
    Add {
        /// Name of the new client
        #[arg(value_parser = Name::parse)]
        name: Name,
        /// Name of the credential whose token it may fetch
        #[arg(long, value_name = "NAME", value_parser = Name::parse)]
        credential: Name,
        #[command(flatten)]
        limits: TypedLimits,
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
    /// Let a client use another credential, in place of the one it has
    ///
    /// The token that it holds of that one goes on until it ends.
    #[command(after_help = "Example:\n  scorpiox-broker client grant laptop-anna team")]
    Grant {
        /// Name of the client
        #[arg(value_parser = Name::parse)]
        name: Name,
        /// Name of the credential
        #[arg(value_parser = Name::parse)]
        credential: Name,
    },
    /// Show one client: what it may use, its limits, what it holds
    #[command(after_help = "Example:\n  scorpiox-broker client show laptop-anna")]
    Show {
        /// Name of the client
        #[arg(value_parser = Name::parse)]
        name: Name,
    },
    /// List the clients that still hold a token of a credential, revoked ones too, and until when
    #[command(after_help = "Example:\n  scorpiox-broker client holders main")]
    Holders {
        /// Name of the credential
        #[arg(value_parser = Name::parse)]
        credential: Name,
    },
    /// Say how much a client may ask for, from where and until when; what is not named stays
    #[command(
        after_help = "Examples:\n  scorpiox-broker client limit ci --requests-per-minute 60 --handouts-per-hour 20\n  \
        scorpiox-broker client limit ci --allow 10.0.0.0/8 --allow 2001:db8::/32\n  \
        scorpiox-broker client limit anna --expires 2027-01-31"
    )]
    Limit {
        /// Name of the client
        #[arg(value_parser = Name::parse)]
        name: Name,
        #[command(flatten)]
        limits: TypedLimits,
    },
    /// Hand out nothing to a client until it is resumed
    #[command(after_help = "Example:\n  scorpiox-broker client pause laptop-anna")]
    Pause {
        /// Name of the client
        #[arg(value_parser = Name::parse)]
        name: Name,
    },
    /// End a client's pause
    #[command(after_help = "Example:\n  scorpiox-broker client resume laptop-anna")]
    Resume {
        /// Name of the client
        #[arg(value_parser = Name::parse)]
        name: Name,
    },
    Invite(InviteArguments),
    /// List the programs without a browser that wait to be let in
    #[command(after_help = "Example:\n  scorpiox-broker client pending")]
    Pending,
    Approve(ApproveArguments),
    Deny(DenyArguments),
    /// End a client's access
    ///
    /// The token that it holds works until it ends or the credential is renewed; the command says until when.
    #[command(after_help = "Example:\n  scorpiox-broker client revoke laptop-anna --rotate")]
    Revoke {
        /// Name of the client
        #[arg(value_parser = Name::parse)]
        name: Name,
        /// Renew its credential at once, so that the token it holds ends soon; needs the scope credentials too
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
            Verb::Add { name, credential, limits, output } => {
                let limits = limits.over(ClientLimits::default(), desk.now());
                let request = ClientRequest { name: name.to_string(), credential: credential.to_string(), limits };
                let destination = issued::Destination::prepare(output.key_file)?;
                let issued = desk.broker.add_client(&request).await;
                issued::hand_over(desk, destination, issued?)
            }
            Verb::List => list(desk).await,
            Verb::Show { name } => {
                let view = desk.broker.client(&name).await?;
                desk.answer(&view, facts)
            }
            Verb::Holders { credential } => client_holders::list(desk, &credential).await,
            Verb::Limit { name, limits } => limit(desk, &name, limits).await,
            Verb::Pause { name } => {
                let view = desk.broker.pause_client(&name).await?;
                desk.answer(&view, |view, wording| {
                    let resume = wording.command(&format!("scorpiox-broker client resume {}", view.name));
                    format!("{} is paused and gets nothing until: {resume}", view.name)
                })
            }
            Verb::Resume { name } => {
                let view = desk.broker.resume_client(&name).await?;
                desk.answer(&view, |view, _| format!("{} may ask again", view.name))
            }
            Verb::Grant { name, credential } => {
                let view = desk.broker.grant(&name, &credential).await?;
                desk.answer(&view, |view, _| format!("{} may use {} from now on", view.name, view.credential))
            }
            Verb::RotateKey { name, output } => {
                let destination = issued::Destination::prepare(output.key_file)?;
                let issued = desk.broker.rotate_key(&name).await;
                issued::hand_over(desk, destination, issued?)
            }
            Verb::Invite(arguments) => invite::run(desk, arguments).await,
            Verb::Pending => approve::pending(desk).await,
            Verb::Approve(arguments) => approve::approve(desk, arguments).await,
            Verb::Deny(arguments) => approve::deny(desk, arguments).await,
            Verb::Revoke { name, rotate } => revoke(desk, &name, rotate).await,
        }
    }
}

async fn limit(desk: &mut Desk, name: &Name, typed: TypedLimits) -> Result<(), Failure> {
    if typed.is_empty() {
        return Err(
            Failure::new(Exit::Usage, "nothing was said about its limits").next("scorpiox-broker client limit --help")
        );
    }
    let had = desk.broker.client(name).await?.limits;
    let view = desk.broker.limit(name, &typed.over(had, desk.now())).await?;
    desk.answer(&view, facts)
}

fn facts(view: &ClientView, wording: &Wording) -> String {
    let mut table = Table::new();
    let moment = |at: Option<i64>, never: &str| at.map_or_else(|| never.to_owned(), |at| wording.moment(at));
    table.fact("client", view.name.clone());
    table.row([(Tone::Heading, "state".to_owned()), state(view, wording)]);
    table.fact("key", view.key_id.clone());
    table.fact("credential", view.credential.clone());
    table.fact("made", wording.moment(view.created_at));
    let limits = client_limits::in_words(&view.limits, wording);
    table.fact("limits", if limits.is_empty() { "the usual ones".to_owned() } else { limits });
    table.fact("last token", moment(view.last_seen_at, "never"));
    let holds = view.holds_until.filter(|until| *until > wording.now.as_unix());
    table.fact("holds a token until", moment(holds, "holds none"));
    wording.render(&table)
}

fn state(view: &ClientView, wording: &Wording) -> (Tone, String) {
    let expired = view.limits.expires_at.filter(|end| *end <= wording.now.as_unix());
    match (view.revoked_at, view.paused_at, expired) {
        (Some(at), _, _) => (Tone::Bad, format!("revoked {}", wording.moment(at))),
        (None, Some(at), _) => (Tone::Attention, format!("paused {}", wording.moment(at))),
        (None, None, Some(at)) => (Tone::Bad, format!("expired {}", wording.moment(at))),
        (None, None, None) => (Tone::Good, "good".to_owned()),
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
    let mut table =
        Table::headed(&["NAME", "KEY", "CREDENTIAL", "STATE", "LAST TOKEN", "HOLDS A TOKEN UNTIL", "LIMITS"]);
    for view in views {
        let plain = |text: String| (Tone::Plain, text);
        let last = view.last_seen_at.map_or_else(|| "never".to_owned(), |at| wording.moment(at));
        let holds = view.holds_until.filter(|until| *until > wording.now.as_unix());
        let holds = holds.map_or_else(|| "holds none".to_owned(), |until| wording.moment(until));
        table.row([
            plain(view.name.clone()),
            plain(if view.key_id.is_empty() { "signs in".to_owned() } else { view.key_id.clone() }),
            plain(view.credential.clone()),
            state(view, wording),
            plain(last),
            plain(holds),
            plain(client_limits::in_words(&view.limits, wording)),
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
