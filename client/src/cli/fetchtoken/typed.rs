//! What may be typed after `scorpiox-codex-fetchtoken`, and what it means.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser};

use super::auth_file::{self, Overwrite};
use super::form::Form;
use super::handover::{Handover, TypedHandover};
use crate::cli::usage;
use crate::settings::local::AccountName;
use crate::settings::sources::parse_list;
use crate::token::local::decision::Need;

pub(super) const NAME: &str = "scorpiox-codex-fetchtoken";
const EXAMPLES: &str = "\
Examples:
  scorpiox-codex-fetchtoken                            one JSON line: access_token, expires_at, account_id, source
  curl -H \"Authorization: Bearer $(scorpiox-codex-fetchtoken --raw)\" ...
  scorpiox-codex-fetchtoken --raw --refused            another token: the provider refused the last one
  scorpiox-codex-fetchtoken exec -- COMMAND            runs COMMAND with the token in descriptor 3; exec --help
  scorpiox-codex-fetchtoken --usage                    what is left of the plan's limits; --usage --json for programs

For other programs, --format:
  json                {\"access_token\":\"...\",\"expires_at\":1700000900,\"account_id\":\"...\",\"source\":\"remote\"}
  raw                 the token; the same as --raw
  env                 CODEX_ACCESS_TOKEN=..., CODEX_ACCOUNT_ID=..., CODEX_TOKEN_EXPIRES_AT=... (Unix seconds), quoted
                      for sh, empty where unknown: eval \"$(scorpiox-codex-fetchtoken --format env)\"
  credential-process  {\"Version\":1,\"AccessToken\":\"...\",\"AccountId\":\"...\",\"Expiration\":\"2026-11-22T16:42:00Z\"} as programs
                      know it that run a credential_process; what is unknown is left out

The stock Codex CLI, in its config.toml:
  [model_providers.broker.auth]
  command = \"scorpiox-codex-fetchtoken\"
  args = [\"--raw\", \"--repeat-means-refused\"]

The stock Codex CLI with a login of the broker's, which it renews there:
  eval \"$(scorpiox-codex-fetchtoken --auth-file ~/.codex/auth.json)\"    writes the file, exports the broker's address
  in config.toml: cli_auth_credentials_store = \"file\"; in the profile: what the first line printed

Sources:
  local   a file of this machine: the login of scorpiox-codex-login, which is renewed here, or the stock CLI's, which is
          only read
  remote  a broker, or an HTTP endpoint that answers with a credential's JSON; cached, so that an outage is not noticed
          until the token ends
  ssh     scorpiox-codex-fetchtoken, or its file, on another machine
Of several, the next one is asked only when one cannot be reached or is not set up, and has no good token in its cache;
one that refuses ends it. stderr says when the token is not from the first. A token that was refused is replaced by the
source that gave it, or not at all. With --raw all of it takes less than 4 seconds; without, a list with ssh up to 10.
-remote and -ssh are short for --source remote and --source ssh.

Settings:
  From the environment, else from the project's scorpiox-env.txt (once it is trusted: scorpiox-config trust), else from
  ~/.config/scorpiox/scorpiox-env.txt; scorpiox-config shows and changes them.
  CODEX_TOKEN_SOURCE       local (default), remote or ssh, or several in the order of asking: remote,local
  CODEX_CREDENTIALS_FILE   local: the file; default ~/.config/scorpiox/codex-auth.json if scorpiox-codex-login wrote it,
                           else $CODEX_HOME/auth.json or ~/.codex/auth.json
  CODEX_ACCOUNT            local: the login that scorpiox-codex-login --name made
  CODEX_LOCAL_RENEW        local: 1 renews a file that another program wrote and no longer uses
  CODEX_REMOTE_URL         remote: the broker's address, https://HOST/codex
  TOKEN_HTTP_API_KEY       remote: the client key; or
  TOKEN_HTTP_API_KEY_FILE  remote: a file that holds it; without either no key is sent
  CODEX_REMOTE_PIN         remote: sha256:... of the broker's public key; decides alone when set
  CODEX_REMOTE_CA_FILE     remote: certificates that the broker's must lead to
  CODEX_SSH_HOST           ssh: the machine; with CODEX_SSH_PORT (22) and CODEX_SSH_USER, else as in ~/.ssh/config
  CODEX_SSH_KEY_FILE       ssh: the one private key to use; else those of ~/.ssh/config or ~/.ssh, and the agent's
  CODEX_SSH_PASS_FILE      ssh: a file with the password, or the key's passphrase; or CODEX_SSH_PASS itself
  CODEX_SSH_KNOWN_HOSTS    ssh: the file that says which host keys are the right ones; default ~/.ssh/known_hosts
  CODEX_SSH_COMMAND        ssh: what is run there; default scorpiox-codex-fetchtoken
  SSL_CERT_FILE, HTTPS_PROXY, ALL_PROXY and NO_PROXY are obeyed. Tokens of remote are cached in
  $XDG_CACHE_HOME/scorpiox or ~/.cache/scorpiox.

Exit codes:
  0   a token (usage, the models) was printed; after exec the exit code is the command's
  64  the command line is wrong
  69  a person must act: log in again, resume or look at the credential
  75  try again later: unreachable, too slow, busy, backing off, refused too soon, a file of others about to expire
  77  refused: the key, the password, the right to this token; or a host key that has changed
  78  a setting is missing, malformed or contradicts another; a host that is not known; an answer that is no token
  126, 127  exec: the command cannot be run; is not there
When several sources fail, each has its line, and the first one's code counts.";

/// Prints a good Codex access token: from a broker, from a file of this machine, or from another machine.
#[derive(Debug, Parser)]
#[command(name = NAME, version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(super) struct Typed {
    /// Print the bare token and a newline instead of JSON: short for --format raw
    #[arg(long)]
    raw: bool,
    /// How the token is printed
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Json, hide_possible_values = true,
          conflicts_with_all = ["raw", "usage", "models", "refresh"])]
    format: Form,
    /// Ask these sources, whatever CODEX_TOKEN_SOURCE says: local, remote, ssh, or several: remote,local
    #[arg(long, value_name = "SOURCES", value_parser = sources, conflicts_with_all = ["refresh", "name"])]
    source: Option<String>,
    /// The provider refused the token that was given last: get another one
    #[arg(long)]
    refused: bool,
    /// Take a second call by the same parent process sooner than SECONDS (300) as a refusal of what it got
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "300",
          value_parser = clap::value_parser!(u32).range(1..=86_400))]
    repeat_means_refused: Option<u32>,
    /// Print what is left of the plan's limits, as scorpiox-codex-usage does
    #[arg(long, conflicts_with_all = ["raw", "refused", "repeat_means_refused", "models"])]
    usage: bool,
    /// With --usage: print one JSON line
    #[arg(long, requires = "usage")]
    json: bool,
    /// Print the models that this login may use, as scorpiox-codex-models does
    #[arg(long, conflicts_with_all = ["raw", "refused", "repeat_means_refused"])]
    models: bool,
    /// Renew the login of this machine if its token ends soon, as scorpiox-codex-refreshtoken does; prints no token
    #[arg(long, group = "forcible",
          conflicts_with_all = ["raw", "refused", "repeat_means_refused", "usage", "models"])]
    refresh: bool,
    /// Write an auth.json for the stock Codex CLI, which then renews at the broker of CODEX_REMOTE_URL by itself; prints
    /// what to export for it
    #[arg(long, value_name = "FILE", group = "forcible", conflicts_with_all = ["raw", "format", "source", "refused",
          "repeat_means_refused", "usage", "models", "name"])]
    auth_file: Option<PathBuf>,
    /// With --refresh: renew it now. With --auth-file: replace a file that holds another login
    #[arg(long, requires = "forcible")]
    force: bool,
    /// Use this login of this machine, as scorpiox-codex-login --name ACCOUNT made it, whatever the settings say
    #[arg(long, value_name = "ACCOUNT", value_parser = AccountName::parse)]
    name: Option<AccountName>,
    /// Say on stderr how the answer came about; never shows a secret
    #[arg(long, short)]
    verbose: bool,
    #[command(subcommand)]
    command: Option<Subcommand>,
}

