//! `client pending`, `approve`, `deny`: programs without a browser that wait for a person.

use clap::Args;
use scorpiox_wire::admin::{SignInApproval, SignInView};

use super::desk::Desk;
use super::failure::{Exit, Failure};
use super::screen::{Form, Reply};
use super::text::{Table, Tone, printable};
use super::wording::Wording;
use crate::domain::credential::Name;
use crate::domain::device_grant::UserCode;

/// Let a program that shows a code in, as this client
///
/// Says what asks and asks whether it is the right one. The client is made, without a key, if there is none of that name.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  scorpiox-broker client pending\n  \
    scorpiox-broker client approve BCDF-GHJK --name anna --credential main")]
pub(super) struct ApproveArguments {
    /// The code that the program shows
    #[arg(value_parser = UserCode::parse)]
    code: UserCode,
    /// Name of the client that it becomes
    #[arg(long, value_parser = Name::parse)]
    name: Name,
    /// Name of the credential that a new client may use
    #[arg(long, value_name = "NAME", value_parser = Name::parse)]
    credential: Option<Name>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Send a program that shows a code away
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker client deny BCDF-GHJK")]
pub(super) struct DenyArguments {
    /// The code that the program shows
    #[arg(value_parser = UserCode::parse)]
    code: UserCode,
}

pub(super) async fn pending(desk: &mut Desk) -> Result<(), Failure> {
    let mut waiting = desk.broker.sign_ins().await?;
    waiting.sort_by_key(|asks| asks.asked_at);
    if waiting.is_empty() && desk.screen.form() == Form::Human {
        desk.screen.say("no program waits");
        return Ok(());
    }
    desk.answer(&waiting, |waiting, wording| table(waiting, wording))
}

pub(super) async fn approve(desk: &mut Desk, arguments: ApproveArguments) -> Result<(), Failure> {
    let ApproveArguments { code, name, credential, yes } = arguments;
    let waiting = desk.broker.sign_ins().await?;
    let Some(asks) = waiting.iter().find(|asks| asks.user_code == code.to_string()) else {
        return Err(Failure::new(Exit::Failed, format!("no program waits with the code {code}"))
            .next("scorpiox-broker client pending"));
    };
    if !yes {
        let wording = desk.screen.wording(desk.now());
        desk.screen.say(&described(asks, &wording));
        match desk.screen.ask(&format!("Let it in as {name}?")) {
            Reply::Yes => {}
            Reply::No => {
                return Err(Failure::new(Exit::Failed, "it was not let in; it still waits")
                    .next(format!("scorpiox-broker client deny {code}")));
            }
            Reply::Nobody => {
                return Err(Failure::new(Exit::Usage, "there is nobody here to ask whether this is the right program")
                    .next("add --yes"));
            }
        }
    }
    let request = SignInApproval { name: name.to_string(), credential: credential.map(|name| name.to_string()) };
    let approved = desk.broker.approve_sign_in(&code, &request).await?;
    desk.answer(&approved, |approved, _| {
        format!(
            "{} is let in as {}, with the login {}",
            approved.sign_in.user_code, approved.client, approved.credential
        )
    })
}

pub(super) async fn deny(desk: &mut Desk, DenyArguments { code }: DenyArguments) -> Result<(), Failure> {
    let denied = desk.broker.deny_sign_in(&code).await?;
    desk.answer(&denied, |denied, _| format!("{} was sent away", denied.user_code))
}

fn described(asks: &SignInView, wording: &Wording) -> String {
    let address = printable(asks.address.as_deref().unwrap_or("an unknown address"));
    let agent = printable(asks.agent.as_deref().unwrap_or("does not say what it is"));
    format!("{} asked {} from {address}: {agent}", asks.user_code, wording.moment(asks.asked_at))
}

fn table(waiting: &[SignInView], wording: &Wording) -> String {
    let mut table = Table::headed(&["CODE", "ADDRESS", "PROGRAM", "ASKED", "WAITS UNTIL"]);
    for asks in waiting {
        let plain = |text: String| (Tone::Plain, text);
        table.row([
            plain(asks.user_code.clone()),
            plain(asks.address.clone().unwrap_or_else(|| "unknown".to_owned())),
            plain(asks.agent.clone().unwrap_or_else(|| "does not say".to_owned())),
            plain(wording.moment(asks.asked_at)),
            plain(wording.moment(asks.expires_at)),
        ]);
    }
    wording.render(&table)
}
