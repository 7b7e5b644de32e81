//! The command line: server and administration in one program.
//!
//! stdout is the answer (tables for people, or the JSON of the wire), stderr is talk, and the exit codes are in
//! `--help`. Files in dependency order:
//!
//! * `text`: words on a terminal: colours, columns, moments.
//! * `failure`: what a command can end with, and its exit code.
//! * `quiet`, `screen`: where a command speaks and listens.
//! * `place`, `remote`: where the broker is, on this machine or another.
//! * `typed_time`: moments as people type them.
//! * `wording`: how things are put, and commands that reach the same broker again.
//! * `desk`: what an administration command works with.
//! * `credential_text`: a credential in words.
//! * `credential`, `client` with `client_holders`, `client_limits`, `issued`, `invite` and `approve`, `audit` with `audit_export`, `status`, `promote`, `alert`: one command each.
//! * `passphrase`, `backup`, `restore`: a backup, and back from it.
//! * `auth_file`, `import`: a login out of a stock client's file.
//! * `callback`, `browser`, `login`: a login by a person.
//! * `password`, `session`: passwords that are typed or handed over; logging in for one command.
//! * `admin` with `admin_key`: who may administer over the network.
//! * `master_key`: the file of the master key.
//! * `openapi`: the document of the administration.
//! * `server`: from options to a running server.
//! * `typed`: what may be typed.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, CommandFactory as _, Parser};

use crate::admin_client::AdminClient;
use crate::clock::{SharedClock, SystemClock};
use crate::domain::credential::Name;

mod admin;
mod admin_key;
mod alert;
mod approve;
mod audit;
mod audit_export;
mod auth_file;
mod backup;
mod browser;
mod callback;
mod client;
mod client_holders;
mod client_limits;
mod credential;
mod credential_text;
mod desk;
mod failure;
mod import;
mod invite;
mod issued;
mod login;
mod master_key;
mod openapi;
mod passphrase;
mod password;
mod place;
mod promote;
mod quiet;
mod rekey;
mod remote;
mod restore;
mod screen;
mod server;
mod session;
mod status;
mod text;
mod typed;
mod typed_time;
mod wording;

use desk::{Desk, Errand};
use failure::{Exit, Failure};
use place::{Environment, Reach};
use remote::{Distant, Early};
use screen::{Form, Screen};
use text::{Tone, printable};
use typed::{Asked, Typed, Verb};
use wording::Again;

/// The ports that the provider lets a browser come back to (*P 2.2*).
const CALLBACK_PORTS: [u16; 2] = [1455, 1457];

/// Everything around a command that a test puts something else in place of.
struct Surroundings {
    environment: Environment,
    screen: Screen,
    clock: SharedClock,
    callback_ports: [u16; 2],
    /// What stood before the command.
    early: Early,
}

/// How a command ended.
#[derive(Debug)]
enum Ended {
    Command(u8),
    Server(ExitCode),
}

/// The command's definition, for completions and the manual.
pub fn command() -> clap::Command {
    Typed::command()
}

/// Runs the process's command line.
pub fn main() -> ExitCode {
    // What is no UTF-8 is none of our variables' values.
    let variables =
        std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let environment = Environment(variables.collect());
    let colour = environment.get("NO_COLOR").is_none() && environment.get("TERM") != Some("dumb");
    let surroundings = Surroundings {
        environment,
        screen: Screen::standard(colour),
        clock: Arc::new(SystemClock),
        callback_ports: CALLBACK_PORTS,
        early: Early::default(),
    };
    match invoke(std::env::args_os(), surroundings) {
        Ended::Command(code) => ExitCode::from(code),
        Ended::Server(code) => code,
    }
}

fn invoke(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>, surroundings: Surroundings) -> Ended {
    let Typed { early, verb } = match Typed::try_parse_from(arguments) {
        Ok(typed) => typed,
        Err(error) => return surroundings.unparsed(&error),
    };
    let mut surroundings = Surroundings { early, ..surroundings };
    if verb.is_of_this_machine()
        && let Err(failure) = surroundings.early.refuse()
    {
        return end(Err(failure), &mut surroundings.screen);
    }
    match verb {
        Verb::Up(arguments) => surroundings.serve(|environment| arguments.run(environment)),
        Verb::Serve(arguments) => surroundings.serve(|environment| arguments.run(environment)),
        Verb::CheckConfig(arguments) => {
            surroundings.local(arguments.json, |environment, screen| arguments.run(environment, screen))
        }
        Verb::Openapi(arguments) => surroundings.local(false, |_, screen| arguments.run(screen)),
        Verb::MasterKey(arguments) => {
            surroundings.local(arguments.json(), |environment, screen| arguments.run(environment, screen))
        }
        Verb::Status(asked) => surroundings.administer(asked),
        Verb::Login(asked) => surroundings.administer(asked),
        Verb::Import(asked) => surroundings.administer(asked),
        Verb::Credential(asked) => surroundings.administer(asked),
        Verb::Client(asked) => surroundings.administer(asked),
        Verb::Audit(asked) => surroundings.administer(asked),
        Verb::Alert(asked) => surroundings.administer(asked),
        Verb::Promote(asked) => surroundings.administer(asked),
        Verb::Admin(asked) => surroundings.administer(asked),
        Verb::Backup(asked) if asked.rest.is_local() => {
            surroundings.local(asked.reach.json, |_, screen| asked.rest.check(screen))
        }
        Verb::Backup(asked) => surroundings.administer(asked),
        Verb::Rekey(asked) => surroundings.administer(asked),
        Verb::Restore(arguments) => surroundings.local(arguments.json, |_, screen| arguments.run(screen)),
    }
}

