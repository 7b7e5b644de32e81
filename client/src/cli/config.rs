//! `scorpiox-config`: shows, checks and changes settings.
//!
//! * [`typed`]: what can be typed. * [`get`], [`dump`], [`check`]: what holds, and what is wrong with it.
//! * [`change`]: `--set` and `--unset`. * [`secret_input`]: a secret from a person or a pipe. * [`trust`]: a project's files.
//! * [`editor`]: all of it on a full screen. * [`trial`]: trying one source.
//!   [`doctor`]: trying them all.

mod change;
mod check;
mod doctor;
mod dump;
pub mod editor;
mod get;
mod secret_input;
pub mod trial;
mod trust;
mod typed;

use std::ffi::OsString;

use clap::FromArgMatches as _;

use self::typed::{Action, Invocation, NAME, Typed};
use super::outcome;
use crate::failure::Failure;
use crate::settings::Surroundings;
use crate::talk::Talk;

/// The command's definition, for completions and the manual.
pub fn command() -> clap::Command {
    typed::command()
}

/// Runs the command and returns its exit code.
pub fn run(arguments: impl Iterator<Item = OsString>, environment: &dyn Fn(&str) -> Option<OsString>) -> u8 {
    let parsed = command().try_get_matches_from(arguments).and_then(|matches| Typed::from_arg_matches(&matches));
    let mut talk = Talk::default();
    let invocation = match parsed.map(Typed::meant) {
        Ok(Ok(invocation)) => invocation,
        Ok(Err(failure)) => return outcome::end(NAME, Err(failure), &talk, false),
        Err(error) => return outcome::untypable(NAME, &error),
    };
    let verbose = invocation.verbose;
    match act(invocation, environment, &mut talk) {
        Ok(code) => {
            outcome::end(NAME, Ok(()), &talk, verbose);
            code
        }
        Err(failure) => outcome::end(NAME, Err(failure), &talk, verbose),
    }
}

fn act(invocation: Invocation, environment: &dyn Fn(&str) -> Option<OsString>, talk: &mut Talk) -> Result<u8, Failure> {
    let surroundings = Surroundings::of_process(environment)?;
    match invocation.action {
        Action::Edit => editor::open(&surroundings),
        Action::Get(key) => get::get(key, &surroundings, talk),
        Action::Set { key, value, level } => change::set(key, &value, level, &surroundings, talk),
        Action::Unset { key, level } => change::unset(key, level, &surroundings, talk),
        Action::DumpValues { tier, form } => dump::values(tier, form, &surroundings, talk),
        Action::DumpFiles { form } => dump::files(form, &surroundings),
        Action::Check => check::check(&surroundings),
        Action::Doctor { form } => doctor::doctor(form, &surroundings),
        Action::Trust { path, consent } => trust::trust(&path, consent, &surroundings),
        Action::ListTrusted => trust::list(&surroundings),
        Action::Forget(path) => trust::forget(&path, &surroundings),
    }
}
