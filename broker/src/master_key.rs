//! The two keys that live outside the database: the master key, and the pepper of client keys.

use std::fmt;
use std::path::Path;

use aws_lc_rs::{hmac, rand};
use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use crate::key_file::{self, Kind};
use crate::seal::MasterKey;

pub use crate::key_file::{Argon, KeyFileError};

/// Makes a new master key and its file. [`KeyFileError::Exists`] when there is one already: it is left as it is.
pub fn create(path: &Path) -> Result<MasterKey, KeyFileError> {
    let key = MasterKey::generate();
    key_file::create(path, Kind::Master, &Zeroizing::new(*key.expose()))?;
    Ok(key)
}

/// Reads the master key. Changes nothing, whatever is wrong with the file.
pub fn load(path: &Path, passphrase: Option<&Secret>) -> Result<MasterKey, KeyFileError> {
    key_file::load(path, Kind::Master, passphrase).map(|key| MasterKey::from_bytes(*key))
}

/// Protects the file by a passphrase from now on; `current` is the one it has, if any.
///
/// The unprotected text may survive in free blocks of the disk: a key that was never to be there in the clear is
/// wrapped right after it was made.
pub fn wrap(path: &Path, current: Option<&Secret>, passphrase: &Secret, argon: Argon) -> Result<(), KeyFileError> {
    key_file::rewrite(path, Kind::Master, current, Some((passphrase, argon)))
}

/// Removes the passphrase.
pub fn unwrap(path: &Path, passphrase: &Secret) -> Result<(), KeyFileError> {
    key_file::rewrite(path, Kind::Master, Some(passphrase), None)
}

impl MasterKey {
    /// Whether this is a key that everybody knows; [`load`] refuses such a one.
    pub fn is_sample(&self) -> bool {
        key_file::is_sample(self.expose())
    }
}

/// What a client key's MAC is made with. It lies outside the database, so that a copy of the database cannot be used to
/// try keys.
#[derive(Clone)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// Makes a new pepper and its file. [`KeyFileError::Exists`] when there is one already: it is left as it is.
    pub fn create(path: &Path) -> Result<Self, KeyFileError> {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(bytes.as_mut_slice()).expect("the machine has a random source");
        key_file::create(path, Kind::Pepper, &bytes)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// Reads the pepper.
    pub fn load(path: &Path, passphrase: Option<&Secret>) -> Result<Self, KeyFileError> {
        key_file::load(path, Kind::Pepper, passphrase).map(|bytes| Self::from_bytes(&bytes))
    }

    /// Protects the file by a passphrase from now on; `current` is the one it has, if any.
    pub fn wrap(path: &Path, current: Option<&Secret>, passphrase: &Secret, argon: Argon) -> Result<(), KeyFileError> {
        key_file::rewrite(path, Kind::Pepper, current, Some((passphrase, argon)))
    }

    /// A pepper that was kept somewhere.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Names this pepper, so that another one in its place is noticed before every key is refused. Not secret.
    pub fn id(&self) -> String {
        let tag = hmac::sign(&self.0, b"scorpiox-broker pepper id 1");
        crate::hex::encode(&tag.as_ref()[..8]).to_string()
    }

    /// What the database keeps of a key: HMAC-SHA-256 over its whole text.
    pub fn mac(&self, key_text: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.0, key_text.as_bytes());
        tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
    }

    /// Whether `mac` is what [`Self::mac`] gave for this text, compared in constant time.
    pub fn verify(&self, key_text: &str, mac: &[u8]) -> bool {
        hmac::verify(&self.0, key_text.as_bytes(), mac).is_ok()
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper([redacted])")
    }
}

#[cfg(test)]
mod tests;
