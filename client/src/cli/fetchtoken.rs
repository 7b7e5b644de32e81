//! `scorpiox-codex-fetchtoken`: prints one good access token, or says in one line why there is none.
//!
//! stdout carries the token and nothing else. A caller such as the stock Codex CLI sends whatever stands there as a
//! bearer, so nothing is printed unless it is a good token.

use std::ffi::OsString;
use std::io::{self, Write};
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::failure::{Class, Failure};
use crate::settings::{self, RemoteSettings, Settings, Surroundings};
use crate::state_directory::StateDirectory;
use crate::talk::Talk;
use crate::token::cache::Owner;
use crate::token::local::Local;
use crate::token::remote::Remote;
use crate::token::repeat::{Parent, Repeats};
use crate::token::transport::Http;
use crate::token::{Ask, Fetched, Token, TokenSource as _, proxy};

const NAME: &str = "scorpiox-codex-fetchtoken";
const EXAMPLES: &str = "\
Examples:
  scorpiox-codex-fetchtoken                            one JSON line: access_token, expires_at, account_id, source
  curl -H \"Authorization: Bearer $(scorpiox-codex-fetchtoken --raw)\" ...
  scorpiox-codex-fetchtoken --raw --refused            another token: the provider refused the last one

The stock Codex CLI, in its config.toml:
  [model_providers.broker.auth]
  command = \"scorpiox-codex-fetchtoken\"
  args = [\"--raw\", \"--repeat-means-refused\"]

Settings, from scorpiox-env.txt in the current directory or above it in the same git project, or from the environment,
which wins:
  CODEX_TOKEN_SOURCE       local (default) or remote
  CODEX_CREDENTIALS_FILE   local: the file; default $CODEX_HOME/auth.json or ~/.codex/auth.json
  CODEX_REMOTE_URL         remote: the broker's address, https://HOST/codex
  TOKEN_HTTP_API_KEY       remote: the client key; or
  TOKEN_HTTP_API_KEY_FILE  remote: a file that holds it
  CODEX_REMOTE_PIN         remote: sha256:... of the broker's public key; decides alone when set
  CODEX_REMOTE_CA_FILE     remote: certificates that the broker's must lead to
SSL_CERT_FILE, HTTPS_PROXY, ALL_PROXY and NO_PROXY are obeyed. Tokens are cached in $XDG_CACHE_HOME/scorpiox or
~/.cache/scorpiox.

Exit codes:
  0   a token was printed
  64  the command line is wrong
  69  a person must act: log in again, resume or look at the credential
  75  try again later: unreachable, busy, backing off, refused too soon
  77  the key is not accepted, or may not have this token
  78  a setting is missing, malformed or contradicts another";

/// Prints a good Codex access token: from a broker, or from a file of this machine.
#[derive(Debug, Parser)]
#[command(name = NAME, version, after_help = EXAMPLES)]
struct Typed {
    /// Print the bare token and a newline instead of JSON
    #[arg(long)]
    raw: bool,
    /// The provider refused the token that was given last: get another one
    #[arg(long)]
    refused: bool,
    /// Take a second call by the same parent process sooner than SECONDS (300) as a refusal of what it got
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "300",
          value_parser = clap::value_parser!(u32).range(1..=86_400))]
    repeat_means_refused: Option<u32>,
    /// Say on stderr how the answer came about; never shows a secret
    #[arg(long, short)]
    verbose: bool,
}

/// What is meant by what was typed.
#[derive(Debug, PartialEq, Eq)]
struct Invocation {
    output: Output,
    refusal: Refusal,
    verbose: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    JsonLine,
    Raw,
}

/// When the last token counts as refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Never,
    Outright,
    /// When the same parent asks sooner than this.
    Repeated(Duration),
}

impl From<Typed> for Invocation {
    fn from(typed: Typed) -> Self {
        let refusal = match (typed.refused, typed.repeat_means_refused) {
            (true, _) => Refusal::Outright,
            (false, Some(seconds)) => Refusal::Repeated(Duration::from_secs(seconds.into())),
            (false, None) => Refusal::Never,
        };
        let output = if typed.raw { Output::Raw } else { Output::JsonLine };
        Self { output, refusal, verbose: typed.verbose }
    }
}

/// Runs the command and returns its exit code.
pub fn run(
    arguments: impl Iterator<Item = OsString>,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
) -> u8 {
    let invocation: Invocation = match Typed::try_parse_from(arguments) {
        Ok(typed) => typed.into(),
        Err(error) => return untypable(&error),
    };
    let mut talk = Talk::default();
    let outcome = fetch_and_print(&invocation, environment, clock, &mut talk);
    let mut stderr = io::stderr().lock();
    for line in talk.lines(invocation.verbose) {
        let _ = writeln!(stderr, "{NAME}: {line}");
    }
    match outcome {
        Ok(()) => 0,
        Err(failure) => {
            let _ = writeln!(stderr, "{NAME}: {failure}");
            failure.class.exit_code()
        }
    }
}

