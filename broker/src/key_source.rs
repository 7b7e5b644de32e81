//! Where the master key comes from: a file, a credential of the service manager, or a command that asks a key service.
//!
//! Exactly one of them. Only a file is ever made or changed by the broker; the others are somebody else's to fill.
//!
//! * `command`: a command that prints the key.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use crate::config::Config;
use crate::key_file::{self, Argon, KeyBytes, KeyFileError, Kind};
use crate::master_key;
use crate::seal::MasterKey;
use crate::{bounded_file, hex};

mod command;

pub use command::CommandError;

/// More than any key needs.
const LARGEST: u64 = 4096;
/// Where the service manager puts credentials (systemd.exec(5)).
pub const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// The source of the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A key file, which the broker makes at its first start and changes when the key is changed.
    File(PathBuf),
    /// A credential of the service manager: a key file or 64 hexadecimal digits.
    Credential(PathBuf),
    /// A command that prints a key file or 64 hexadecimal digits: program and arguments.
    Command(Vec<String>),
}

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// The key, or the file that it is in.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The service manager set no directory of credentials.
    #[error(
        "[keys] master_key_credential is set, but {CREDENTIALS_DIRECTORY} is not: start the broker by systemd with \
         LoadCredential=, or use master_key_file"
    )]
    NoCredentials,
    /// The command.
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl KeySource {
    /// The one that the configuration names. `credentials` is where the service manager put its credentials.
    pub fn of(config: &Config, credentials: Option<OsString>) -> Result<Self, KeySourceError> {
        let keys = &config.keys;
        if let Some(name) = &keys.master_key_credential {
            let directory = credentials.filter(|path| !path.is_empty()).ok_or(KeySourceError::NoCredentials)?;
            return Ok(Self::Credential(Path::new(&directory).join(name)));
        }
        if !keys.master_key_command.is_empty() {
            return Ok(Self::Command(keys.master_key_command.clone()));
        }
        Ok(Self::File(config.master_key_file()))
    }

    /// Reads the key. Changes nothing, whatever is wrong.
    pub fn load(&self, passphrase: Option<&Secret>) -> Result<MasterKey, KeySourceError> {
        match self {
            Self::File(path) => Ok(master_key::load(path, passphrase)?),
            Self::Credential(path) => {
                let (bytes, _) = bounded_file::read(path, LARGEST).map_err(|source| match source.kind() {
                    std::io::ErrorKind::NotFound => KeyFileError::Missing(path.clone()),
                    _ => KeyFileError::Io { path: path.clone(), source },
                })?;
                Ok(printed_key(path, &bytes, passphrase)?)
            }
            Self::Command(words) => {
                let printed = command::ask(words)?;
                Ok(printed_key(Path::new(&words[0]), &printed, passphrase)?)
            }
        }
    }

    /// Puts another key where this one came from; true when it was put there. Only a file can be written.
    pub fn put(&self, key: &MasterKey, passphrase: Option<&Secret>) -> Result<bool, KeyFileError> {
        let Self::File(path) = self else { return Ok(false) };
        let bytes: KeyBytes = Zeroizing::new(*key.expose());
        key_file::put(path, Kind::Master, &bytes, passphrase.map(|passphrase| (passphrase, Argon::default())))?;
        Ok(true)
    }

    /// The file, or the command's program.
    pub fn place(&self) -> String {
        match self {
            Self::File(path) | Self::Credential(path) => path.display().to_string(),
            Self::Command(words) => words[0].clone(),
        }
    }
}

/// A key file's text, or nothing but 64 hexadecimal digits.
fn printed_key(origin: &Path, bytes: &[u8], passphrase: Option<&Secret>) -> Result<MasterKey, KeyFileError> {
    let malformed = |why| KeyFileError::Malformed { path: origin.to_owned(), why };
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is no text"))?;
    if let Some(key) = hex::decode_exact::<32>(text.trim()).map(Zeroizing::new) {
        if key_file::is_sample(&key) {
            return Err(KeyFileError::Sample(origin.to_owned()));
        }
        return Ok(MasterKey::from_bytes(*key));
    }
    let key = key_file::from_text(origin, text, Kind::Master, passphrase)?;
    Ok(MasterKey::from_bytes(*key))
}

#[cfg(test)]
mod tests;
