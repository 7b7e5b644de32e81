//! A backup of everything that the broker is.

use serde::{Deserialize, Serialize};

use crate::Secret;

/// Make a backup: closed with a passphrase, or to recipients. The answer is the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BackupRequest {
    /// Whoever has it opens the backup.
    #[serde(default, serialize_with = "maybe_outward", skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<Secret>,
    /// age public keys, `age1…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
}

/// Change the master key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RekeyRequest {
    /// A file on the broker's machine that holds the next key: needed where the key does not come from a file that the
    /// broker can write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_key_file: Option<String>,
}

/// How a change of the master key stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RekeyView {
    /// The key that seals now.
    pub key_id: String,
    /// The key that is being replaced; absent when no change is under way.
    pub replaces: Option<String>,
    /// Cells that were sealed anew by this run of the broker.
    pub moved: u64,
    /// Cells that do not open and were left as they are.
    pub damaged: u64,
    /// What is still to be done by a person; absent when nothing is.
    pub next: Option<String>,
}

fn maybe_outward<S: serde::Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => crate::token::outward(secret, serializer),
        None => serializer.serialize_none(),
    }
}
