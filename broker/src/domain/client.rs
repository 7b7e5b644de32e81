//! A machine, person or CI job that may fetch tokens.

use super::credential::{CredentialId, Name};
use crate::clock::Timestamp;

/// Stable id of a client: 12 of `0-9a-z`, random; the key's own id changes when the key does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(String);

impl ClientId {
    /// From random bytes.
    pub fn from_random(bytes: [u8; 12]) -> Self {
        Self(CredentialId::from_random(bytes).as_str().to_owned())
    }

    /// From our own database, where only such ids are written.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// HMAC-SHA-256 of a client key under the pepper: enough to recognise the key, not to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMac([u8; 32]);

impl KeyMac {
    /// Of a client without a key, which signs in by browser: no text has this MAC.
    pub const NONE: Self = Self([0; 32]);

    /// From stored or computed bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A machine, person or CI job that may fetch tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Stable id.
    pub id: ClientId,
    /// What people call it.
    pub name: Name,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Public part of its key.
    pub key_id: String,
    /// Recognises its key.
    pub key_mac: KeyMac,
}

impl Client {
    /// False for one that signs in by browser.
    pub fn has_key(&self) -> bool {
        self.key_mac != KeyMac::NONE
    }
}
