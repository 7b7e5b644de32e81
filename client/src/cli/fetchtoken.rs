//! `scorpiox-codex-fetchtoken`: prints one good access token, or says in a line for each source why there is none.
//!
//! stdout carries the token and nothing else. A caller such as the stock Codex CLI sends whatever stands there as a
//! bearer, so nothing is printed unless it is a good token. [`typed`] is what may be typed.

mod typed;

use std::ffi::OsString;
use std::io::{self, Write};
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use zeroize::Zeroizing;

use self::typed::{Invocation, NAME, Output, Refusal, Task, Typed};
use super::{models, outcome, refreshtoken, usage};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::settings::{Settings, SourceName, Surroundings};
use crate::talk::Talk;
use crate::token::Token;
use crate::token::chain::{Given, Unserved, Wanted};
use crate::token::repeat::Parent;
use crate::token::supply::Supply;

/// All sources together take at most this long: the stock CLI gives its command five seconds.
const QUICK: Duration = Duration::from_millis(3_500);
/// The same when a connection to another machine must be made and nobody said `--raw`.
const PATIENT: Duration = Duration::from_secs(10);

/// The command's definition, for completions and the manual.
pub fn command() -> clap::Command {
    Typed::command()
}

/// Runs the command and returns its exit code.
pub fn run(
    arguments: impl Iterator<Item = OsString>,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
) -> u8 {
    let invocation: Invocation = match Typed::try_parse_from(typed::in_our_spelling(arguments)) {
        Ok(typed) => typed.into(),
        Err(error) => return outcome::untypable(NAME, &error),
    };
    let of_settings = environment;
    let as_typed = |variable: &str| invocation.instead.of(variable).or_else(|| of_settings(variable));
    let environment: &dyn Fn(&str) -> Option<OsString> = &as_typed;
    let mut talk = Talk::default();
    let outcome = match invocation.task {
        Task::Refresh(need) => refreshtoken::refresh(need, None, environment, clock, &mut talk).map_err(Unserved::from),
        Task::Token => fetch_and_print(&invocation, environment, clock, &mut talk),
        Task::Usage(form) => usage::print(form, environment, clock, &mut talk).map_err(Unserved::from),
        Task::Models => models::print(environment, clock, &mut talk).map_err(Unserved::from),
    };
    let mut stderr = io::stderr().lock();
    for line in talk.lines(invocation.verbose) {
        let _ = writeln!(stderr, "{NAME}: {line}");
    }
    match outcome {
        Ok(()) => 0,
        Err(unserved) => {
            for line in unserved.lines() {
                let _ = writeln!(stderr, "{NAME}: {line}");
            }
            unserved.class().exit_code()
        }
    }
}

fn fetch_and_print(
    invocation: &Invocation,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Unserved> {
    let surroundings = Surroundings::of_process(environment)?;
    let settings = Settings::read(&surroundings, talk)?;
    let supply = Supply::new(&settings, &surroundings, clock);
    let parent = repeating_parent(invocation.refusal);
    let wanted = wanted(invocation.refusal, parent.as_ref(), &supply, clock);
    if let Wanted::OtherThan(Given { source, tag: Some(tag) }) = &wanted {
        talk.detail(format!("the same parent asks again: it cannot use {tag} of {source}"));
    }
    let fetched = supply.fetch(&wanted, time_for(invocation.output, &settings), talk)?;
    print(&fetched.token, invocation.output)?;
    // After printing: what the parent did not get it cannot refuse.
    if let Some(parent) = &parent
        && let Err(error) = supply.repeats().remember(parent, &Given::from(&fetched), clock.unix_ms())
    {
        talk.warn(format!("a repeated call will not count as a refusal: {error}"));
    }
    Ok(())
}

fn wanted(refusal: Refusal, parent: Option<&Parent>, supply: &Supply<'_>, clock: &dyn Clock) -> Wanted {
    match (refusal, parent) {
        (Refusal::Never, _) | (Refusal::Repeated(_), None) => Wanted::Current,
        (Refusal::Outright, _) => supply.other_than_last(),
        (Refusal::Repeated(interval), Some(parent)) => supply.repeats().meaning(parent, interval, clock.unix_ms()),
    }
}

fn repeating_parent(refusal: Refusal) -> Option<Parent> {
    match refusal {
        Refusal::Repeated(_) => Parent::current(),
        Refusal::Never | Refusal::Outright => None,
    }
}

fn time_for(output: Output, settings: &Settings) -> Duration {
    match output {
        Output::JsonLine if settings.sources().contains(&SourceName::Ssh) => PATIENT,
        Output::JsonLine | Output::Raw => QUICK,
    }
}

fn print(token: &Token, output: Output) -> Result<(), Failure> {
    let unprinted = |error: io::Error| Failure::temporary(format!("the token cannot be written to stdout: {error}"));
    let mut line = Zeroizing::new(match output {
        Output::Raw => token.access_token.expose().to_owned(),
        Output::JsonLine => serde_json::to_string(token).map_err(|error| unprinted(error.into()))?,
    });
    line.push('\n');
    let mut stdout = io::stdout().lock();
    match stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader has gone and wants nothing more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(unprinted),
    }
}
