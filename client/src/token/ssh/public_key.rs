//! A public key of a host or a user, as it stands on the wire and in files.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// ```text
/// u32 length | type, such as ssh-ed25519 | the key's numbers
/// ```
/// RFC 4253, section 6.6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kind: String,
    wire: Vec<u8>,
}

impl PublicKey {
    /// `None` when the bytes do not begin with a type, or nothing follows it.
    pub fn from_wire(wire: &[u8]) -> Option<Self> {
        let (length, rest) = wire.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (kind, numbers) = rest.split_at_checked(length)?;
        let kind = std::str::from_utf8(kind).ok()?;
        let is_name = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_graphic());
        (is_name && !numbers.is_empty()).then(|| Self { kind: kind.to_owned(), wire: wire.to_owned() })
    }

    /// `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256` …
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// As it stands on the wire.
    pub fn as_wire(&self) -> &[u8] {
        &self.wire
    }

    /// `SHA256:…`, as `ssh-keygen -l` and an administrator say it.
    pub fn fingerprint(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(digest::digest(&digest::SHA256, &self.wire)))
    }

    /// The line of `known_hosts` that makes it known.
    pub fn line(&self, name: &str) -> String {
        format!("{name} {} {}", self.kind, STANDARD.encode(&self.wire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_type_with_something_behind_it_is_a_key() {
        for wire in
            [&b""[..], b"\0\0\0", b"\0\0\0\x01", b"\0\0\0\x01a", b"\0\0\0\0x", b"\xff\xff\xff\xffab", b"\0\0\0\x01\nx"]
        {
            assert_eq!(PublicKey::from_wire(wire), None, "{wire:?}");
        }
        assert_eq!(PublicKey::from_wire(b"\0\0\0\x01ax").unwrap().kind(), "a");
    }
}
