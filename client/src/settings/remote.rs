//! The remote source as it is meant: which broker, with which key, and how it is known to be the right one.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::Surroundings;
use super::api_key::ApiKey;
use super::broker_url::BrokerUrl;
use super::pin::Pin;
use super::written::{Key, Written, WrittenValue};
use crate::bounded_file::{self, Symlinks};
use crate::failure::Failure;
use crate::talk::Talk;

/// The endpoint of the product whose conventions we keep. No key of ours is ever sent there.
pub const DEFAULT_REMOTE_URL: &str = "https://token.scorpiox.net/codex";
/// The longest file that is read for a key, in bytes.
const LONGEST_KEY_FILE: u64 = 4096;
const GROUP_AND_OTHERS: u32 = 0o077;

/// Which broker, with which key, and how it is known to be the right one.
#[derive(Debug)]
pub struct RemoteSettings {
    /// Its token address.
    pub url: BrokerUrl,
    /// Our key; another endpoint than a broker may need none.
    pub key: Option<ApiKey>,
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

impl RemoteSettings {
    /// What the written settings mean.
    pub fn from_written(written: &Written, surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<Self, Failure> {
        let key_value = written.one_of(Key::ApiKey, Key::ApiKeyFile)?;
        let Some(url) = written.get(Key::RemoteUrl) else {
            let failure = Failure::unconfigured(format!("no address of a broker: {DEFAULT_REMOTE_URL} gets no key"));
            return Err(failure.with_hint("set CODEX_REMOTE_URL to your broker's address"));
        };
        Ok(Self {
            url: BrokerUrl::parse(&url.text).map_err(|error| url.wrong(error))?,
            key: key_value.map(|value| api_key(value, surroundings, talk)).transpose()?,
            trust: trust(written, surroundings)?,
        })
    }
}

fn api_key(value: &WrittenValue, surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<ApiKey, Failure> {
    if value.key != Key::ApiKeyFile {
        return ApiKey::parse(&value.text).map_err(|error| value.wrong(error));
    }
    let path = value.as_path(&surroundings.directory);
    let wrong = |why: String| value.wrong(format!("{} {why}", path.display()));
    let content = bounded_file::read(&path, LONGEST_KEY_FILE, Symlinks::Follow).map_err(|e| wrong(e.to_string()))?;
    // A container's mounted secret is often world-readable and nobody can change that from inside: a warning.
    if content.metadata.mode() & GROUP_AND_OTHERS != 0 {
        talk.warn(format!("{} can be read by other users; chmod 600 {}", path.display(), path.display()));
    }
    let text = std::str::from_utf8(&content.bytes).map_err(|_| wrong("is not a text".into()))?;
    ApiKey::parse(text.trim()).map_err(|error| wrong(format!("holds no key: {error}")))
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