#[derive(Debug, clap::Subcommand)]
enum Subcommand {
    /// Run a command that gets the token in a file descriptor or a variable, and in no file
    Exec(TypedHandover),
}

/// What is meant by what was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) task: Task,
    pub(super) refusal: Refusal,
    pub(super) instead: Instead,
    pub(super) verbose: bool,
}

/// What was typed in place of settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Instead {
    account: Option<AccountName>,
    sources: Option<String>,
}

impl Instead {
    /// The value that a variable has then; `None` leaves it as it is.
    pub(super) fn of(&self, variable: &str) -> Option<OsString> {
        match (variable, &self.account, &self.sources) {
            ("CODEX_ACCOUNT", Some(name), _) => Some(name.as_str().into()),
            ("CODEX_TOKEN_SOURCE", Some(_), _) => Some("local".into()),
            // Empty counts as not set.
            ("CODEX_CREDENTIALS_FILE", Some(_), _) => Some(OsString::new()),
            ("CODEX_TOKEN_SOURCE", None, Some(sources)) => Some(sources.into()),
            _ => None,
        }
    }
}

/// How the product whose users know this command spells its sources; `-config` is what happens anyway.
const OTHER_SPELLINGS: [(&str, Option<&str>); 3] =
    [("-config", None), ("-remote", Some("--source=remote")), ("-ssh", Some("--source=ssh"))];

