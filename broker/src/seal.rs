//! Sealing: what is written at rest can be read only with the master key, and only where it was put.
//!
//! ```text
//!     1        8        12         n          16         32
//!  +-----+---------+---------+------------+---------+------------+
//!  |  1  | key id  |  nonce  | ciphertext | GCM tag | commitment |
//!  +-----+---------+---------+------------+---------+------------+
//! ```
//!
//! The cipher is AES-256-GCM. Its additional data is the first nine bytes and the [`Place`]: each text behind its
//! length (32 bits), then the generation (64 bits), all big-endian. The commitment is HMAC-SHA-256 over the
//! additional data, the nonce and the GCM tag: GCM alone lets somebody who knows two keys build a text that opens under both.
//!
//! Every key in use is derived from the master key by HKDF-SHA-256 with a label of its own, so that a value made for
//! one purpose is never good for another.
//!
//! A master key can be changed while the broker serves ([`Sealer::succeed`]): from then on everything is sealed under
//! the new one, and what was sealed under an earlier one still opens. Names of refresh tokens and MACs keep the key
//! that they began with: they are compared with others that nobody could make anew.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{hkdf, hmac, rand};
use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use crate::domain::fingerprint::Fingerprint;
use crate::hex;

const VERSION: u8 = 1;
const HEADER_LENGTH: usize = 1 + KeyId::LENGTH;
const TAG_LENGTH: usize = 16;
const COMMITMENT_LENGTH: usize = 32;
/// How many bytes longer than its content a sealed text is.
pub const OVERHEAD: usize = HEADER_LENGTH + NONCE_LEN + TAG_LENGTH + COMMITMENT_LENGTH;

/// The key under which everything at rest is sealed.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// A new key from the machine's random source.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::fill(bytes.as_mut_slice()).expect("the machine has a random source");
        Self(bytes)
    }

    /// A key that was kept somewhere.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key itself: for its file only.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The name by which sealed values say which key they need. It tells nothing about the key.
    pub fn key_id(&self) -> KeyId {
        let full = derive(&root(self), &[b"key-id"]);
        KeyId(*full.first_chunk().expect("a derived key is longer than its id"))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.key_id())
    }
}

/// Public name of a key: 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; Self::LENGTH]);

impl KeyId {
    /// Length in bytes.
    pub const LENGTH: usize = 8;

    /// From the bytes that [`Self::as_bytes`] gave.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// The text is no [`KeyId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 16 hexadecimal digits")]
pub struct MalformedKeyId;

impl FromStr for KeyId {
    type Err = MalformedKeyId;

    fn from_str(text: &str) -> Result<Self, MalformedKeyId> {
        hex::decode_exact(text).map(Self).ok_or(MalformedKeyId)
    }
}

/// Where a sealed value lives. A value that is found anywhere else does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Table, or the kind of file.
    pub table: &'a str,
    /// The row's id.
    pub row: &'a str,
    /// The column.
    pub column: &'a str,
    /// The generation of the credential that the value belongs to; 0 where there is none.
    pub generation: u64,
}

/// Why a sealed value does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was sealed under another master key.
    #[error("sealed under master key {needed}")]
    WrongKey {
        /// The key that opens it.
        needed: KeyId,
    },
    /// It was changed, or moved here from another place.
    #[error("damaged, or moved here from another row, column or generation")]
    Damaged,
    /// It never was a sealed value, or is of a later version.
    #[error("no sealed value that this version knows")]
    Malformed,
}

/// Seals, opens, authenticates: everything that is done with the master key. Cheap to clone; all clones change together.
#[derive(Clone)]
pub struct Sealer(Arc<ArcSwap<Held>>);

/// The keys of one moment.
struct Held {
    /// Seals.
    current: Arc<Keys>,
    /// Open what was sealed before the current one came.
    former: Vec<Arc<Keys>>,
    /// Makes names and MACs.
    names: Arc<Keys>,
}

struct Keys {
    id: KeyId,
    root: hkdf::Prk,
    cipher: RandomizedNonceKey,
    commitment: hmac::Key,
    fingerprint: hmac::Key,
}

