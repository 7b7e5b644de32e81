//! `scorpiox-codex-models`, and `scorpiox-codex-fetchtoken --models`: the endpoint's catalogue, as it is.

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser};

use super::escape::escaped_json;
use super::{backend, outcome};
use crate::backend::models;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::talk::Talk;

const NAME: &str = "scorpiox-codex-models";
const NOTES: &str = "\
Examples:
  scorpiox-codex-models                                    the catalogue, as JSON
  scorpiox-codex-models | jq -r '.models[] | select(.visibility == \"list\").slug'

What is printed is the endpoint's own JSON. It is kept for five minutes, then the endpoint is asked whether it still
holds; when the endpoint is away, what was kept is printed, and stderr says how old it is.

The backend lists what this client version may use: CODEX_CLIENT_VERSION (environment only) names a newer one.
CODEX_BASE_URL (environment only) names another backend than https://chatgpt.com/backend-api/codex.
The token comes from where scorpiox-codex-fetchtoken gets it; see its help for the settings.
";

/// Prints the catalogue of models that this login may use.
#[derive(Debug, Parser)]
#[command(name = NAME, version, after_help = format!("{NOTES}\n{}", outcome::EXIT_CODES))]
struct Typed {
    /// Say on stderr how the answer came about; never shows a secret
    #[arg(long, short)]
    verbose: bool,
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
    outcome::command(NAME, arguments, |typed: &Typed| typed.verbose, |_, talk| print(environment, clock, talk))
}

/// Prints the catalogue that is known.
pub(super) fn print(
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Failure> {
    let listing = backend::with(environment, clock, talk, |scene, talk| {
        models::listing(&scene.backend, &scene.state, clock, talk)
    })?;
    outcome::answer(&format!("{}\n", escaped_json(listing.body.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
        assert!(Typed::try_parse_from([NAME, "--verbose"]).is_ok());
        assert!(Typed::try_parse_from([NAME, "extra"]).is_err());
    }
}
