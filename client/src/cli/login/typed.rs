//! What may be typed after `scorpiox-codex-login`, and what it means.

use clap::Parser;

use crate::settings::local::AccountName;

pub(super) const NAME: &str = "scorpiox-codex-login";
/// The ports to which the login server sends a browser back.
const CALLBACK_PORTS: [u16; 2] = [1455, 1457];
const EXAMPLES: &str = "\
Examples:
  scorpiox-codex-login                  shows a page and a code; open the page anywhere and type the code there
  scorpiox-codex-login --browser        through a browser on this machine, or paste the address that it ends at
  scorpiox-codex-login --name work      a second login beside the first; used with CODEX_ACCOUNT=work
  scorpiox-codex-login --logout         revokes the login at the server and removes it from this machine

The login is in $XDG_CONFIG_HOME/scorpiox/codex-auth.json (or ~/.config/scorpiox), for --name in codex-auth-NAME.json,
and scorpiox-codex-fetchtoken renews it there. Never copy it: two machines that renew one login end it. The stock Codex
CLI's own login is not touched.

A login that works is not replaced without --force. Replacing does not revoke the old one, because that may end other
logins of the same account; --logout does revoke.

For programs, one JSON line a call, without any token:
  --start    status \"pending\", account, verification_url, user_code, interval, expires_at (Unix seconds)
  --poll     \"pending\" (exit code 75: call again after interval seconds), \"complete\" with file, account_id, email,
             plan_type, expires_at of the token; \"none\" when no login was started; \"expired\" (69)
  --cancel   \"cancelled\" or \"none\"
  --status   \"logged_in\" or \"logged_out\" (69) or \"ended\" (69), with file, account_id, email, plan_type,
             expires_at, and pending: null or as --start
  a failure  \"error\" with exit_code, message, hint

SSL_CERT_FILE, HTTPS_PROXY, ALL_PROXY and NO_PROXY are obeyed.

Exit codes:
  0   done
  64  the command line is wrong, or a login that works would be replaced
  69  a person must act: the login was declined or has ended
  75  try again later: no answer, not finished
  78  a setting is malformed, or the file cannot be kept";

/// Logs in to Codex on this machine.
#[derive(Debug, Parser)]
#[command(name = NAME, version, after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("errand").multiple(false))]
pub(super) struct Typed {
    /// Log in through a browser on this machine
    #[arg(long, group = "errand")]
    browser: bool,
    /// Which login: one of several on this machine
    #[arg(long, value_name = "ACCOUNT", value_parser = AccountName::parse)]
    name: Option<AccountName>,
    /// Replace a login that works
    #[arg(long, conflicts_with_all = ["logout", "poll", "cancel", "status"])]
    force: bool,
    /// Revoke the login at the server and remove it from this machine
    #[arg(long, group = "errand")]
    logout: bool,
    /// For programs: begin a login by code
    #[arg(long, group = "errand")]
    start: bool,
    /// For programs: ask once whether the login that was begun is finished
    #[arg(long, group = "errand")]
    poll: bool,
    /// For programs: forget the login that was begun
    #[arg(long, group = "errand")]
    cancel: bool,
    /// For programs: who is logged in
    #[arg(long, group = "errand")]
    status: bool,
    /// Say on stderr how the answer came about; never shows a secret
    #[arg(long, short)]
    verbose: bool,
    /// Listen here instead of where the login server sends a browser
    #[arg(long, hide = true, value_name = "PORT", requires = "browser")]
    callback_port: Option<u16>,
}

/// What is meant by what was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) errand: Errand,
    pub(super) account: Option<AccountName>,
    pub(super) good_login: GoodLogin,
    pub(super) callback_ports: Vec<u16>,
    pub(super) verbose: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    Device,
    Browser,
    Start,
    Poll,
    Cancel,
    Status,
    Logout,
}

impl Errand {
    /// Whether a program reads the answer.
    pub(super) fn is_for_machines(self) -> bool {
        match self {
            Self::Device | Self::Browser | Self::Logout => false,
            Self::Start | Self::Poll | Self::Cancel | Self::Status => true,
        }
    }
}

/// What happens to a login that works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GoodLogin {
    Stays,
    IsReplaced,
}

impl From<Typed> for Invocation {
    fn from(typed: Typed) -> Self {
        let errands = [
            (typed.browser, Errand::Browser),
            (typed.logout, Errand::Logout),
            (typed.start, Errand::Start),
            (typed.poll, Errand::Poll),
            (typed.cancel, Errand::Cancel),
            (typed.status, Errand::Status),
        ];
        let errand = errands.into_iter().find_map(|(typed, errand)| typed.then_some(errand));
        Self {
            errand: errand.unwrap_or(Errand::Device),
            account: typed.name,
            good_login: if typed.force { GoodLogin::IsReplaced } else { GoodLogin::Stays },
            callback_ports: typed.callback_port.map_or(CALLBACK_PORTS.to_vec(), |port| vec![port]),
            verbose: typed.verbose,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn errand(arguments: &[&str]) -> Option<(Errand, GoodLogin)> {
        let typed = Typed::try_parse_from(std::iter::once(NAME).chain(arguments.iter().copied()));
        typed.ok().map(Invocation::from).map(|meant| (meant.errand, meant.good_login))
    }

    #[test]
    fn what_is_typed_has_one_meaning() {
        Typed::command().debug_assert();
        let cases: [(&[&str], (Errand, GoodLogin)); 6] = [
            (&[], (Errand::Device, GoodLogin::Stays)),
            (&["--force", "--name", "work"], (Errand::Device, GoodLogin::IsReplaced)),
            (&["--browser"], (Errand::Browser, GoodLogin::Stays)),
            (&["--start", "--force"], (Errand::Start, GoodLogin::IsReplaced)),
            (&["--poll", "--name", "a"], (Errand::Poll, GoodLogin::Stays)),
            (&["--logout"], (Errand::Logout, GoodLogin::Stays)),
        ];
        for (arguments, expected) in cases {
            assert_eq!(errand(arguments), Some(expected), "{arguments:?}");
        }
        let wrong: [&[&str]; 5] =
            [&["--start", "--poll"], &["--browser", "--start"], &["--logout", "--force"], &["--name", "../x"], &["x"]];
        for arguments in wrong {
            assert_eq!(errand(arguments), None, "{arguments:?}");
        }
    }
}
