//! `sha256:` digests of a certificate's public key, as `CODEX_REMOTE_PIN` names them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const PREFIX: &str = "sha256:";
const DIGEST_LENGTH: usize = 32;

/// SHA-256 over the DER of a certificate's SubjectPublicKeyInfo (RFC 7469 §2.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pin([u8; DIGEST_LENGTH]);

/// The text names no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pin looks like sha256: and 44 characters of base64 or 64 of hexadecimal")]
pub struct MalformedPin;

impl Pin {
    /// The pin of a public key.
    pub fn of(spki: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, spki);
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// Reads one or several, separated by commas: two of them let the broker's key change without an outage.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, MalformedPin> {
        text.split(',').map(|pin| Self::parse(pin.trim())).collect()
    }

    fn parse(text: &str) -> Result<Self, MalformedPin> {
        let digest = text.strip_prefix(PREFIX).ok_or(MalformedPin)?;
        let bytes = if digest.len() == DIGEST_LENGTH * 2 { from_hex(digest) } else { STANDARD.decode(digest).ok() };
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(MalformedPin)
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    digits?.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_in_base64_and_in_hexadecimal() {
        // SHA-256 of "abc", FIPS 180-2 appendix B.1.
        let hex = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let base64 = "sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        let pin = Pin::of(b"abc");
        assert_eq!(Pin::parse_list(hex), Ok(vec![pin]));
        assert_eq!(Pin::parse_list(&format!("{base64}, {hex}")), Ok(vec![pin, pin]));
        assert_eq!(pin.to_string(), base64);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "sha256:", "ba78", "sha1:ungW", "sha256:ungWv48B", "sha256:é", &format!("sha256:{}", "g".repeat(64))]
        {
            assert_eq!(Pin::parse_list(text), Err(MalformedPin), "{text}");
        }
    }
}
