//! Settings as they are meant: checked once, here, and never again.
//!
//! * [`mod@file`]: the syntax of `scorpiox-env.txt`. * [`tier`]: whose word a setting is.
//! * [`project`], [`places`]: which files hold for a directory. * [`settings_file`]: reading one. * [`profile`]: the one
//!   that is switched on.
//! * [`key`], [`written`]: what was written, and where. * [`trust`]: what a project's file may decide.
//! * [`pin`], [`broker_url`]: values with a shape of their own. * [`catalog`]: what each setting is for and takes.
//! * [`local`]: which file the local source reads, and who renews it.

pub mod broker_url;
pub mod catalog;
pub mod directory_lock;
pub mod file;
pub mod key;
pub mod local;
pub mod pin;
pub mod places;
pub mod profile;
pub mod project;
pub mod settings_file;
pub mod tier;
pub mod trust;
pub mod written;

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use scorpiox_wire::ClientKey;

use self::broker_url::BrokerUrl;
use self::pin::Pin;
pub use self::places::user_directory;
use self::written::{Key, Written, WrittenValue};
use crate::bounded_file::{self, Symlinks};
use crate::failure::Failure;
use crate::talk::Talk;

/// The endpoint of the product whose conventions we keep. No key of ours is ever sent there.
pub const DEFAULT_REMOTE_URL: &str = "https://token.scorpiox.net/codex";
/// The longest file that is read for a key, in bytes.
const LONGEST_KEY_FILE: u64 = 4096;
const GROUP_AND_OTHERS: u32 = 0o077;

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

/// What to do for a token.
#[derive(Debug)]
pub enum Settings {
    /// Read a file of this machine.
    Local(CredentialsFile),
    /// Ask a broker.
    Remote(RemoteSettings),
}

/// The file of the local source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsFile {
    /// Named by `CODEX_CREDENTIALS_FILE`: ours to be strict about.
    Chosen(PathBuf),
    /// `auth.json` of the stock Codex CLI, whose habits we take as they are.
    Stock(PathBuf),
}

/// Which broker, with which key, and how it is known to be the right one.
#[derive(Debug)]
pub struct RemoteSettings {
    /// Its token address.
    pub url: BrokerUrl,
    /// Our key.
    pub key: ClientKey,
    /// What its certificate is checked against.
    pub trust: Trust,
}

/// What the broker's certificate is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Its public key is one of these; then who signed it, for which name and until when do not matter.
    Pins(Vec<Pin>),
    /// Certificates in this file, and the name in the address.
    CaFile(PathBuf),
    /// The system's certificates (or the file in `SSL_CERT_FILE`), and the name in the address.
    System(Option<PathBuf>),
}

impl Settings {
    /// Reads the settings files and the environment.
    pub fn read(surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<Self, Failure> {
        let written = Written::gather(surroundings, talk)?;
        trust::require(&written, surroundings)?;
        Self::from_written(&written, surroundings, talk)
    }

    /// What the written settings mean.
    pub fn from_written(written: &Written, surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<Self, Failure> {
        let Some(source) = written.get(Key::TokenSource) else {
            return credentials_file(written, surroundings).map(Self::Local);
        };
        match source.text.as_str() {
            "local" => credentials_file(written, surroundings).map(Self::Local),
            "remote" => remote(written, surroundings, talk).map(Self::Remote),
            "ssh" => Err(source.wrong("the ssh source comes with a later version").with_hint("use local or remote")),
            text if text.contains(',') => {
                Err(source.wrong("a list of sources comes with a later version").with_hint("use local or remote"))
            }
            _ => Err(source.wrong("unknown source").with_hint("use local or remote")),
        }
    }
}

fn credentials_file(written: &Written, surroundings: &Surroundings<'_>) -> Result<CredentialsFile, Failure> {
    if let Some(value) = written.get(Key::CredentialsFile) {
        return Ok(CredentialsFile::Chosen(value.as_path(&surroundings.directory)));
    }
    let codex_home = surroundings.absolute_path("CODEX_HOME");
    let home = codex_home.or_else(|| surroundings.absolute_path("HOME").map(|home| home.join(".codex")));
    let missing = || Failure::configuration("HOME is not set").with_hint("set CODEX_CREDENTIALS_FILE");
    Ok(CredentialsFile::Stock(home.ok_or_else(missing)?.join("auth.json")))
}

fn remote(written: &Written, surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<RemoteSettings, Failure> {
    let key_value = written.one_of(Key::ApiKey, Key::ApiKeyFile)?;
    let Some(url) = written.get(Key::RemoteUrl) else {
        let failure = Failure::configuration(format!("no address of a broker: {DEFAULT_REMOTE_URL} gets no key"));
        return Err(failure.with_hint("set CODEX_REMOTE_URL to your broker's address"));
    };
    let Some(key_value) = key_value else {
        let hint = "set TOKEN_HTTP_API_KEY or TOKEN_HTTP_API_KEY_FILE (scorpiox-broker client add prints a key)";
        return Err(Failure::configuration("no client key").with_hint(hint));
    };
    Ok(RemoteSettings {
        url: BrokerUrl::parse(&url.text).map_err(|error| url.wrong(error))?,
        key: client_key(key_value, surroundings, talk)?,
        trust: trust(written, surroundings)?,
    })
}

fn client_key(value: &WrittenValue, surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<ClientKey, Failure> {
    if value.key != Key::ApiKeyFile {
        return ClientKey::parse(&value.text).map_err(|error| value.wrong(error));
    }
    let path = value.as_path(&surroundings.directory);
    let wrong = |why: String| value.wrong(format!("{} {why}", path.display()));
    let content = bounded_file::read(&path, LONGEST_KEY_FILE, Symlinks::Follow).map_err(|e| wrong(e.to_string()))?;
    // A container's mounted secret is often world-readable and nobody can change that from inside: a warning.
    if content.metadata.mode() & GROUP_AND_OTHERS != 0 {
        talk.warn(format!("{} can be read by other users; chmod 600 {}", path.display(), path.display()));
    }
    let text = std::str::from_utf8(&content.bytes).map_err(|_| wrong("is not a text".into()))?;
    ClientKey::parse(text.trim()).map_err(|error| wrong(format!("holds no key: {error}")))
}

fn trust(written: &Written, surroundings: &Surroundings<'_>) -> Result<Trust, Failure> {
    if let Some(pins) = written.get(Key::RemotePin) {
        return Pin::parse_list(&pins.text).map(Trust::Pins).map_err(|error| pins.wrong(error));
    }
    if let Some(file) = written.get(Key::RemoteCaFile) {
        return Ok(Trust::CaFile(file.as_path(&surroundings.directory)));
    }
    Ok(Trust::System(surroundings.absolute_path("SSL_CERT_FILE")))
}

/// The directory for caches of the user, or `None` when neither `XDG_CACHE_HOME` nor `HOME` is set.
pub fn cache_directory(surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    let home = || surroundings.absolute_path("HOME").map(|home| home.join(".cache"));
    surroundings.absolute_path("XDG_CACHE_HOME").or_else(home).map(|caches: PathBuf| caches.join(Path::new("scorpiox")))
}

#[cfg(test)]
#[path = "settings/tests.rs"]
mod tests;