/// The arguments with those spellings in ours; what stands after `--` is another command's.
pub(super) fn in_our_spelling(arguments: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut ours_still = true;
    arguments.filter_map(move |argument| {
        ours_still &= argument != "--";
        match OTHER_SPELLINGS.iter().find(|(theirs, _)| ours_still && argument == *theirs) {
            Some((_, ours)) => ours.map(OsString::from),
            None => Some(argument),
        }
    })
}

fn sources(text: &str) -> Result<String, String> {
    parse_list(text).map(|_| text.to_owned())
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task {
    Print(Form),
    Exec(Handover),
    Usage(usage::Form),
    Models,
    Refresh(Need),
    AuthFile(auth_file::Wanted),
}

/// When the last token counts as refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Never,
    Outright,
    /// When the same parent asks sooner than this.
    Repeated(Duration),
}

impl TryFrom<Typed> for Invocation {
    type Error = clap::Error;

    fn try_from(typed: Typed) -> Result<Self, Self::Error> {
        let refusal = match (typed.refused, typed.repeat_means_refused) {
            (true, _) => Refusal::Outright,
            (false, Some(seconds)) => Refusal::Repeated(Duration::from_secs(seconds.into())),
            (false, None) => Refusal::Never,
        };
        let task = match typed {
            Typed { usage: true, json: false, .. } => Task::Usage(usage::Form::Table),
            Typed { usage: true, json: true, .. } => Task::Usage(usage::Form::Json),
            Typed { models: true, .. } => Task::Models,
            Typed { auth_file: Some(ref path), force, .. } => {
                let overwrite = if force { Overwrite::Anything } else { Overwrite::OwnLogin };
                Task::AuthFile(auth_file::Wanted { path: path.clone(), overwrite })
            }
            Typed { refresh: true, force: true, .. } => Task::Refresh(Need::Forced),
            Typed { refresh: true, force: false, .. } => Task::Refresh(Need::Good),
            Typed { raw: true, .. } => Task::Print(Form::Raw),
            Typed { usage: false, models: false, refresh: false, raw: false, format, .. } => Task::Print(format),
        };
        let task = match (typed.command, task, refusal) {
            (None, task, _) => task,
            (Some(Subcommand::Exec(handover)), Task::Print(Form::Json), Refusal::Never | Refusal::Outright) => {
                let handover = Handover::try_from(handover);
                Task::Exec(handover.map_err(|same| Typed::command().error(ErrorKind::ArgumentConflict, same))?)
            }
            (Some(Subcommand::Exec(_)), ..) => {
                let message = "before exec stand --source, --name, --refused and --verbose, and nothing else";
                return Err(Typed::command().error(ErrorKind::ArgumentConflict, message));
            }
        };
        let instead = Instead { account: typed.name, sources: typed.source };
        Ok(Self { task, refusal, instead, verbose: typed.verbose })
    }
}

impl Invocation {
    /// Reads what was typed.
    pub(super) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        Typed::try_parse_from(in_our_spelling(arguments))?.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::repeat::USUAL_INTERVAL;

    fn invocation(arguments: &[&str]) -> Result<Invocation, ErrorKind> {
        let all = std::iter::once(NAME).chain(arguments.iter().copied()).map(OsString::from);
        Invocation::parse(all).map_err(|error| error.kind())
    }