impl Keys {
    fn derive(master: &MasterKey) -> Self {
        let root = root(master);
        let cipher = derive(&root, &[b"seal"]);
        Self {
            id: master.key_id(),
            cipher: RandomizedNonceKey::new(&AES_256_GCM, cipher.as_slice()).expect("32 bytes are an AES-256 key"),
            commitment: hmac_key(&root, &[b"commitment"]),
            fingerprint: hmac_key(&root, &[b"fingerprint"]),
            root,
        }
    }
}

impl Sealer {
    /// Derives the keys in use from a master key that never was another one.
    pub fn new(master: &MasterKey) -> Self {
        Self::with(master, &[], master.key_id())
    }

    /// Seals under `current`, opens under each, and makes names and MACs with the one that is called `names`; with the
    /// current one when none is.
    pub fn with(current: &MasterKey, former: &[MasterKey], names: KeyId) -> Self {
        let current = Arc::new(Keys::derive(current));
        let former: Vec<_> = former.iter().map(|key| Arc::new(Keys::derive(key))).collect();
        let names = former.iter().find(|keys| keys.id == names).unwrap_or(&current);
        let held = Held { names: Arc::clone(names), current, former };
        Self(Arc::new(ArcSwap::from_pointee(held)))
    }

    /// Seals under `next` from now on; the key until now becomes a former one.
    pub fn succeed(&self, next: &MasterKey) {
        let next = Arc::new(Keys::derive(next));
        self.0.rcu(|held| {
            let mut former = held.former.clone();
            former.push(Arc::clone(&held.current));
            Held { current: Arc::clone(&next), former, names: Arc::clone(&held.names) }
        });
    }

    /// Id of the master key that seals now.
    pub fn key_id(&self) -> KeyId {
        self.0.load().current.id
    }

    /// Id of the master key behind names and MACs.
    pub fn names_id(&self) -> KeyId {
        self.0.load().names.id
    }

    /// Whether values that were sealed under this key can be opened.
    pub fn knows(&self, key: KeyId) -> bool {
        self.0.load().find(key).is_some()
    }

    /// Seals `plaintext` for its place; the result is [`OVERHEAD`] bytes longer.
    pub fn seal(&self, place: &Place<'_>, plaintext: &[u8]) -> Vec<u8> {
        let held = self.0.load();
        let keys = &held.current;
        let aad = additional_data(keys.id, place);
        // Room for all that follows: a vector that grows would leave copies of the plaintext behind.
        let mut sealed = Vec::with_capacity(OVERHEAD + plaintext.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(keys.id.as_bytes());
        sealed.extend_from_slice(&[0; NONCE_LEN]);
        sealed.extend_from_slice(plaintext);
        let (header, body) = sealed.split_at_mut(HEADER_LENGTH + NONCE_LEN);
        let (nonce, tag) = keys
            .cipher
            .seal_in_place_separate_tag(Aad::from(&aad), body)
            .expect("AES-GCM takes every text below 64 GiB");
        header[HEADER_LENGTH..].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        let commitment = keys.commit(&aad, nonce.as_ref(), tag.as_ref()).sign();
        sealed.extend_from_slice(commitment.as_ref());
        sealed
    }

    /// Opens what [`Self::seal`] made for the same place under the same key, or under one that it knew before.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let parts = Parts::read(sealed)?;
        let held = self.0.load();
        let keys = held.find(parts.key_id).ok_or(OpenError::WrongKey { needed: parts.key_id })?;
        let aad = additional_data(keys.id, place);
        let expected = keys.commit(&aad, parts.nonce, parts.tag()).sign();
        if !equal(expected.as_ref(), parts.commitment) {
            return Err(OpenError::Damaged);
        }
        let nonce = Nonce::try_assume_unique_for_key(parts.nonce).map_err(|_| OpenError::Malformed)?;
        let mut text = Zeroizing::new(parts.ciphertext_and_tag.to_vec());
        let length =
            keys.cipher.open_in_place(nonce, Aad::from(&aad), &mut text).map_err(|_| OpenError::Damaged)?.len();
        text.truncate(length);
        Ok(text)
    }

