//! The ssh source: another machine that has a token, asked over ssh.
//!
//! * [`public_key`]: a key as it stands on the wire. * [`known_hosts`], [`known_hosts_files`]: which hosts are the right
//!   ones. * [`key_file`]: a private key before it is opened.
//! * [`trouble`]: what can go wrong, and what it means. * [`transport`]: a connection, whichever library makes it.
//! * [`authentication`]: what is tried to log in. * [`answer`], [`far_side`]: what is run there, and what it said.
//! * `waiting`, `over_russh`, `over_thrussh`: the libraries, as the features say.
//!
//! Nothing is kept on this machine: every call asks. The other side has a cache of its own, or a file.

pub mod answer;
pub mod authentication;
#[cfg(test)]
mod fake_session;
pub mod far_side;
pub mod key_file;
pub mod known_hosts;
pub mod known_hosts_files;
#[cfg(all(feature = "russh", not(feature = "thrussh")))]
pub mod over_russh;
#[cfg(feature = "thrussh")]
pub mod over_thrussh;
pub mod public_key;
pub mod transport;
pub mod trouble;
#[cfg(any(feature = "russh", feature = "thrussh"))]
pub mod waiting;

use std::time::Duration;

use self::authentication::log_in;
use self::far_side::FarSide;
use self::known_hosts::{HostName, KnownKeys};
#[cfg(all(feature = "russh", not(feature = "thrussh")))]
use self::over_russh::open;
#[cfg(feature = "thrussh")]
use self::over_thrussh::open;
use self::transport::Judge;
use self::trouble::Trouble;
use super::{Ask, Fetched, TokenSource};
use crate::clock::{Clock, Deadline};
use crate::failure::Failure;
use crate::settings::ssh::SshSettings;
use crate::talk::Talk;

/// What a connection may take when nobody waits for less.
pub const USUAL_TIME: Duration = Duration::from_secs(10);

/// Another machine.
pub struct Ssh<'a> {
    /// Which, and how we log in.
    pub settings: &'a SshSettings,
    /// The time.
    pub clock: &'a dyn Clock,
    /// All that it may take.
    pub within: Duration,
}

impl TokenSource for Ssh<'_> {
    fn fetch(&self, ask: &Ask, talk: &mut Talk) -> Result<Fetched, Failure> {
        let name = self.host_name();
        let files = known_hosts_files::read(&self.settings.known_hosts)?;
        let judge = Judge { known: KnownKeys::of(&name, &files), name: name.clone() };
        let failure = |trouble: Trouble| trouble.into_failure(self.settings, &name, self.within);
        self.ask(judge, ask, talk).map_err(failure)?
    }
}

impl Ssh<'_> {
    fn host_name(&self) -> HostName {
        match &self.settings.host_key_alias {
            Some(alias) => HostName::alias(alias),
            None => HostName::new(&self.settings.host, self.settings.port),
        }
    }

    fn ask(&self, judge: Judge, ask: &Ask, talk: &mut Talk) -> Result<Result<Fetched, Failure>, Trouble> {
        let deadline = Deadline::within(self.within, self.clock);
        talk.detail(format!("connecting to {}, port {}", self.settings.host, self.settings.port));
        let mut session = open(self.settings, judge, deadline)?;
        log_in(session.as_mut(), self.settings, talk)?;
        let (command, host) = (&self.settings.command, self.settings.called.as_str());
        FarSide { session: session.as_mut(), command, host, now: self.clock.unix_ms() / 1000 }.fetch(ask, talk)
    }
}

#[cfg(not(any(feature = "russh", feature = "thrussh")))]
fn open<'a>(_: &SshSettings, _: Judge, _: Deadline<'a>) -> Result<Box<dyn transport::Session + 'a>, Trouble> {
    Err(Trouble::NotBuilt("ssh"))
}
