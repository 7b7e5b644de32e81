//! `scorpiox-codex-login`: a person's login on this machine, into a file that is ours to renew.
//!
//! * [`typed`]: what may be typed, and what it means.
//! * [`desk`]: what every errand needs. * [`keeping`]: the file of a login: what is in it, saving, removing.
//! * [`device`], [`browser`]: logging in; [`callback`]: what comes back through a port of this machine.
//! * [`machine`]: the same in steps, for programs: one JSON line a call. * [`logout`]: the end.

mod browser;
mod callback;
mod desk;
mod device;
mod keeping;
mod logout;
mod machine;
mod typed;

use std::ffi::OsString;

use clap::Parser as _;

use self::desk::Desk;
use self::typed::{Errand, Invocation, NAME, Typed};
use super::outcome;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::talk::Talk;

/// What this command accepts.
pub fn command() -> clap::Command {
    <Typed as clap::CommandFactory>::command()
}

/// Runs the command and returns its exit code.
pub fn run(
    arguments: impl Iterator<Item = OsString>,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
) -> u8 {
    let invocation: Invocation = match Typed::try_parse_from(arguments) {
        Ok(typed) => typed.into(),
        Err(error) => return outcome::untypable(NAME, &error),
    };
    let mut talk = Talk::default();
    let done = Desk::open(&invocation, environment, clock, &mut talk);
    let done = match done.and_then(|desk| errand(&invocation, &desk, &mut talk)) {
        Ok(told) => told,
        Err(failure) if invocation.errand.is_for_machines() => machine::tell(&failure).and(Err(failure)),
        Err(failure) => Err(failure),
    };
    outcome::end(NAME, done, &talk, invocation.verbose)
}

/// How an errand ended whose answer has been printed.
type Told = Result<(), Failure>;

fn errand(invocation: &Invocation, desk: &Desk<'_>, talk: &mut Talk) -> Result<Told, Failure> {
    match invocation.errand {
        Errand::Device => device::log_in(desk, talk).map(Ok),
        Errand::Browser => browser::log_in(desk, &invocation.callback_ports, talk).map(Ok),
        Errand::Start => machine::start(desk),
        Errand::Poll => machine::poll(desk, talk),
        Errand::Cancel => machine::cancel(desk),
        Errand::Status => machine::status(desk),
        Errand::Logout => logout::log_out(desk, talk).map(Ok),
    }
}
