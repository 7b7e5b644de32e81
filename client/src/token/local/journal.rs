//! What is on record of a file's renewals, beside the file: `NAME.renewal`. Durable before anything is presented.
//!
//! A record is about one refresh token, by its fingerprint: once the file holds another one it says nothing.

use std::io;
use std::path::{Path, PathBuf};

use scorpiox_wire::Secret;
use serde::{Deserialize, Serialize};

use crate::bounded_file::{self, Symlinks, Unread};
use crate::durable_file;

const LONGEST_RECORD: u64 = 4096;

/// Names a refresh token without telling it: SHA-256, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a refresh token.
    pub fn of(refresh_token: &Secret) -> Self {
        let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
        context.update(b"scorpiox refresh token\0");
        context.update(refresh_token.expose().as_bytes());
        Self(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// What is on record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Record {
    /// Nothing.
    #[default]
    Clear,
    /// It was, or is about to be, presented. Who finds this under the lock knows that no answer was kept.
    Sent(Doubt),
    /// It was not redeemed.
    Resting {
        /// Which.
        refresh_token: Fingerprint,
        /// Until when it is left alone, milliseconds since the epoch.
        until_ms: i64,
        /// What happened.
        why: String,
    },
    /// It never works again.
    Ended {
        /// Which.
        refresh_token: Fingerprint,
        /// The server's word.
        code: String,
    },
}

/// A presentation without a known answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Of which refresh token.
    pub refresh_token: Fingerprint,
    /// Since when, milliseconds since the epoch.
    pub since_ms: i64,
    /// How often it was presented.
    pub presented: u32,
    /// How often it was refused without a verdict.
    pub refused: u32,
}

impl Record {
    /// What is on record about this refresh token.
    pub fn about(&self, refresh_token: &Fingerprint) -> Option<&Self> {
        let about = match self {
            Self::Clear => return None,
            Self::Sent(doubt) => &doubt.refresh_token,
            Self::Resting { refresh_token, .. } | Self::Ended { refresh_token, .. } => refresh_token,
        };
        (about == refresh_token).then_some(self)
    }
}

/// The record beside a file.
#[derive(Debug, Clone)]
pub struct Journal(PathBuf);

impl Journal {
    /// Of the login in this file.
    pub fn beside(file: &Path) -> Self {
        Self(durable_file::beside(file, "renewal"))
    }

    /// What is on record. An unreadable record is an error: it may say that nothing may be presented.
    pub fn read(&self) -> io::Result<Record> {
        let content = match bounded_file::read(&self.0, LONGEST_RECORD, Symlinks::Refuse) {
            Err(Unread::Missing) => return Ok(Record::Clear),
            Err(Unread::Io(error)) => return Err(error),
            Err(error) => return Err(io::Error::other(format!("{} {error}", self.0.display()))),
            Ok(content) => content,
        };
        let broken = |_| io::Error::other(format!("{} is broken", self.0.display()));
        serde_json::from_slice(&content.bytes).map_err(broken)
    }

    /// Puts it on record, durably.
    pub fn write(&self, record: &Record) -> io::Result<()> {
        match record {
            Record::Clear => durable_file::remove(&self.0),
            record => durable_file::replace(&self.0, &serde_json::to_vec(record)?, durable_file::PRIVATE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_kept_and_tells_no_token() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::beside(&dir.path().join("codex-auth.json"));
        assert_eq!(journal.read().unwrap(), Record::Clear);
        let refresh_token = Fingerprint::of(&Secret::new("rt_canary"));
        let sent = Record::Sent(Doubt { refresh_token, since_ms: 1, presented: 2, refused: 3 });
        journal.write(&sent).unwrap();
        assert_eq!(journal.read().unwrap(), sent);
        let path = dir.path().join("codex-auth.json.renewal");
        assert!(!std::fs::read_to_string(&path).unwrap().contains("canary"));
        journal.write(&Record::Clear).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_broken_record_is_no_permission() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.json.renewal"), "{").unwrap();
        assert!(Journal::beside(&dir.path().join("a.json")).read().is_err());
    }

    #[test]
    fn a_record_is_about_one_refresh_token() {
        let of = |text: &str| Fingerprint::of(&Secret::new(text));
        let ended = Record::Ended { refresh_token: of("a"), code: "c".into() };
        assert_eq!((ended.about(&of("a")), ended.about(&of("b"))), (Some(&ended), None));
    }
}
