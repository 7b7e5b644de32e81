//! The answer to a redemption on its way into the file: `NAME.rescue`, synced before anything else is done with it.
//!
//! The place is taken before the refresh token is presented, so that a full disk is found out then and not later.
//!
//! ```text
//! {"version":1,"redeemed":"<fingerprint>","received_ms":1700000000000,"length":1234,"sha256":"<of the body>"}\n
//! <body: length bytes><zeros>
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::journal::Fingerprint;
use crate::bounded_file::{self, Symlinks, Unread};
use crate::durable_file;

const VERSION: u32 = 1;
/// Room for the longest answer and what stands above it.
const ROOM: usize = 64 * 1024 + 1024;

/// Where an answer is rescued to.
#[derive(Debug, Clone)]
pub struct Rescue(PathBuf);

/// The place, taken.
#[derive(Debug)]
pub struct Slot(File);

/// An answer that was rescued.
#[derive(Debug)]
pub struct Rescued {
    /// Which refresh token it answers.
    pub redeemed: Fingerprint,
    /// When it was received, milliseconds since the epoch.
    pub received_ms: i64,
    /// The answer.
    pub body: Zeroizing<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    redeemed: Fingerprint,
    received_ms: i64,
    length: usize,
    sha256: String,
}

impl Rescue {
    /// For the login in this file.
    pub fn beside(file: &Path) -> Self {
        Self(durable_file::beside(file, "rescue"))
    }

    /// Whether there may be something.
    pub fn is_there(&self) -> bool {
        self.0.symlink_metadata().is_ok()
    }

    /// Takes the place.
    pub fn prepare(&self) -> io::Result<Slot> {
        durable_file::remove(&self.0)?;
        let taken = OpenOptions::new().write(true).create_new(true).mode(durable_file::PRIVATE).open(&self.0);
        let taken = taken.and_then(|mut file| {
            file.write_all(&[0; ROOM])?;
            file.sync_all()?;
            durable_file::sync_directory_of(&self.0)?;
            Ok(Slot(file))
        });
        if taken.is_err() {
            // Half of a place is in the way of nobody but the next attempt, which begins by removing it.
            let _ = std::fs::remove_file(&self.0);
        }
        taken
    }

    /// What was rescued: `None` when the place is empty.
    pub fn read(&self) -> io::Result<Option<Rescued>> {
        match bounded_file::read(&self.0, ROOM as u64, Symlinks::Refuse) {
            Ok(content) => Ok(parse(&content.bytes)),
            Err(Unread::Missing) => Ok(None),
            Err(Unread::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(format!("{} {error}", self.0.display()))),
        }
    }

    /// Gives the place up: what was in it is elsewhere.
    pub fn clear(&self) -> io::Result<()> {
        durable_file::remove(&self.0)
    }

    /// Keeps what cannot be adopted, for a person: `NAME.aside`, then `NAME.aside-2` and so on.
    pub fn set_aside(&self, file: &Path) -> io::Result<PathBuf> {
        let numbered = (2..).map(|number: u32| durable_file::beside(file, &format!("aside-{number}")));
        let is_free = |path: &PathBuf| path.symlink_metadata().is_err();
        // Nobody else takes the name meanwhile: this happens under the lock.
        let mut names = std::iter::once(durable_file::beside(file, "aside")).chain(numbered);
        let aside = names.find(is_free).expect("one of so many names is free");
        std::fs::rename(&self.0, &aside)?;
        durable_file::sync_directory_of(&aside)?;
        Ok(aside)
    }
}

impl Slot {
    /// Puts an answer into the place. It is safe when this returns.
    pub fn fill(&self, redeemed: &Fingerprint, received_ms: i64, body: &[u8]) -> io::Result<()> {
        let head = Head {
            version: VERSION,
            redeemed: redeemed.clone(),
            received_ms,
            length: body.len(),
            sha256: digest(body),
        };
        let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
        serde_json::to_writer(&mut *bytes, &head)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(body);
        self.0.write_all_at(&bytes, 0)?;
        self.0.sync_all()
    }
}

fn parse(bytes: &[u8]) -> Option<Rescued> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
    let body = bytes[end + 1..].get(..head.length)?;
    (head.version == VERSION && head.sha256 == digest(body)).then(|| Rescued {
        redeemed: head.redeemed,
        received_ms: head.received_ms,
        body: Zeroizing::new(body.to_vec()),
    })
}

fn digest(body: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use scorpiox_wire::Secret;

    use super::*;

    #[test]
    fn what_was_rescued_is_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("codex-auth.json");
        let rescue = Rescue::beside(&file);
        assert!(!rescue.is_there() && rescue.read().unwrap().is_none());
        let slot = rescue.prepare().unwrap();
        assert!(rescue.read().unwrap().is_none(), "the place is empty");
        let redeemed = Fingerprint::of(&Secret::new("rt_1"));
        let longest = vec![b'x'; 64 * 1024];
        slot.fill(&redeemed, 7, &longest).unwrap();
        let rescued = rescue.read().unwrap().unwrap();
        assert_eq!((rescued.redeemed, rescued.received_ms), (redeemed, 7));
        assert_eq!(*rescued.body, longest);
        assert_eq!(std::fs::metadata(dir.path().join("codex-auth.json.rescue")).unwrap().mode() & 0o777, 0o600);
        rescue.set_aside(&file).unwrap();
        assert!(!rescue.is_there() && dir.path().join("codex-auth.json.aside").exists());
        rescue.prepare().unwrap();
        let second = rescue.set_aside(&file).unwrap();
        assert!(second.ends_with("codex-auth.json.aside-2") && second.exists(), "the first one stays");
    }

    #[test]
    fn a_torn_answer_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let rescue = Rescue::beside(&dir.path().join("a"));
        rescue.prepare().unwrap().fill(&Fingerprint::of(&Secret::new("r")), 7, b"answer").unwrap();
        let path = dir.path().join("a.rescue");
        let whole = std::fs::read(&path).unwrap();
        let end = whole.windows(6).position(|six| six == b"answer").unwrap();
        for torn in [&whole[..end + 5], &whole[..end / 2], &[]] {
            std::fs::write(&path, torn).unwrap();
            assert!(rescue.read().unwrap().is_none());
        }
        let mut flipped = whole;
        flipped[end] = b'A';
        std::fs::write(&path, flipped).unwrap();
        assert!(rescue.read().unwrap().is_none());
        rescue.clear().unwrap();
        rescue.clear().unwrap();
    }
}
