//! The sources that the settings name, ready to be asked. What a source needs is looked at when it is its turn: a
//! token from the first one costs nothing of the others.

use std::time::Duration;

use super::cache::Owner;
use super::chain::{self, Given, Sources, Unserved, Wanted};
use super::last_given::LastGiven;
use super::local::Local;
use super::local::apart::Apart;
use super::remote::Remote;
use super::repeat::Repeats;
use super::ssh::Ssh;
use super::transport::Http;
use super::{Ask, Fetched, SourceName, TokenSource as _, proxy};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::oauth::refresh::AtServer;
use crate::settings::{self, LocalSettings, RemoteSettings, Settings, SourceSettings, Surroundings};
use crate::state_directory::StateDirectory;
use crate::talk::Talk;

/// Where tokens come from in these surroundings.
pub struct Supply<'a> {
    settings: &'a Settings,
    surroundings: &'a Surroundings<'a>,
    state: StateDirectory,
    clock: &'a dyn Clock,
}

impl<'a> Supply<'a> {
    /// What the settings say. Asks nobody yet.
    pub fn new(settings: &'a Settings, surroundings: &'a Surroundings<'a>, clock: &'a dyn Clock) -> Self {
        let state = StateDirectory::new(settings::cache_directory(surroundings));
        Self { settings, surroundings, state, clock }
    }

    /// The same without a cache: what is asked for now is got now, and nothing is kept.
    pub fn uncached(settings: &'a Settings, surroundings: &'a Surroundings<'a>, clock: &'a dyn Clock) -> Self {
        Self { settings, surroundings, state: StateDirectory::forgetful(), clock }
    }

    /// A token from the first source that is there, within this time.
    pub fn fetch(&self, wanted: &Wanted, whole: Duration, talk: &mut Talk) -> Result<Fetched, Unserved> {
        let fetched = chain::fetch(self, wanted, whole, self.clock, talk)?;
        if self.is_list()
            && let Err(error) = self.last_given().remember(fetched.token.source)
        {
            talk.warn(format!("a refusal will go to {}: {error}", self.order()[0]));
        }
        Ok(fetched)
    }

    /// What "another one than the last" means: the source that gave it is asked for another. Who was given nothing
    /// yet refuses the first source.
    pub fn other_than_last(&self) -> Wanted {
        let source = if self.is_list() { self.last_given().source() } else { self.order()[0] };
        Wanted::OtherThan(Given { source, tag: None })
    }

    /// What the parents of our commands were given by these sources.
    pub fn repeats(&self) -> Repeats<'_> {
        Repeats::new(&self.state, &self.list_name())
    }

    fn last_given(&self) -> LastGiven<'_> {
        LastGiven::new(&self.state, &self.list_name(), self.order())
    }

    fn list_name(&self) -> String {
        format!("list-{}", self.settings.fingerprint(self.surroundings))
    }

    fn is_list(&self) -> bool {
        self.order().len() > 1
    }

    fn local(
        &self,
        settings: &LocalSettings,
        ask: &Ask,
        within: Duration,
        talk: &mut Talk,
    ) -> Result<Fetched, Failure> {
        let server = AtServer { environment: self.surroundings.environment };
        let renewer = Apart::beside(self.surroundings, &server, self.clock);
        Local { settings, renewer: &renewer, clock: self.clock, within }.fetch(ask, talk).map_err(|failure| match self
            .settings
            .overlooked_source()
        {
            Some(hint) if failure.is_absence() => failure.with_hint(hint),
            Some(_) | None => failure,
        })
    }

    fn remote(
        &self,
        settings: &RemoteSettings,
        ask: &Ask,
        within: Duration,
        talk: &mut Talk,
    ) -> Result<Fetched, Failure> {
        let proxy = proxy::choose(self.surroundings.environment, &settings.url)?;
        let (owner, exchange) = (Owner::new(settings), Http { settings, proxy });
        let (state, clock) = (&self.state, self.clock);
        Remote { settings, owner: &owner, state, exchange: &exchange, clock, within }.fetch(ask, talk)
    }
}

impl Sources for Supply<'_> {
    fn order(&self) -> &[SourceName] {
        self.settings.sources()
    }

    fn fetch(&self, source: SourceName, ask: &Ask, within: Duration, talk: &mut Talk) -> Result<Fetched, Failure> {
        match self.settings.of(source, self.surroundings, talk)? {
            SourceSettings::Local(local) => self.local(&local, ask, within, talk),
            SourceSettings::Remote(remote) => self.remote(&remote, ask, within, talk),
            SourceSettings::Ssh(settings) => Ssh { settings: &settings, clock: self.clock, within }.fetch(ask, talk),
        }
    }
}
