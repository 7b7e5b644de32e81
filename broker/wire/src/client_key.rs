//! The shape of a client's key, so that a typing error is found before it travels.
//!
//! ```text
//! sxk_ 7f3k9q2m1c0d _ 43 characters of unpadded base64url (32 random bytes) _ 8 hex digits
//!      id: 12 of 0-9a-z                                                       CRC-32 of all before its underscore
//! ```
//!
//! The id is public: it names the key in logs, caches and the audit. The check digits catch a key that was cut
//! off or mistyped; they protect nothing else.

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::Secret;

/// Length of the id part, in characters.
pub const ID_LENGTH: usize = 12;
/// Length of the secret part: 32 bytes as unpadded base64url.
pub const SECRET_LENGTH: usize = 43;
const CHECK_LENGTH: usize = 8;
const PREFIX: &str = "sxk_";
/// Length of a whole key, in characters.
pub const KEY_LENGTH: usize = PREFIX.len() + ID_LENGTH + 1 + SECRET_LENGTH + 1 + CHECK_LENGTH;

/// A well-formed client key. Well-formed says nothing about whether the broker knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientKey {
    id: String,
    text: Secret,
}

/// Why a text is no client key. Shown to people, so it never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedKey {
    /// It does not start with `sxk_`.
    #[error("a client key starts with sxk_")]
    Prefix,
    /// It is shorter or longer than a key: usually cut off while copying.
    #[error("a client key has {KEY_LENGTH} characters; this one was cut off or has something added")]
    Length,
    /// A character that cannot be in a key.
    #[error("the client key holds a character that no key has")]
    Alphabet,
    /// The check digits do not fit the rest.
    #[error("the client key's check digits do not fit: one of its characters is wrong")]
    Check,
}

impl ClientKey {
    /// Builds the key from its id (12 of `0-9a-z`) and its secret part (43 of base64url).
    pub fn compose(id: &str, secret: &Secret) -> Result<Self, MalformedKey> {
        Self::parse(with_check(PREFIX, id, secret).expose())
    }

    /// Reads a key as a person pasted it; the caller has trimmed surrounding space.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        Ok(Self { id: id_of(text)?.to_owned(), text: Secret::new(text) })
    }

    /// The public part, 12 characters.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole key: what goes behind `Authorization: Bearer`.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }
}

/// The text of a key behind a prefix that is as long as a client key's.
pub(crate) fn with_check(prefix: &str, id: &str, secret: &Secret) -> Secret {
    let body = Secret::new(format!("{prefix}{id}_{}", secret.expose()));
    let check = crc32fast::hash(body.expose().as_bytes());
    Secret::new(format!("{}_{check:08x}", body.expose()))
}

/// The id of a well-formed key, without a copy of its secret part.
pub fn id_of(text: &str) -> Result<&str, MalformedKey> {
    id_behind(PREFIX, text)
}

/// The same behind another prefix of that length.
pub(crate) fn id_behind<'a>(prefix: &str, text: &'a str) -> Result<&'a str, MalformedKey> {
    let rest = text.strip_prefix(prefix).ok_or(MalformedKey::Prefix)?;
    if !text.is_ascii() {
        return Err(MalformedKey::Alphabet);
    }
    if text.len() != KEY_LENGTH {
        return Err(MalformedKey::Length);
    }
    let (id, rest) = rest.split_at(ID_LENGTH);
    let (secret, check) = rest[1..].split_at(SECRET_LENGTH);
    let separated = rest.starts_with('_') && check.starts_with('_');
    let in_id = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    let in_secret = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !separated || !id.bytes().all(in_id) || !secret.bytes().all(in_secret) {
        return Err(MalformedKey::Alphabet);
    }
    let expected = crc32fast::hash(&text.as_bytes()[..KEY_LENGTH - CHECK_LENGTH - 1]);
    if !is_hex_of(expected, &check.as_bytes()[1..]) {
        return Err(MalformedKey::Check);
    }
    Ok(id)
}

/// Eight lower-case digits, as [`ClientKey::compose`] writes them.
fn is_hex_of(number: u32, digits: &[u8]) -> bool {
    let digit = |place: usize| b"0123456789abcdef"[(number >> (28 - 4 * place) & 15) as usize];
    digits.iter().enumerate().all(|(place, found)| *found == digit(place))
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sxk_{}_[redacted]", self.id)
    }
}

impl<'de> Deserialize<'de> for ClientKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(deserializer)?;
        Self::parse(text.expose()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn key() -> String {
        ClientKey::compose("7f3k9q2m1c0d", &Secret::new(SECRET)).unwrap().expose().to_owned()
    }

    #[test]
    fn a_key_has_the_documented_shape() {
        assert_eq!(key(), format!("sxk_7f3k9q2m1c0d_{SECRET}_b89088a4"));
        assert_eq!(ClientKey::parse(&key()).unwrap().id(), "7f3k9q2m1c0d");
    }

    #[test]
    fn a_secret_part_full_of_underscores_is_still_read_by_position() {
        let secret = "_".repeat(SECRET_LENGTH);
        let key = ClientKey::compose("000000000000", &Secret::new(secret)).unwrap();
        assert_eq!(ClientKey::parse(key.expose()), Ok(key));
    }

    #[test]
    fn what_is_wrong_is_named_and_never_repeated() {
        let good = key();
        let cases = [
            (good.replacen("sxk_", "sk-_", 1), MalformedKey::Prefix),
            (good[..good.len() - 1].to_owned(), MalformedKey::Length),
            (format!("{good}x"), MalformedKey::Length),
            (String::from("sxk_"), MalformedKey::Length),
            (good.replacen("7f3k", "7F3K", 1), MalformedKey::Alphabet),
            (good.replacen("AAEC", "AA C", 1), MalformedKey::Alphabet),
            (good.replacen("AAEC", "AAED", 1), MalformedKey::Check),
            (good.replacen("7f3k", "7f3l", 1), MalformedKey::Check),
            (format!("sxk_é{}", &good[6..]), MalformedKey::Alphabet),
        ];
        for (text, expected) in cases {
            assert_eq!(ClientKey::parse(&text), Err(expected), "{text}");
            assert!(!expected.to_string().contains("AAE"));
        }
    }

    #[test]
    fn debug_shows_the_id_only() {
        let key = ClientKey::parse(&key()).unwrap();
        assert_eq!(format!("{key:?}"), "sxk_7f3k9q2m1c0d_[redacted]");
    }
}