    /// A MAC over `bytes`, good for this purpose only.
    pub fn authenticate(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let held = self.0.load();
        let tag = hmac::sign(&hmac_key(&held.names.root, &[b"authenticate/", purpose.as_bytes()]), bytes);
        tag.as_ref().try_into().expect("HMAC-SHA-256 has 32 bytes")
    }

    /// Whether `mac` is what [`Self::authenticate`] gave, compared in constant time.
    pub fn verify(&self, purpose: &str, bytes: &[u8], mac: &[u8]) -> bool {
        equal(&self.authenticate(purpose, bytes), mac)
    }

    /// The name of a refresh token in logs, slots and the memory of dead logins.
    pub fn fingerprint(&self, refresh_token: &Secret) -> Fingerprint {
        let tag = hmac::sign(&self.0.load().names.fingerprint, refresh_token.expose().as_bytes());
        Fingerprint::from_bytes(*tag.as_ref().first_chunk().expect("HMAC-SHA-256 has 32 bytes"))
    }
}

impl Held {
    fn find(&self, id: KeyId) -> Option<&Keys> {
        std::iter::once(&self.current).chain(&self.former).find(|keys| keys.id == id).map(|keys| &**keys)
    }
}

impl Keys {
    fn commit(&self, aad: &[u8], nonce: &[u8], tag: &[u8]) -> hmac::Context {
        let mut context = hmac::Context::with_key(&self.commitment);
        // No lengths between the parts: the last two have fixed ones.
        context.update(aad);
        context.update(nonce);
        context.update(tag);
        context
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({})", self.key_id())
    }
}

/// A sealed value taken apart, before anything in it is believed.
struct Parts<'a> {
    key_id: KeyId,
    nonce: &'a [u8; NONCE_LEN],
    ciphertext_and_tag: &'a [u8],
    commitment: &'a [u8; COMMITMENT_LENGTH],
}

impl<'a> Parts<'a> {
    fn read(sealed: &'a [u8]) -> Result<Self, OpenError> {
        let split = || {
            let (version, rest) = sealed.split_first()?;
            let (key_id, rest) = rest.split_first_chunk()?;
            let (nonce, rest) = rest.split_first_chunk()?;
            let (ciphertext_and_tag, commitment) = rest.split_last_chunk()?;
            let known = *version == VERSION && ciphertext_and_tag.len() >= TAG_LENGTH;
            known.then_some(Self { key_id: KeyId(*key_id), nonce, ciphertext_and_tag, commitment })
        };
        split().ok_or(OpenError::Malformed)
    }

    fn tag(&self) -> &'a [u8] {
        &self.ciphertext_and_tag[self.ciphertext_and_tag.len() - TAG_LENGTH..]
    }
}

fn additional_data(key: KeyId, place: &Place<'_>) -> Vec<u8> {
    let mut data = vec![VERSION];
    data.extend_from_slice(key.as_bytes());
    for text in [place.table, place.row, place.column] {
        let length = u32::try_from(text.len()).expect("names of places are short");
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(text.as_bytes());
    }
    data.extend_from_slice(&place.generation.to_be_bytes());
    data
}

/// Whether two MACs are the same, in a time that does not depend on where they differ.
fn equal(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}

fn root(master: &MasterKey) -> hkdf::Prk {
    hkdf::Salt::new(hkdf::HKDF_SHA256, b"scorpiox-broker 1").extract(master.expose())
}

fn derive(root: &hkdf::Prk, label: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let filled = root.expand(label, hkdf::HKDF_SHA256).and_then(|output| output.fill(key.as_mut_slice()));
    filled.expect("HKDF-SHA-256 gives 32 bytes");
    key
}

fn hmac_key(root: &hkdf::Prk, label: &[&[u8]]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, derive(root, label).as_slice())
}

#[cfg(test)]
mod tests;
