//! A backup: everything that a broker is, in one file that only its owner can open.
//!
//! The file is an age file (<https://age-encryption.org/v1>) to a passphrase or to recipients, and in it is a tar archive:
//! `age -d FILE | tar -t` lists it. Its first member, `manifest.json`, says what the others are.
//!
//! * [`archive`]: tar, as little of it as is needed.
//! * [`envelope`]: who can open a backup.
//! * [`manifest`]: what is in it.
//! * [`collect`]: a running broker's members, in an order that loses nothing.
//! * [`unpack`]: reads one, to check it or to put it into an empty directory.
//! * [`marker`]: the data directory remembers that it came out of a backup.

pub mod archive;
pub mod collect;
pub mod envelope;
pub mod manifest;
pub mod marker;
pub mod unpack;

/// Why a backup cannot be made, read or restored. Each text says what is wrong, not what is in it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A disk, or what is between us and it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Not what was asked for can open it: the wrong passphrase, or somebody else's identity.
    #[error("{0}")]
    Closed(&'static str),
    /// It opens, and what is in it is not what it says.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// The directory to restore to.
    #[error("{0}")]
    Place(String),
    /// The broker's own files.
    #[error("{0}")]
    Source(String),
}

#[cfg(test)]
mod tests;
