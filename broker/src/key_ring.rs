//! The key ring: which master key seals now, which ones did before, and a change from one to the next.
//!
//! ```text
//! scorpiox-key-ring 1
//! current 3d9688cf68cb76bc                        seals from now on
//! names 9af01c77e2d5b640                          makes names and MACs: the first key that this data had
//! former 9af01c77e2d5b640 hexadecimal digits      a key that was replaced, sealed under the current one; one line each
//! heir 9af01c77e2d5b640 hexadecimal digits        the current key, sealed under the one it replaces; only during a change
//! ```
//!
//! While a change is under way either of the two keys opens the ring, so that a broker which was killed at any moment of
//! it starts with whichever its source still has. Afterwards the heir's line is gone: the old key opens nothing any more,
//! and the current one opens everything, an old copy of the database too. Data whose key was never changed has no ring.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use crate::durable_file;
use crate::hex;
use crate::seal::{KeyId, MasterKey, Place, Sealer};

const FIRST_LINE: &str = "scorpiox-key-ring 1";
/// The file in the data directory.
pub const NAME: &str = "key-ring";
/// A ring of a thousand changes is smaller.
const LARGEST: u64 = 1 << 20;

/// Where a change of the key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// None is under way.
    Settled,
    /// What was sealed under this key is being sealed anew.
    From(KeyId),
}

/// The keys of one data directory.
#[derive(Debug, Clone)]
pub struct KeyRing {
    current: MasterKey,
    former: Vec<MasterKey>,
    names: KeyId,
    change: Change,
}

/// Why a ring does not open. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The key that was given is not the one, or not any more.
    #[error(
        "this data needs the master key with id {needed}, and the one given has the id {given}. Nothing was changed"
    )]
    OtherKey {
        /// The key that opens it.
        needed: KeyId,
        /// The key that was given.
        given: KeyId,
    },
    /// It is cut off, damaged, or of a later version.
    #[error("the key ring is no one that this version can use: {0}; restore it from a copy")]
    Malformed(&'static str),
    /// The machine refused.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl KeyRing {
    /// Of data whose key was never changed.
    pub fn alone(key: MasterKey) -> Self {
        Self { names: key.key_id(), current: key, former: Vec::new(), change: Change::Settled }
    }

    /// Opens the ring with the key that the source gave; `None` when there is no such file.
    pub fn open(path: &Path, given: &MasterKey) -> Result<Option<Self>, KeyRingError> {
        match crate::bounded_file::read(path, LARGEST) {
            Ok((bytes, _)) => {
                let text = std::str::from_utf8(&bytes).map_err(|_| KeyRingError::Malformed("it is no text"))?;
                Self::read(text, given).map(Some)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(durable_file::about(path, error).into()),
        }
    }

    /// Writes the ring. A stop in between leaves the old file or the new one.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        durable_file::replace(path, self.text().as_bytes())
    }

    /// A change to `next` begins.
    pub fn changing_to(&self, next: MasterKey) -> Self {
        let mut former = self.former.clone();
        former.push(self.current.clone());
        Self { former, names: self.names, change: Change::From(self.current.key_id()), current: next }
    }

    /// The change is done: the key that was replaced opens nothing any more.
    pub fn settled(&self) -> Self {
        Self { change: Change::Settled, ..self.clone() }
    }

    /// What seals and opens with these keys.
    pub fn sealer(&self) -> Sealer {
        Sealer::with(&self.current, &self.former, self.names)
    }

    /// The key that seals now.
    pub fn current(&self) -> &MasterKey {
        &self.current
    }

    /// Where a change of the key stands.
    pub fn change(&self) -> Change {
        self.change
    }

    /// Whether this key is or was one of this data.
    pub fn knows(&self, id: KeyId) -> bool {
        std::iter::once(&self.current).chain(&self.former).any(|key| key.key_id() == id)
    }

    /// Whether there ever was another key: a ring of one key needs no file.
    pub fn was_changed(&self) -> bool {
        !self.former.is_empty()
    }

    /// The text of its file.
    pub fn text(&self) -> String {
        let current = Sealer::new(&self.current);
        let mut text = format!("{FIRST_LINE}\ncurrent {}\nnames {}\n", current.key_id(), self.names);
        let mut line = |word: &str, id: KeyId, sealed: &[u8]| {
            writeln!(text, "{word} {id} {}", *hex::encode(sealed)).expect("a string takes every write");
        };
        for key in &self.former {
            let id = key.key_id();
            line("former", id, &current.seal(&place("former", &id.to_string()), key.expose()));
        }
        if let Change::From(id) = self.change
            && let Some(from) = self.former.iter().find(|key| key.key_id() == id)
        {
            let sealed = Sealer::new(from).seal(&place("heir", &current.key_id().to_string()), self.current.expose());
            line("heir", id, &sealed);
        }
        text
    }

    fn read(text: &str, given: &MasterKey) -> Result<Self, KeyRingError> {
        let written = Written::read(text).ok_or(KeyRingError::Malformed("its lines are not those of this version"))?;
        let damaged = || KeyRingError::Malformed("a key in it does not open");
        let current = if written.current == given.key_id() {
            given.clone()
        } else {
            let heir = written.heir.as_ref().filter(|(from, _)| *from == given.key_id());
            let other = KeyRingError::OtherKey { needed: written.current, given: given.key_id() };
            let (_, sealed) = heir.ok_or(other)?;
            unseal(given, "heir", written.current, sealed).ok_or_else(damaged)?
        };
        let former: Option<Vec<_>> =
            written.former.iter().map(|(id, sealed)| unseal(&current, "former", *id, sealed)).collect();
        let former = former.ok_or_else(damaged)?;
        let change = written.heir.map_or(Change::Settled, |(from, _)| Change::From(from));
        let ring = Self { current, former, names: written.names, change };
        // A ring without the key of its names would give other names to the same tokens.
        if ring.knows(ring.names) { Ok(ring) } else { Err(damaged()) }
    }
}

/// The lines before any of them is believed.
struct Written {
    current: KeyId,
    names: KeyId,
    former: Vec<(KeyId, Vec<u8>)>,
    heir: Option<(KeyId, Vec<u8>)>,
}

impl Written {
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == FIRST_LINE).then_some(())?;
        let current = lines.next()?.strip_prefix("current ")?.parse().ok()?;
        let names = lines.next()?.strip_prefix("names ")?.parse().ok()?;
        let mut written = Self { current, names, former: Vec::new(), heir: None };
        for line in lines {
            let mut words = line.split(' ');
            let (word, id, sealed) = (words.next()?, words.next()?.parse().ok()?, hex::decode(words.next()?)?.to_vec());
            match word {
                "former" => written.former.push((id, sealed)),
                "heir" if written.heir.is_none() => written.heir = Some((id, sealed)),
                _ => return None,
            }
        }
        Some(written)
    }
}

fn place<'a>(column: &'a str, row: &'a str) -> Place<'a> {
    Place { table: "key-ring", row, column, generation: 0 }
}

fn unseal(under: &MasterKey, column: &str, id: KeyId, sealed: &[u8]) -> Option<MasterKey> {
    let opened = Sealer::new(under).open(&place(column, &id.to_string()), sealed).ok()?;
    let bytes = Zeroizing::new(<[u8; 32]>::try_from(opened.as_slice()).ok()?);
    Some(MasterKey::from_bytes(*bytes)).filter(|key| key.key_id() == id)
}

#[cfg(test)]
mod tests;
