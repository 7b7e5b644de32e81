//! Somebody with a key.

use scorpiox_wire::admin::ClientIssued;

/// A client key, as its owner has it.
#[derive(Debug, Clone)]
pub struct Key(pub String);

/// A client as it was made.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: Key,
    /// `CODEX_REMOTE_URL`.
    pub url: String,
    /// `CODEX_REMOTE_PIN`.
    pub pin: Option<String>,
}

impl From<ClientIssued> for Client {
    fn from(issued: ClientIssued) -> Self {
        Self { name: issued.client.name, key: Key(issued.key.expose().to_owned()), url: issued.url, pin: issued.pin }
    }
}

impl Key {
    /// The value of `Authorization`.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}
