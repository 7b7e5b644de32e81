//! `scorpiox-codex-refreshtoken`: renews the login in the file that is configured, and tells no token.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use serde::Serialize;

use super::outcome;
use crate::clock::{Clock, Deadline};
use crate::failure::{Class, Failure};
use crate::oauth::refresh::AtServer;
use crate::settings::local::{AccountName, LocalSettings, RenewedBy};
use crate::settings::{Settings, SourceName, Surroundings};
use crate::talk::Talk;
use crate::token::local::apart::PATIENCE;
use crate::token::local::decision::{Need, Reason};
use crate::token::local::reading::read_until_whole;
use crate::token::local::renewal::{Here, Renewer as _};
use crate::token::local::wording;

const NAME: &str = "scorpiox-codex-refreshtoken";
const EXAMPLES: &str = "\
Examples:
  scorpiox-codex-refreshtoken              renews in the last five minutes of a token, else leaves it as it is
  scorpiox-codex-refreshtoken --force      renews now

It concerns the file that the settings name (CODEX_CREDENTIALS_FILE, CODEX_ACCOUNT, else the login of
scorpiox-codex-login), and prints one JSON line: renewed, file, account_id, expires_at. No token is shown; for one, run
scorpiox-codex-fetchtoken. The file as it was stays beside it as .backup.

The stock Codex CLI's file is renewed only with CODEX_LOCAL_RENEW=1, where no stock CLI uses it: two programs that renew
one login end it.

Exit codes:
  0   the token is good, renewed or not
  64  the command line is wrong
  69  a person must act: log in again
  75  try again later: no answer, busy, in doubt
  78  a setting is missing or malformed, the file is broken or not ours to renew";

/// Renews the login in a file of this machine.
#[derive(Debug, Parser)]
#[command(name = NAME, version, after_help = EXAMPLES)]
struct Typed {
    /// Renew although the token still lives
    #[arg(long)]
    force: bool,
    /// Say on stderr how the answer came about; never shows a secret
    #[arg(long, short)]
    verbose: bool,
    /// Renew the login in this file
    #[arg(long, value_name = "PATH", conflicts_with = "name")]
    credentials_file: Option<PathBuf>,
    /// Renew the login of this account, as scorpiox-codex-login --name ACCOUNT made it
    #[arg(long, value_name = "ACCOUNT", value_parser = AccountName::parse)]
    name: Option<AccountName>,
    /// The token that was given last was refused
    #[arg(long, hide = true)]
    refused: bool,
    /// Another command waits for the file, not for the answer
    #[arg(long, hide = true)]
    for_another_command: bool,
}

/// What is printed.
#[derive(Serialize)]
struct Line<'a> {
    renewed: bool,
    file: String,
    account_id: Option<&'a str>,
    expires_at: Option<i64>,
}

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
    outcome::command(
        NAME,
        arguments,
        |typed: &Typed| typed.verbose,
        |typed, talk| renew_and_tell(&typed, environment, clock, talk),
    )
}

/// Renews the configured login and prints the line about it: `scorpiox-codex-fetchtoken --refresh` too.
pub fn refresh(
    need: Need,
    account: Option<&AccountName>,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Failure> {
    let surroundings = Surroundings::of_process(environment)?;
    let settings = Settings::read(&surroundings, talk)?;
    let local = match account {
        Some(name) => LocalSettings::of_account(name, settings.written(), &surroundings)?,
        None if settings.sources().contains(&SourceName::Local) => {
            LocalSettings::from_written(settings.written(), &surroundings)?
        }
        None => {
            let failure = Failure::configuration("no token comes from this machine: CODEX_TOKEN_SOURCE has no local");
            return Err(failure.with_hint("name a file with --credentials-file"));
        }
    };
    renew(&local, need, environment, clock, talk)
}

fn renew_and_tell(
    typed: &Typed,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Failure> {
    let need = match (typed.force, typed.refused) {
        (true, _) => Need::Forced,
        (false, true) => Need::Refused,
        (false, false) => Need::Good,
    };
    let Some(path) = &typed.credentials_file else {
        return refresh(need, typed.name.as_ref(), environment, clock, talk);
    };
    let surroundings = Surroundings::of_process(environment)?;
    let settings = Settings::read(&surroundings, talk)?;
    renew(&LocalSettings::of_path(path, settings.written(), &surroundings)?, need, environment, clock, talk)
}

fn renew(
    local: &LocalSettings,
    need: Need,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Failure> {
    let (file, path) = (&local.file, local.file.path());
    if local.renewed_by == RenewedBy::Others {
        let failure = Failure::configuration(format!("{} is not ours to renew", path.display()));
        let hint = "scorpiox-codex-login makes one that is; or set CODEX_LOCAL_RENEW=1 if nothing else renews this one";
        return Err(failure.with_hint(hint));
    }
    let seen = read_until_whole(file, clock, talk)?.login.access_token;
    let (redeem, deadline) = (AtServer { environment }, Deadline::within(PATIENCE, clock));
    let renewed = Here { redeem: &redeem, clock }.renew(file, need, seen.as_ref(), deadline, talk)?;
    let (login, now_ms) = (&renewed.opened.login, clock.unix_ms());
    let is_alive = login.expires_at.is_none_or(|end| end > now_ms / 1000);
    match &renewed.kept {
        // The server's tokens are that short.
        Some(Reason::JustRenewed) if is_alive && login.access_token != seen => {}
        Some(reason) => return Err(wording::failure(reason, file, now_ms)),
        None => {}
    }
    if login.access_token.is_none() {
        return Err(Failure::new(Class::PersonMustAct, format!("{} holds no ChatGPT login", path.display())));
    }
    let line = Line {
        renewed: login.access_token != seen,
        file: path.display().to_string(),
        account_id: login.account_id.as_deref(),
        expires_at: login.expires_at,
    };
    let line = serde_json::to_string(&line).expect("a line of texts and numbers becomes JSON");
    outcome::answer(&(line + "\n"))
}
