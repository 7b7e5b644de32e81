//! Settings as they are meant: checked once, here, and never again.
//!
//! * [`mod@file`]: the syntax of `scorpiox-env.txt`. * [`tier`]: whose word a setting is.
//! * [`project`], [`places`]: which files hold for a directory. * [`settings_file`]: reading one. * [`profile`]: the one
//!   that is switched on.
//! * [`key`], [`written`]: what was written, and where. * [`trust`]: what a project's file may decide.
//! * [`edit`], [`save`]: changing a file, pure and then on the disk. * [`directory_lock`]: one process at a time.
//!   [`git`]: whether a secret can end up in a repository.
//! * [`pin`], [`broker_url`], [`api_key`]: values with a shape of their own. * [`catalog`]: what each setting is for
//!   and takes.
//! * [`sources`]: which sources of tokens are asked, in which order. * [`local`]: which file the local source reads, and
//!   who renews it. * [`remote`]: which broker, with which key. * [`ssh`]: which machine, and how we log in there.

pub mod api_key;
pub mod broker_url;
pub mod catalog;
pub mod directory_lock;
pub mod edit;
pub mod file;
pub mod git;
pub mod key;
pub mod local;
pub mod pin;
pub mod places;
pub mod profile;
pub mod project;
pub mod remote;
pub mod save;
pub mod settings_file;
pub mod sources;
pub mod ssh;
pub mod tier;
pub mod trust;
pub mod written;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use self::catalog::{Entry, Section};
pub use self::local::LocalSettings;
pub use self::places::user_directory;
pub use self::remote::{DEFAULT_REMOTE_URL, RemoteSettings, Trust};
pub use self::sources::SourceName;
pub use self::ssh::SshSettings;
use self::written::{Key, Written};
use crate::failure::Failure;
use crate::talk::Talk;

/// Where a command runs: what it would otherwise read from its process deep in a function.
pub struct Surroundings<'a> {
    /// Looks up an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// The current directory.
    pub directory: PathBuf,
    /// The directory of the running program.
    pub program_directory: Option<PathBuf>,
}

impl<'a> Surroundings<'a> {
    /// What this process runs in.
    pub fn of_process(environment: &'a dyn Fn(&str) -> Option<OsString>) -> Result<Self, Failure> {
        let no_directory = |error| Failure::configuration(format!("the current directory: {error}"));
        let directory = std::env::current_dir().map_err(no_directory)?;
        let program = std::env::current_exe().ok();
        Ok(Self { environment, directory, program_directory: program.and_then(|path| Some(path.parent()?.to_owned())) })
    }

    /// An absolute path from the environment; an empty or relative one counts as not set (XDG base directories).
    pub fn absolute_path(&self, variable: &str) -> Option<PathBuf> {
        (self.environment)(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    }
}

/// Which sources are asked for a token, and what each of them needs.
#[derive(Debug)]
pub struct Settings {
    sources: Vec<SourceName>,
    written: Written,
}

/// What one source needs.
#[derive(Debug)]
pub enum SourceSettings {
    /// Read a file of this machine.
    Local(LocalSettings),
    /// Ask a broker.
    Remote(RemoteSettings),
    /// Ask another machine.
    Ssh(Box<SshSettings>),
}

impl Settings {
    /// Reads the settings files and the environment.
    pub fn read(surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<Self, Failure> {
        let written = Written::gather(surroundings, talk)?;
        trust::require(&written, surroundings)?;
        tell_unknown_values(&written, talk);
        Self::from_written(written)
    }

    /// What the written settings mean. Only the order of the sources is read here: a mistake in a source that is not
    /// asked stops nobody.
    pub fn from_written(written: Written) -> Result<Self, Failure> {
        if let Some(value) = written.get(Key::Provider) {
            catalog::check(Key::Provider, &value.text).map_err(|why| value.wrong(why))?;
        }
        let sources = match written.get(Key::TokenSource) {
            None => vec![SourceName::Local],
            Some(value) => sources::parse_list(&value.text).map_err(|error| value.wrong(error))?,
        };
        Ok(Self { sources, written })
    }

    /// The sources in the order of asking; at least one, none twice.
    pub fn sources(&self) -> &[SourceName] {
        &self.sources
    }

    /// The settings as they were written.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// What this source needs, whether or not it is in the list. [`Failure::is_absence`] tells a source that was not
    /// set up from one that was set up wrongly.
    pub fn of(
        &self,
        source: SourceName,
        surroundings: &Surroundings<'_>,
        talk: &mut Talk,
    ) -> Result<SourceSettings, Failure> {
        match source {
            SourceName::Local => LocalSettings::from_written(&self.written, surroundings).map(SourceSettings::Local),
            SourceName::Remote => {
                RemoteSettings::from_written(&self.written, surroundings, talk).map(SourceSettings::Remote)
            }
            SourceName::Ssh => {
                SshSettings::from_written(&self.written, surroundings, talk).map(Box::new).map(SourceSettings::Ssh)
            }
        }
    }

    /// A short name for the sources and what decides whose tokens they give. It shows nothing of a key.
    pub fn fingerprint(&self, surroundings: &Surroundings<'_>) -> String {
        let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        self.sources.iter().for_each(|source| digest.update(source.as_str().as_bytes()));
        for key in
            [Key::Account, Key::RemoteUrl, Key::ApiKey, Key::SshHost, Key::SshPort, Key::SshUser, Key::SshCommand]
        {
            let text = self.written.get(key).map_or("", |value| value.text.as_str());
            digest.update(text.as_bytes());
            digest.update(b"\0");
        }
        for key in [Key::ApiKeyFile, Key::CredentialsFile] {
            let path = self.written.get(key).map(|value| value.as_path(&surroundings.directory));
            digest.update(path.unwrap_or_default().as_os_str().as_encoded_bytes());
            digest.update(b"\0");
        }
        digest.finish().as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Why a person who set no `CODEX_TOKEN_SOURCE` may have meant another source than the local one.
    pub fn overlooked_source(&self) -> Option<String> {
        if self.written.get(Key::TokenSource).is_some() {
            return None;
        }
        let (key, source) = [(Key::RemoteUrl, SourceName::Remote), (Key::SshHost, SourceName::Ssh)]
            .into_iter()
            .find(|(key, _)| self.written.get(*key).is_some())?;
        Some(format!("{} is set, so set CODEX_TOKEN_SOURCE={source} too", key.as_str()))
    }
}

/// The directory for caches of the user, or `None` when neither `XDG_CACHE_HOME` nor `HOME` is set.
pub fn cache_directory(surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    let home = || surroundings.absolute_path("HOME").map(|home| home.join(".cache"));
    surroundings.absolute_path("XDG_CACHE_HOME").or_else(home).map(|caches: PathBuf| caches.join(Path::new("scorpiox")))
}

/// A source's own settings are read, strictly, when it is asked; those of a conversation only by `sx`. Whoever misspelt
/// one of these is told by every command.
fn tell_unknown_values(written: &Written, talk: &mut Talk) {
    let of_conversation = |key: &&Key| Entry::of(**key).section == Section::Conversation && **key != Key::Provider;
    for value in Key::ALL.iter().filter(of_conversation).filter_map(|key| written.get(*key)) {
        if let Err(why) = catalog::check(value.key, &value.text) {
            talk.warn(value.wrong(why).to_string());
        }
    }
}

#[cfg(test)]
#[path = "settings/tests.rs"]
mod tests;
