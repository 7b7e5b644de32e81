//! Names for tokens that can be written anywhere, because they are not the tokens.

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// Which token: the login it belongs to (from 1) and how often that login had been renewed (the login itself is 1).
///
/// An access token and the refresh token that came with it have the same serial. An answer without a refresh token
/// makes a generation that has only an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serial {
    /// The login.
    pub family: u32,
    /// The renewal within it.
    pub generation: u32,
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "family {}, generation {}", self.family, self.generation)
    }
}

/// A token that somebody presented.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRef {
    /// One of ours.
    Issued(Serial),
    /// Never issued here; the start of its SHA-256 in hexadecimal, so that equal ones can be recognised.
    Unknown(String),
}

impl TokenRef {
    pub(crate) fn unknown(token: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, token.as_bytes());
        Self::Unknown(hash.as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The serial, when it is one of ours.
    pub fn serial(&self) -> Option<Serial> {
        match self {
            Self::Issued(serial) => Some(*serial),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for TokenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issued(serial) => serial.fmt(f),
            Self::Unknown(fingerprint) => write!(f, "unknown token {fingerprint}"),
        }
    }
}
