//! What can go wrong on the way to the other machine, and what the caller can do about it: the one table.

use std::time::Duration;

use super::known_hosts::{HostName, Verdict};
use super::public_key::PublicKey;
use crate::failure::{Class, Failure};
use crate::settings::ssh::SshSettings;

/// How far a connection had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Looking up the name, connecting, agreeing on keys.
    Connecting,
    /// Logging in.
    LoggingIn,
    /// Running the command.
    Running,
}

/// What went wrong.
#[derive(Debug)]
pub enum Trouble {
    /// There is no connection.
    Unreachable(String),
    /// The time was up.
    TooSlow(Stage),
    /// The connection ended, or what came over it is no ssh.
    Cut(Stage, String),
    /// The two sides have no algorithm in common.
    NoCommonGround(String),
    /// The host is not known to be the right one.
    HostKey {
        /// What it showed.
        shown: PublicKey,
        /// What is known.
        verdict: Verdict,
    },
    /// There is nothing to log in with. What the server would take, for people.
    NothingToTry(String),
    /// What there is to log in with could not be used, and why.
    NothingUsable(Vec<String>),
    /// Nothing that was tried was taken, and what that was.
    LoginRefused(Vec<String>),
    /// The server does not run commands for us.
    ExecRefused,
    /// The command's end was not heard of.
    NoExitStatus {
        /// The signal that killed it.
        signal: Option<String>,
    },
    /// The command said more than a token.
    TooMuchOutput,
    /// A file of this machine is wrong.
    Settings(Failure),
    /// This program was built without it.
    NotBuilt(&'static str),
}

impl Trouble {
    /// What it means for the caller.
    pub fn into_failure(self, settings: &SshSettings, name: &HostName, within: Duration) -> Failure {
        let host = &settings.called;
        match self {
            Self::Unreachable(why) => Failure::unreachable(format!("{host} cannot be reached: {why}")),
            Self::TooSlow(Stage::Connecting) => {
                Failure::unreachable(format!("{host} did not answer within {} s", seconds(within)))
            }
            Self::TooSlow(Stage::LoggingIn) => {
                Failure::unreachable(format!("the login at {host} took longer than {} s", seconds(within)))
            }
            Self::TooSlow(Stage::Running) => {
                Failure::unreachable(format!("the command on {host} took longer than {} s", seconds(within)))
            }
            Self::Cut(Stage::Connecting, why) => Failure::unreachable(format!("{host} does not speak ssh: {why}")),
            Self::Cut(Stage::LoggingIn | Stage::Running, why) => {
                Failure::unreachable(format!("the connection to {host} ended: {why}"))
            }
            Self::NoCommonGround(why) => {
                Failure::configuration(format!("{host} and this command have nothing in common: {why}"))
            }
            Self::HostKey { shown, verdict } => host_key(&shown, verdict, settings, name),
            Self::NothingToTry(takes) => Failure::configuration(format!("nothing to log in with at {host}, {takes}"))
                .with_hint("set CODEX_SSH_KEY_FILE, start an agent, or set CODEX_SSH_PASS_FILE"),
            Self::NothingUsable(why) => {
                Failure::configuration(format!("nothing to log in with at {host}: {}", why.join("; ")))
            }
            Self::LoginRefused(tried) => login_refused(&tried, settings),
            Self::ExecRefused => {
                Failure::new(Class::KeyOrGrant, format!("{host} runs no command for {}", settings.user))
            }
            Self::NoExitStatus { signal: Some(signal) } => {
                Failure::temporary(format!("the command on {host} was killed ({signal}); its output does not count"))
            }
            Self::NoExitStatus { signal: None } => Failure::temporary(format!(
                "the command on {host} ended without an exit status; its output does not count"
            )),
            Self::TooMuchOutput => Failure::configuration(format!("the command on {host} says more than 64 KiB"))
                .with_hint("check CODEX_SSH_COMMAND"),
            Self::Settings(failure) => failure,
            Self::NotBuilt(what) => Failure::unconfigured(format!("this program was built without {what}")),
        }
    }
}

fn host_key(shown: &PublicKey, verdict: Verdict, settings: &SshSettings, name: &HostName) -> Failure {
    let (host, kind, fingerprint) = (&settings.called, shown.kind(), shown.fingerprint());
    let refused = |text: String| Failure::new(Class::KeyOrGrant, text);
    match verdict {
        Verdict::Known | Verdict::Unknown => {
            let file = settings.known_hosts.first().map(|path| path.display().to_string()).unwrap_or_default();
            let line = shown.line(name.as_str());
            Failure::configuration(format!("{host} is unknown: it shows the {kind} key {fingerprint}"))
                .with_line_to_copy(format!("ask its administrator; if that is its key, add this line to {file}: {line}"))
        }
        Verdict::Changed(place) => refused(format!(
            "THE HOST KEY OF {host} HAS CHANGED: {place} has another {kind} key than the one it shows now, {fingerprint}"
        ))
        .with_hint(CHANGED),
        Verdict::OtherTypes(place) => refused(format!(
            "THE HOST KEY OF {host} HAS CHANGED: {place} has a key of another type than the {kind} key it shows now, \
             {fingerprint}"
        ))
        .with_hint(CHANGED),
        Verdict::Revoked(place) => refused(format!("the {kind} key of {host}, {fingerprint}, was revoked: {place}"))
            .with_hint("nothing was sent there; ask its administrator"),
    }
}

const CHANGED: &str = "somebody may be listening: nothing was sent; ask its administrator before you remove that line";

fn login_refused(tried: &[String], settings: &SshSettings) -> Failure {
    let (host, user) = (&settings.called, &settings.user);
    let failure = Failure::new(Class::KeyOrGrant, format!("{host} did not let {user} in; tried: {}", tried.join(", ")));
    failure.with_hint("check CODEX_SSH_USER, the key or the password; each was tried once")
}

fn seconds(duration: Duration) -> String {
    let tenths = (duration.as_millis() + 50) / 100;
    if tenths.is_multiple_of(10) { format!("{}", tenths / 10) } else { format!("{}.{}", tenths / 10, tenths % 10) }
}
