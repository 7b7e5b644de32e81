//! The keys of a running broker, and the files that they are kept in.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use crate::key_file::{self, KeyFileError, Kind};
use crate::key_ring::{self, KeyRing};
use crate::key_source::KeySource;
use crate::seal::{KeyId, Sealer};

/// Where the keys of a broker are.
#[derive(Debug, Clone)]
pub struct Places {
    /// The data directory: identity and key ring.
    pub data: PathBuf,
    /// The pepper.
    pub pepper_file: PathBuf,
    /// The master key's source.
    pub source: KeySource,
}

/// The keys, their places, and what wraps them.
pub struct Vault {
    places: Places,
    passphrase: Option<Secret>,
    given: KeyId,
    ring: Mutex<KeyRing>,
    sealer: Sealer,
}

/// A file of keys as a backup has it: name and content.
pub type KeyMember = (&'static str, Zeroizing<Vec<u8>>);

impl Vault {
    /// `given` is the id of the key that the source gave at the start.
    pub fn new(places: Places, passphrase: Option<Secret>, given: KeyId, ring: KeyRing) -> Self {
        Self { sealer: ring.sealer(), ring: Mutex::new(ring), places, passphrase, given }
    }

    /// What seals and opens with these keys; follows every change of them.
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Where the keys are.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The id of the key that the source gave when the broker started.
    pub fn given(&self) -> KeyId {
        self.given
    }

    /// What wraps the key files, when something does.
    pub fn passphrase(&self) -> Option<&Secret> {
        self.passphrase.as_ref()
    }

    /// The keys of this moment.
    pub fn ring(&self) -> KeyRing {
        self.locked().clone()
    }

    /// Takes another ring, once it is on the disk.
    pub fn adopt(&self, next: KeyRing) -> io::Result<()> {
        let mut ring = self.locked();
        next.write(&self.places.data.join(key_ring::NAME))?;
        if next.current().key_id() != self.sealer.key_id() {
            self.sealer.succeed(next.current());
        }
        *ring = next;
        Ok(())
    }

    /// The file `identity` names the key that opens everything now.
    pub fn name_current_key(&self) -> io::Result<()> {
        let path = self.places.data.join("identity");
        let text = std::fs::read_to_string(&path)?;
        let current = self.ring().current().key_id().to_string();
        // version, instance, key id, pepper id
        let mut words: Vec<_> = text.split_whitespace().collect();
        match words.get_mut(2) {
            Some(named) if *named != current => *named = &current,
            Some(_) | None => return Ok(()),
        }
        crate::durable_file::replace(&path, format!("{}\n", words.join(" ")).as_bytes())
    }

    /// The files without which a copy of the database is of no use. None of them is wrapped.
    pub fn members(&self) -> Result<Vec<KeyMember>, KeyFileError> {
        let ring = self.ring();
        let file = |path: &Path| {
            let read = std::fs::read(path).map(Zeroizing::new);
            read.map_err(|source| KeyFileError::Io { path: path.to_owned(), source })
        };
        let text = |kind, key| Zeroizing::new(key_file::text(kind, key, None).as_bytes().to_vec());
        let pepper = key_file::load(&self.places.pepper_file, Kind::Pepper, self.passphrase())?;
        let mut members = vec![
            ("identity", file(&self.places.data.join("identity"))?),
            ("master.key", text(Kind::Master, &Zeroizing::new(*ring.current().expose()))),
            ("pepper.key", text(Kind::Pepper, &pepper)),
        ];
        if ring.was_changed() {
            members.push((key_ring::NAME, Zeroizing::new(ring.text().into_bytes())));
        }
        Ok(members)
    }

    fn locked(&self) -> MutexGuard<'_, KeyRing> {
        // Changed in one step, after the file.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
