//! `scorpiox-codex-usage`, and `scorpiox-codex-fetchtoken --usage`: what is left of the plan's limits.

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser};
use jiff::tz::TimeZone;

use super::escape::escaped_json;
use super::{backend, outcome};
use crate::backend::usage;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::talk::Talk;

mod table;

pub(super) use table::{length, table};

const NAME: &str = "scorpiox-codex-usage";
const NOTES: &str = "\
Examples:
  scorpiox-codex-usage             a line per window: its length, a bar, what was used of it, when it begins anew
  scorpiox-codex-usage --json      the same for programs
  scorpiox-codex-usage --json | jq '.limits[0].windows[] | select(.seconds == 18000).used_percent'

JSON: one line, members are added but never change or go away within a \"schema\":
  schema         1
  plan           \"plus\", \"pro\", ... or null
  limits         the plan's own first (\"id\":\"codex\"), then those of single models:
                 id, name, reached, windows: the shortest first, each with seconds, used_percent, resets_at (Unix s)
  reached        which kind of limit was reached, or null
  credits        null, or available, unlimited, balance
  spend          null, or what the workspace lets you spend: limit, used, used_percent, resets_at
  reset_credits  how often limits may be reset by hand, or null
Everything that the backend does not say is null.

The token comes from where scorpiox-codex-fetchtoken gets it; see its help for the settings. Times are local (TZ).
CODEX_BASE_URL (environment only) names another backend than https://chatgpt.com/backend-api/codex.
";

/// Prints what is left of the plan's limits.
#[derive(Debug, Parser)]
#[command(name = NAME, version, after_help = format!("{NOTES}\n{}", outcome::EXIT_CODES))]
struct Typed {
    /// Print one JSON line
    #[arg(long)]
    json: bool,
    /// Say on stderr how the answer came about; never shows a secret
    #[arg(long, short)]
    verbose: bool,
}

/// How usage is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Table,
    /// One JSON line.
    Json,
}

/// The definition of the command line.
pub fn command() -> clap::Command {
    Typed::command()
}

/// Runs the command and returns its exit code.
pub fn run(
    arguments: impl Iterator<Item = OsString>,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
) -> u8 {
    outcome::command(
        NAME,
        arguments,
        |typed: &Typed| typed.verbose,
        |typed, talk| print(if typed.json { Form::Json } else { Form::Table }, environment, clock, talk),
    )
}

/// Asks the backend and prints what it says.
pub(super) fn print(
    form: Form,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Failure> {
    let now = || clock.unix_ms() / 1000;
    let usage = backend::with(environment, clock, talk, |scene, talk| usage::ask(&scene.backend, now(), talk))?;
    match form {
        Form::Table => outcome::answer(&table(&usage, now(), &TimeZone::system())),
        Form::Json => {
            let line = serde_json::to_string(&usage).map_err(|error| Failure::temporary(error.to_string()))?;
            outcome::answer(&format!("{}\n", escaped_json(&line)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
        assert!(Typed::try_parse_from([NAME, "--json", "-v"]).is_ok());
        assert!(Typed::try_parse_from([NAME, "extra"]).is_err());
    }
}
