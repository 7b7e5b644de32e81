//! Who may administer over the network: people with a password, programs with a key.

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::client::KeyMac;
use super::credential::Name;
use super::scope::Scopes;
use crate::clock::Timestamp;

/// Shortest password, in characters.
pub const SHORTEST_PASSWORD: usize = 12;
/// Longest password, in bytes: what is longer costs the hash more than a login may.
pub const LONGEST_PASSWORD: usize = 1024;

/// A password that may be set. (One that somebody tries is just a [`Secret`].)
#[derive(Debug, Clone)]
pub struct NewPassword(Secret);

/// Why a password is not taken. Never repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// Too easily guessed.
    #[error("a password has at least {SHORTEST_PASSWORD} characters; a few words are easy to remember and long enough")]
    Short,
    /// Longer than anybody types.
    #[error("a password has at most {LONGEST_PASSWORD} bytes")]
    Long,
    /// A line end or another control character cannot be typed again.
    #[error("a password holds no line end and no other control character")]
    Control,
}

impl NewPassword {
    /// Takes it if it is long enough.
    pub fn parse(text: Secret) -> Result<Self, BadPassword> {
        let characters = text.expose().chars();
        if characters.clone().any(char::is_control) {
            return Err(BadPassword::Control);
        }
        if text.expose().len() > LONGEST_PASSWORD {
            return Err(BadPassword::Long);
        }
        if characters.count() < SHORTEST_PASSWORD { Err(BadPassword::Short) } else { Ok(Self(text)) }
    }

    /// The password itself.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

/// What argon2id made of a password, and the salt it was made with.
///
/// ```text
///     1      16       32
///  +-----+--------+--------+
///  |  1  |  salt  |  hash  |      1: argon2id, 19 MiB, 2 rounds, 1 lane (OWASP's first choice for passwords)
///  +-----+--------+--------+
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    /// Random, another one for each password.
    pub salt: [u8; 16],
    /// What recognises the password.
    pub hash: Zeroizing<[u8; 32]>,
}

impl PasswordHash {
    /// Memory, in KiB.
    pub const MEMORY_KIB: u32 = 19 * 1024;
    /// Rounds.
    pub const ROUNDS: u32 = 2;
    /// Lanes.
    pub const LANES: u32 = 1;
    const VERSION: u8 = 1;

    /// As it is kept, sealed.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(49));
        bytes.push(Self::VERSION);
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(self.hash.as_slice());
        bytes
    }

    /// The reverse of [`Self::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (salt, hash) = rest.split_first_chunk()?;
        let hash = Zeroizing::new(<[u8; 32]>::try_from(hash).ok()?);
        (*version == Self::VERSION).then_some(Self { salt: *salt, hash })
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash([redacted])")
    }
}

/// A person who may administer over the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Stable id: somebody else with the same name later has another.
    pub id: String,
    /// What people call it.
    pub name: Name,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// Recognises its password.
    pub password: PasswordHash,
    /// When that was set.
    pub password_set_at: Timestamp,
    /// A session of another epoch has ended: a new password and a revocation begin the next one.
    pub session_epoch: u64,
}

/// A key with which a program administers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminKeyEntry {
    /// The public part of the key.
    pub id: String,
    /// What people call it.
    pub name: Name,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Recognises the key.
    pub mac: KeyMac,
}

impl AdminKeyEntry {
    /// Whether it has not ended by itself.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_of_eleven_characters_is_refused_and_one_of_twelve_is_not() {
        let take = |text: &str| NewPassword::parse(Secret::new(text)).map(|_| ());
        for (text, expected) in [
            ("", Err(BadPassword::Short)),
            ("elevenchars", Err(BadPassword::Short)),
            ("twelve chars", Ok(())),
            ("ääääääääääää", Ok(())),
            ("äääääääääää", Err(BadPassword::Short)),
            ("twelve chars\n", Err(BadPassword::Control)),
        ] {
            assert_eq!(take(text), expected, "{text}");
        }
        assert_eq!(take(&"x".repeat(LONGEST_PASSWORD)), Ok(()));
        assert_eq!(take(&"x".repeat(LONGEST_PASSWORD + 1)), Err(BadPassword::Long));
    }

    #[test]
    fn a_hash_is_kept_whole_and_never_shown() {
        let hash = PasswordHash { salt: [7; 16], hash: Zeroizing::new([9; 32]) };
        let bytes = hash.to_bytes();
        assert_eq!(PasswordHash::from_bytes(&bytes), Some(hash.clone()));
        let mut later = bytes.clone();
        later[0] = 2;
        for wrong in [&bytes[..48], &later[..], &[]] {
            assert_eq!(PasswordHash::from_bytes(wrong), None);
        }
        assert_eq!(format!("{hash:?}"), "PasswordHash([redacted])");
    }
}
