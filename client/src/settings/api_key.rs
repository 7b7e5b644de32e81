//! The key of the remote source: a broker's client key, or whatever another endpoint takes for a bearer.

use std::fmt;

use scorpiox_wire::client_key::MalformedKey;
use scorpiox_wire::{ClientKey, Secret};

/// How a broker's key begins.
const OURS: &str = "sxk_";
/// The longest key of another endpoint, in bytes.
const LONGEST: usize = 4096;

/// A key that can be put into a header.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    text: Secret,
    id: String,
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongKey {
    /// It begins like a broker's and is none: most likely not all of it was copied.
    #[error(transparent)]
    Malformed(#[from] MalformedKey),
    /// No header could carry it.
    #[error("a key is one word of visible ASCII characters; a broker's starts with sxk_")]
    NotAWord,
}

impl ApiKey {
    /// Reads a key. One that begins like a broker's must be whole.
    pub fn parse(text: &str) -> Result<Self, WrongKey> {
        if text.starts_with(OURS) {
            let key = ClientKey::parse(text)?;
            return Ok(Self { id: key.id().to_owned(), text: Secret::new(text) });
        }
        let is_word = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_word.then(|| Self { text: Secret::new(text), id: "bearer".to_owned() }).ok_or(WrongKey::NotAWord)
    }

    /// The public part of a broker's key, `bearer` of any other.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole key: what goes behind `Authorization: Bearer`.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [redacted]", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sxk_7f3k9q2m1c0d_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8_b89088a4";

    #[test]
    fn a_brokers_key_must_be_whole_and_any_other_one_word() {
        assert_eq!(ApiKey::parse(KEY).unwrap().id(), "7f3k9q2m1c0d");
        assert_eq!(ApiKey::parse("tok_0123~!").unwrap().id(), "bearer");
        assert!(matches!(ApiKey::parse(&KEY[..60]), Err(WrongKey::Malformed(_))));
        for text in ["", "a b", "$(touch ran)", "a\nb", "clé", "\u{7f}"] {
            assert_eq!(ApiKey::parse(text), Err(WrongKey::NotAWord), "{text}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?} {:?}", ApiKey::parse(KEY).unwrap(), ApiKey::parse("hush").unwrap());
        assert_eq!(shown, "7f3k9q2m1c0d [redacted] bearer [redacted]");
    }
}
