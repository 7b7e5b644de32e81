//! `client invite`: a person signs a program in without typing a key.

use clap::Args;
use scorpiox_wire::admin::{InviteIssued, InviteRequest};

use super::desk::Desk;
use super::failure::Failure;
use super::screen::Form;
use super::wording::Wording;
use crate::domain::credential::Name;

/// Print a one-time invite with which a person signs a program in, without a key
///
/// The client is made, without a key, if there is none of that name. The invite is good for 15 minutes and once; another
/// one for the same client takes its place.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  scorpiox-broker client invite anna --credential main")]
pub(super) struct InviteArguments {
    /// Name of the client
    #[arg(value_parser = Name::parse)]
    name: Name,
    /// Name of the credential that a new client may use
    #[arg(long, value_name = "NAME", value_parser = Name::parse)]
    credential: Option<Name>,
}

pub(super) async fn run(desk: &mut Desk, arguments: InviteArguments) -> Result<(), Failure> {
    let InviteArguments { name, credential } = arguments;
    let request = InviteRequest { credential: credential.map(|credential| credential.to_string()) };
    let issued = desk.broker.invite(&name, &request).await?;
    if desk.screen.form() == Form::Json {
        return desk.screen.json(&issued);
    }
    let wording = desk.screen.wording(desk.now());
    desk.screen.say(&told(&issued, &wording));
    desk.screen.answer(issued.invite.expose())
}

fn told(issued: &InviteIssued, wording: &Wording) -> String {
    let InviteIssued { client, credential, origin, .. } = issued;
    let until = wording.date(issued.expires_at);
    format!(
        "{client} may sign a program in with the login {credential}, once, until {until}; the page is at {origin}/oauth/authorize, \
         and the program opens it. The invite:"
    )
}