/// Help and version are answers; anything else is one line, not clap's paragraph.
fn untypable(error: &clap::Error) -> u8 {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return 0;
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let failure = Failure::new(Class::Usage, first).with_hint("see --help");
    let _ = writeln!(io::stderr(), "{NAME}: {failure}");
    failure.class.exit_code()
}

fn fetch_and_print(
    invocation: &Invocation,
    environment: &dyn Fn(&str) -> Option<OsString>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Failure> {
    let surroundings = Surroundings::of_process(environment)?;
    match Settings::read(&surroundings, talk)? {
        Settings::Local(file) => {
            // A file cannot be told that its token was refused; it may have been renewed since, so it is read again.
            let ask = if invocation.refusal == Refusal::Outright { Ask::OtherThanLast } else { Ask::Current };
            let fetched = Local { file: &file, clock }.fetch(&ask, talk)?;
            print(&fetched.token, invocation.output)
        }
        Settings::Remote(remote) => from_broker(&remote, invocation, &surroundings, clock, talk),
    }
}

fn from_broker(
    remote: &RemoteSettings,
    invocation: &Invocation,
    surroundings: &Surroundings<'_>,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Failure> {
    let state = StateDirectory::new(settings::cache_directory(surroundings));
    let owner = Owner::new(remote);
    let exchange = Http { settings: remote, proxy: proxy::choose(surroundings.environment, &remote.url)? };
    let source = Remote { settings: remote, owner: &owner, state: &state, exchange: &exchange, clock };
    let repeats = Repeats::new(&state, &owner);
    let parent = repeating_parent(invocation.refusal);
    let ask = match (invocation.refusal, &parent) {
        (Refusal::Never, _) | (Refusal::Repeated(_), None) => Ask::Current,
        (Refusal::Outright, _) => Ask::OtherThanLast,
        (Refusal::Repeated(interval), Some(parent)) => repeats.meaning(parent, interval, clock.unix_ms()),
    };
    if let Ask::OtherThan(tag) = &ask {
        talk.detail(format!("the same parent asks again: it cannot use {tag}"));
    }
    let fetched = source.fetch(&ask, talk)?;
    print(&fetched.token, invocation.output)?;
    remember_what_was_given(&repeats, parent.as_ref(), &fetched, clock, talk);
    Ok(())
}

fn repeating_parent(refusal: Refusal) -> Option<Parent> {
    match refusal {
        Refusal::Repeated(_) => Parent::current(),
        Refusal::Never | Refusal::Outright => None,
    }
}

/// After printing: what the parent did not get it cannot refuse.
fn remember_what_was_given(
    repeats: &Repeats<'_>,
    parent: Option<&Parent>,
    fetched: &Fetched,
    clock: &dyn Clock,
    talk: &mut Talk,
) {
    let (Some(parent), Some(tag)) = (parent, &fetched.tag) else { return };
    if let Err(error) = repeats.remember(parent, tag, clock.unix_ms()) {
        talk.warn(format!("a repeated call will not count as a refusal: {error}"));
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::token::repeat::USUAL_INTERVAL;

    fn invocation(arguments: &[&str]) -> Result<Invocation, ErrorKind> {
        let all = std::iter::once(NAME).chain(arguments.iter().copied());
        Typed::try_parse_from(all).map(Invocation::from).map_err(|error| error.kind())
    }

    #[test]
    fn what_is_typed_has_one_meaning() {
        Typed::command().debug_assert();
        let repeated = |seconds| Refusal::Repeated(Duration::from_secs(seconds));
        let cases: [(&[&str], Output, Refusal); 5] = [
            (&[], Output::JsonLine, Refusal::Never),
            (&["--raw", "--refused"], Output::Raw, Refusal::Outright),
            (&["--repeat-means-refused"], Output::JsonLine, Refusal::Repeated(USUAL_INTERVAL)),
            (&["--repeat-means-refused=60", "--raw"], Output::Raw, repeated(60)),
            (&["--repeat-means-refused", "--refused"], Output::JsonLine, Refusal::Outright),
        ];
        for (arguments, output, refusal) in cases {
            let expected = Invocation { output, refusal, verbose: false };
            assert_eq!(invocation(arguments), Ok(expected), "{arguments:?}");
        }
        for arguments in [["--repeat-means-refused=0"], ["--repeat-means-refused=x"], ["extra"], ["--wrong"]] {
            assert!(invocation(&arguments).is_err(), "{arguments:?}");
        }
    }
}
