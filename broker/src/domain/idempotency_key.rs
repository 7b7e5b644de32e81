//! A name that whoever asks for a change gives to it, so that asking twice does not do it twice.

use std::fmt;

/// 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// The text is no [`IdempotencyKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an Idempotency-Key has 1 to 255 visible ASCII characters, and there is one")]
pub struct MalformedIdempotencyKey;

impl IdempotencyKey {
    /// The header's only value.
    pub fn read<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Self>, MalformedIdempotencyKey> {
        let mut values = values.into_iter();
        let Some(value) = values.next() else { return Ok(None) };
        let visible = !value.is_empty() && value.len() <= 255 && value.iter().all(u8::is_ascii_graphic);
        match std::str::from_utf8(value) {
            Ok(text) if visible && values.next().is_none() => Ok(Some(Self(text.to_owned()))),
            Ok(_) | Err(_) => Err(MalformedIdempotencyKey),
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known of a request that came before under the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before<A> {
    /// Another request.
    Another,
    /// The same one, and what was answered.
    Answered(A),
    /// The same one; nothing was answered yet.
    Unanswered,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_header_of_visible_characters() {
        let read = |values: &[&str]| IdempotencyKey::read(values.iter().map(|value| value.as_bytes()));
        assert_eq!(read(&[]), Ok(None));
        let longest = "k".repeat(255);
        for good in ["8e03978e-40d5-43dd-bc93-6894a57f9324", "!", "\"quoted\"", &longest] {
            assert_eq!(read(&[good]).unwrap().unwrap().as_str(), good);
        }
        for bad in [&[""][..], &["a b"], &["a\u{e9}"], &["\t"], &["a", "a"], &["k".repeat(256).as_str()]] {
            assert_eq!(read(bad), Err(MalformedIdempotencyKey), "{bad:?}");
        }
    }
}