    #[test]
    fn what_is_typed_has_one_meaning() {
        Typed::command().debug_assert();
        let repeated = |seconds| Refusal::Repeated(Duration::from_secs(seconds));
        let cases: [(&[&str], Form, Refusal); 9] = [
            (&["-config"], Form::Json, Refusal::Never),
            (&[], Form::Json, Refusal::Never),
            (&["--raw", "--refused"], Form::Raw, Refusal::Outright),
            (&["--format", "raw"], Form::Raw, Refusal::Never),
            (&["--format", "env"], Form::Env, Refusal::Never),
            (&["--format=credential-process"], Form::CredentialProcess, Refusal::Never),
            (&["--repeat-means-refused"], Form::Json, Refusal::Repeated(USUAL_INTERVAL)),
            (&["--repeat-means-refused=60", "--raw"], Form::Raw, repeated(60)),
            (&["--repeat-means-refused", "--refused"], Form::Json, Refusal::Outright),
        ];
        for (arguments, form, refusal) in cases {
            let task = Task::Print(form);
            let expected = Invocation { task, refusal, instead: Instead::default(), verbose: false };
            assert_eq!(invocation(arguments), Ok(expected), "{arguments:?}");
        }
        let wrong: [&[&str]; 22] = [
            &["--format", "yaml"],
            &["--format", "env", "--raw"],
            &["--format", "json", "--usage"],
            &["exec"],
            &["exec", "true"],
            &["--raw", "exec", "--", "true"],
            &["--repeat-means-refused", "exec", "--", "true"],
            &["--source", "remot"],
            &["--source", "local", "--name", "work"],
            &["--repeat-means-refused=0"],
            &["--repeat-means-refused=x"],
            &["extra"],
            &["--wrong"],
            &["--json"],
            &["--usage", "--models"],
            &["--usage", "--raw"],
            &["--models", "--refused"],
            &["--auth-file"],
            &["--auth-file", "f", "--refresh"],
            &["--auth-file", "f", "--raw"],
            &["--auth-file", "f", "exec", "--", "true"],
            &["--force"],
        ];
        for arguments in wrong {
            assert!(invocation(arguments).is_err(), "{arguments:?}");
        }
        let instead = |arguments: &[&str], variable| invocation(arguments).unwrap().instead.of(variable);
        assert_eq!(instead(&["--source", "ssh, local"], "CODEX_TOKEN_SOURCE").unwrap(), "ssh, local");
        assert_eq!(instead(&["--name", "work"], "CODEX_TOKEN_SOURCE").unwrap(), "local");
        assert_eq!(instead(&["--name", "work"], "CODEX_ACCOUNT").unwrap(), "work");
        assert_eq!(instead(&["--source", "local"], "HOME"), None);
        assert_eq!(instead(&["-remote"], "CODEX_TOKEN_SOURCE").unwrap(), "remote");
        let auth_file = |overwrite| Task::AuthFile(auth_file::Wanted { path: "f".into(), overwrite });
        let tasks: [(&[&str], Task); 7] = [
            (&["--auth-file", "f"], auth_file(Overwrite::OwnLogin)),
            (&["--auth-file", "f", "--force"], auth_file(Overwrite::Anything)),
            (&["--refresh"], Task::Refresh(Need::Good)),
            (&["--refresh", "--force", "--name", "work"], Task::Refresh(Need::Forced)),
            (&["--usage"], Task::Usage(usage::Form::Table)),
            (&["--usage", "--json"], Task::Usage(usage::Form::Json)),
            (&["--models"], Task::Models),
        ];
        for (arguments, task) in tasks {
            assert_eq!(invocation(arguments).map(|invocation| invocation.task), Ok(task), "{arguments:?}");
        }
    }

    #[test]
    fn the_words_of_another_command_are_left_to_it() {
        let arguments = ["--source", "local", "--refused", "exec", "--", "ssh", "-config", "-remote", "--", "--raw"];
        let Invocation { task: Task::Exec(handover), refusal, .. } = invocation(&arguments).unwrap() else {
            panic!("that is exec");
        };
        assert_eq!(refusal, Refusal::Outright);
        assert_eq!(handover.words, ["ssh", "-config", "-remote", "--", "--raw"]);
    }
}
