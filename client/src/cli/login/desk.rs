//! What every errand of a login needs: the file, the login server, the time.

use std::ffi::OsString;
use std::time::Duration;

use super::typed::{GoodLogin, Invocation};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::oauth::call::Caller;
use crate::oauth::server::OAuthServer;
use crate::settings::local::{AccountName, CredentialsFile, our_file};
use crate::settings::written::Key;
use crate::settings::{self, Settings, SourceName, Surroundings};
use crate::state_directory::StateDirectory;
use crate::talk::Talk;

/// How long one call to the login server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a login is made.
pub(super) struct Desk<'a> {
    /// Which of several.
    pub(super) account: Option<AccountName>,
    /// The file; always one of ours.
    pub(super) file: CredentialsFile,
    /// Why nothing uses this login as things are set.
    pub(super) unused: Option<&'static str>,
    /// What happens to a login that is there and works.
    pub(super) good_login: GoodLogin,
    /// The login server.
    pub(super) server: OAuthServer,
    /// What survives a call.
    pub(super) state: StateDirectory,
    /// The time.
    pub(super) clock: &'a dyn Clock,
    environment: &'a dyn Fn(&str) -> Option<OsString>,
}

impl<'a> Desk<'a> {
    /// `--name`, else the account that the settings choose, else the login that has no name.
    pub(super) fn open(
        invocation: &Invocation,
        environment: &'a dyn Fn(&str) -> Option<OsString>,
        clock: &'a dyn Clock,
        talk: &mut Talk,
    ) -> Result<Self, Failure> {
        let surroundings = Surroundings::of_process(environment)?;
        let (account, unused) = match &invocation.account {
            Some(name) => (Some(name.clone()), None),
            None => of_settings(&surroundings, talk)?,
        };
        Ok(Self {
            file: CredentialsFile::Ours(our_file(account.as_ref(), &surroundings)?),
            account,
            unused,
            good_login: invocation.good_login,
            server: OAuthServer::from_environment(environment)?,
            state: StateDirectory::new(settings::cache_directory(&surroundings)),
            clock,
            environment,
        })
    }

    /// How the login server is called.
    pub(super) fn caller(&self) -> Caller<'_> {
        self.caller_within(PATIENCE)
    }

    /// The same with less patience.
    pub(super) fn caller_within(&self, within: Duration) -> Caller<'_> {
        Caller { environment: self.environment, within: within.min(PATIENCE) }
    }
}

/// The account that the settings choose, and what else they say that matters to a login.
fn of_settings(
    surroundings: &Surroundings<'_>,
    talk: &mut Talk,
) -> Result<(Option<AccountName>, Option<&'static str>), Failure> {
    let settings = Settings::read(surroundings, talk)?;
    let written = settings.written();
    let account =
        written.get(Key::Account).map(|value| AccountName::parse(&value.text).map_err(|why| value.wrong(why)));
    let unused = if !settings.sources().contains(&SourceName::Local) {
        Some("CODEX_TOKEN_SOURCE does not name local, so nothing uses this login yet")
    } else if written.get(Key::CredentialsFile).is_some() {
        Some("CODEX_CREDENTIALS_FILE is set, so perhaps another file is used")
    } else {
        None
    };
    Ok((account.transpose()?, unused))
}
