//! The shape of an admin key: that of a client's key behind another prefix, so that neither is taken for the other.
//!
//! ```text
//! sxa_ 7f3k9q2m1c0d _ 43 characters of unpadded base64url (32 random bytes) _ 8 hex digits
//! ```

use std::fmt;

use crate::Secret;
use crate::client_key;

/// How an admin key begins.
pub const PREFIX: &str = "sxa_";

/// A well-formed admin key. Well-formed says nothing about whether the broker knows it.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminKey {
    id: String,
    text: Secret,
}

/// The text is no admin key. Shown to people, so it never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an admin key starts with sxa_ and has {} characters; this is another text, was cut off or mistyped",
    client_key::KEY_LENGTH
)]
pub struct MalformedAdminKey;

impl AdminKey {
    /// Builds the key from its id (12 of `0-9a-z`) and its secret part (43 of base64url).
    pub fn compose(id: &str, secret: &Secret) -> Result<Self, MalformedAdminKey> {
        Self::parse(client_key::with_check(PREFIX, id, secret).expose())
    }

    /// Reads a key as a person pasted it; the caller has trimmed surrounding space.
    pub fn parse(text: &str) -> Result<Self, MalformedAdminKey> {
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

/// The id of a well-formed key, without a copy of its secret part.
pub fn id_of(text: &str) -> Result<&str, MalformedAdminKey> {
    client_key::id_behind(PREFIX, text).map_err(|_| MalformedAdminKey)
}

impl fmt::Debug for AdminKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_[redacted]", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientKey;

    #[test]
    fn an_admin_key_and_a_client_key_are_never_taken_for_each_other() {
        let secret = Secret::new("A".repeat(client_key::SECRET_LENGTH));
        let admin = AdminKey::compose("7f3k9q2m1c0d", &secret).unwrap();
        let client = ClientKey::compose("7f3k9q2m1c0d", &secret).unwrap();
        assert_eq!(AdminKey::parse(admin.expose()).unwrap().id(), "7f3k9q2m1c0d");
        assert_eq!(AdminKey::parse(client.expose()), Err(MalformedAdminKey));
        assert!(ClientKey::parse(admin.expose()).is_err());
        assert!(!format!("{admin:?}").contains("AAAA"));
        for wrong in ["", "sxa_", &admin.expose()[1..], &admin.expose().replacen('A', "B", 1)] {
            assert_eq!(AdminKey::parse(wrong), Err(MalformedAdminKey), "{wrong}");
        }
    }
}