impl Surroundings {
    fn serve(mut self, run: impl FnOnce(&Environment) -> Result<ExitCode, Failure>) -> Ended {
        match run(&self.environment) {
            Ok(code) => Ended::Server(code),
            Err(failure) => end(Err(failure), &mut self.screen),
        }
    }

    fn local(mut self, json: bool, run: impl FnOnce(&Environment, &mut Screen) -> Result<(), Failure>) -> Ended {
        self.screen.set_form(if json { Form::Json } else { Form::Human });
        let outcome = run(&self.environment, &mut self.screen);
        end(outcome, &mut self.screen)
    }

    fn administer<T: Args + Errand>(mut self, asked: Asked<T>) -> Ended {
        let remote = std::mem::take(&mut self.early).complete(asked.reach.remote.clone());
        let reach = Reach { remote, ..asked.reach };
        self.screen.set_form(if reach.json { Form::Json } else { Form::Human });
        self.screen.set_again(Again::of(&reach));
        let (broker, person) = match self.broker(&reach) {
            Ok(found) => found,
            Err(failure) => return end(Err(failure), &mut self.screen),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                let failure = Failure::new(Exit::Failed, format!("this machine has no room for one more: {error}"));
                return end(Err(failure), &mut self.screen);
            }
        };
        let Self { screen, clock, callback_ports, .. } = self;
        let mut desk = Desk { broker, screen, clock, callback_ports };
        let outcome = runtime.block_on(async {
            if let Some(name) = person {
                session::begin(&mut desk, name).await?;
            }
            let outcome = asked.rest.run(&mut desk).await;
            // It ends by itself in a quarter of an hour; that this did not end it is no failure of the command.
            let _ = desk.broker.log_out().await;
            outcome
        });
        end(outcome, &mut desk.screen)
    }

    /// The broker that is meant, and whose password it wants.
    fn broker(&self, reach: &Reach) -> Result<(AdminClient, Option<Name>), Failure> {
        match remote::find(reach, &self.environment, &self.clock)? {
            Some(Distant { network, person }) => Ok((AdminClient::over(network), person)),
            None => Ok((AdminClient::at(place::socket(reach, &self.environment)?), None)),
        }
    }

    /// Help and version are answers; everything else that the parser says is talk.
    fn unparsed(mut self, error: &clap::Error) -> Ended {
        let text = error.render();
        if error.use_stderr() {
            let coloured = self.screen.talk_paint().is_coloured();
            self.screen.say(&if coloured { text.ansi().to_string() } else { text.to_string() });
            return Ended::Command(Exit::Usage as u8);
        }
        let coloured = self.screen.paint().is_coloured();
        let outcome = self.screen.answer(&if coloured { text.ansi().to_string() } else { text.to_string() });
        end(outcome, &mut self.screen)
    }
}

/// Tells a failure, in the form that was asked for, and turns it into the exit code.
fn end(outcome: Result<(), Failure>, screen: &mut Screen) -> Ended {
    let (exit, problem) = match outcome {
        Ok(()) | Err(Failure::ClosedPipe) => return Ended::Command(0),
        Err(Failure::Told { exit, problem }) => (exit, problem),
    };
    match screen.form() {
        Form::Json => {
            screen.say(&serde_json::to_string(&problem).expect("a problem can be written as JSON"));
        }
        Form::Human => {
            let name = screen.talk_paint().tone(Tone::Bad, "scorpiox-broker:");
            // A list of faults has lines of its own.
            let lines: Vec<_> = problem.message.lines().map(printable).collect();
            let next = problem.hint.map(|hint| format!("\n  next: {}", printable(&screen.again().complete(&hint))));
            let next = next.unwrap_or_default();
            screen.say(&format!("{name} {}{next}", lines.join("\n")));
        }
    }
    Ended::Command(exit as u8)
}

#[cfg(test)]
mod tests;
