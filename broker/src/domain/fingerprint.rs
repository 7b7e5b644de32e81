//! The name of a refresh token that may be kept when the token may not.

use std::fmt;
use std::str::FromStr;

use crate::hex;

/// A refresh token's name: equal tokens have equal fingerprints, and nobody without the master key can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; Self::LENGTH]);

impl Fingerprint {
    /// Length in bytes.
    pub const LENGTH: usize = 16;

    /// From the bytes that [`Self::as_bytes`] gave.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// The text is no [`Fingerprint`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has 32 hexadecimal digits")]
pub struct MalformedFingerprint;

impl FromStr for Fingerprint {
    type Err = MalformedFingerprint;

    fn from_str(text: &str) -> Result<Self, MalformedFingerprint> {
        hex::decode_exact(text).map(Self).ok_or(MalformedFingerprint)
    }
}
