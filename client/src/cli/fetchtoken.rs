//! `scorpiox-codex-fetchtoken`: prints one good access token, or says in a line for each source why there is none.
//!
//! stdout carries the token and nothing else. A caller such as the stock Codex CLI sends whatever stands there as a
//! bearer, so nothing is printed unless it is a good token.
//!
//! * [`form`]: how a token is printed. * [`typed`]: what may be typed. * [`handover`]: a command that gets the token
//!   instead of a printed line. * [`exec`]: becoming that command. * [`auth_file`]: a file for the stock CLI.

mod auth_file;
mod exec;
mod form;
mod handover;
mod typed;

use std::ffi::OsString;
use std::io::{self, Write};
use std::time::Duration;

use clap::CommandFactory as _;

use self::exec::{Ready, Reserved};
use self::form::Form;
use self::handover::Handover;
use self::typed::{Invocation, NAME, Refusal, Task, Typed};
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
    let invocation = match Invocation::parse(arguments) {
        Ok(invocation) => invocation,
        Err(error) => return outcome::untypable(NAME, &error),
    };
    let of_settings = environment;
    let as_typed = |variable: &str| invocation.instead.of(variable).or_else(|| of_settings(variable));
    let mut talk = Talk::default();
    let outcome = perform(&invocation, &as_typed, clock, &mut talk);
    let mut stderr = io::stderr().lock();
    for line in talk.lines(invocation.verbose) {
        let _ = writeln!(stderr, "{NAME}: {line}");
    }
    match outcome {
        Ok(Next::End) => 0,
        Ok(Next::Become(ready)) => {
            let unrun = ready.become_it();
            let _ = writeln!(stderr, "{NAME}: {unrun}");
            unrun.exit_code()
        }
        Err(unserved) => {
            for line in unserved.lines() {
                let _ = writeln!(stderr, "{NAME}: {line}");
            }
            unserved.class().exit_code()
        }
    }
}

/// What is left to do when everything went well.
enum Next {
    /// Nothing.
    End,
    /// This process becomes the command that was asked for.
    Become(Box<Ready>),
}

fn perform(
    invocation: &Invocation,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<Next, Unserved> {
    match &invocation.task {
        Task::Refresh(need) => refreshtoken::refresh(*need, None, environment, clock, talk)?,
        Task::Print(form) => {
            let print = |token: &Token| print(token, *form);
            fetch(invocation.refusal, *form, environment, clock, talk, print)?;
        }
        Task::Exec(handover) => return hand_over(handover, invocation.refusal, environment, clock, talk),
        Task::AuthFile(wanted) => {
            let exports = auth_file::fetch(wanted, environment, talk)?;
            // The file is there, whoever reads this.
            let _ = io::stdout().lock().write_all(exports.as_bytes());
        }
        Task::Usage(form) => usage::print(*form, environment, clock, talk)?,
        Task::Models => models::print(environment, clock, talk)?,
    }
    Ok(Next::End)
}

/// Fetches a token, and does with it what is to be done.
fn fetch<T>(
    refusal: Refusal,
    form: Form,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
    use_it: impl FnOnce(&Token) -> Result<T, Failure>,
) -> Result<T, Unserved> {
    let surroundings = Surroundings::of_process(environment)?;
    let settings = Settings::read(&surroundings, talk)?;
    let supply = Supply::new(&settings, &surroundings, clock);
    let parent = repeating_parent(refusal);
    let wanted = wanted(refusal, parent.as_ref(), &supply, clock);
    if let Wanted::OtherThan(Given { source, tag: Some(tag) }) = &wanted {
        talk.detail(format!("the same parent asks again: it cannot use {tag} of {source}"));
    }
    let fetched = supply.fetch(&wanted, time_for(form, &settings), talk)?;
    let used = use_it(&fetched.token)?;
    // After printing: what the parent did not get it cannot refuse.
    if let Some(parent) = &parent
        && let Err(error) = supply.repeats().remember(parent, &Given::from(&fetched), clock.unix_ms())
    {
        talk.warn(format!("a repeated call will not count as a refusal: {error}"));
    }
    Ok(used)
}

/// The place for the token is taken before anybody is asked for one: what cannot be handed over is not fetched.
fn hand_over(
    handover: &Handover,
    refusal: Refusal,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<Next, Unserved> {
    let reserved = Reserved::of(&handover.place)?;
    let prepare = |token: &Token| reserved.fill(token, handover);
    fetch(refusal, Form::Json, environment, clock, talk, prepare).map(|ready| Next::Become(Box::new(ready)))
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

fn time_for(form: Form, settings: &Settings) -> Duration {
    match form {
        Form::Raw => QUICK,
        Form::Json | Form::Env | Form::CredentialProcess if settings.sources().contains(&SourceName::Ssh) => PATIENT,
        Form::Json | Form::Env | Form::CredentialProcess => QUICK,
    }
}

fn print(token: &Token, form: Form) -> Result<(), Failure> {
    let text = form.of(token);
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // The reader has gone and wants nothing more.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => {
            written.map_err(|error| Failure::temporary(format!("the token cannot be written to stdout: {error}")))
        }
    }
}
