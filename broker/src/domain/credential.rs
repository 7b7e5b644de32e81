//! One login: who it is, which tokens it has, how its rotation stands.

use std::fmt;

use super::answer::{Identity, TokenGrant};
use super::fingerprint::Fingerprint;
use super::rotation::{Mark, NoTransition, Quarantine, Rotation};
use super::token_set::TokenSet;
use crate::clock::Timestamp;

/// Stable id of a credential: 12 of `0-9a-z`, random.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialId(String);

impl CredentialId {
    /// From random bytes.
    pub fn from_random(bytes: [u8; 12]) -> Self {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        Self(bytes.iter().map(|byte| char::from(DIGITS[usize::from(*byte) % DIGITS.len()])).collect())
    }

    /// From our own database, where only such ids are written.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that people give to a credential or a client: 1 to 64 of letters, digits, `-`, `_`, `.`, `@`, starting with
/// a letter or digit. It appears in URLs, tables and the audit, so nothing else is let in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

/// The text is no [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 64 letters, digits, '-', '_', '.' or '@' and starts with a letter or digit")]
pub struct MalformedName;

impl Name {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, MalformedName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if begins && text.len() <= 64 && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedName)
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose login it is, for certain: compared with every answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// ChatGPT account (workspace) id.
    pub account_id: String,
    /// The person in it, when the tokens said so: several people share one workspace.
    pub user_id: Option<String>,
}

impl Owner {
    /// False when the tokens say that they belong to somebody else; silence is consent.
    pub fn accepts(&self, identity: &Identity) -> bool {
        let same_account = identity.account_id.as_ref().is_none_or(|account| *account == self.account_id);
        let same_user = match (&self.user_id, &identity.user_id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, _) | (_, None) => true,
        };
        same_account && same_user
    }
}

/// What an administrator has switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Nothing.
    None,
    /// Renewing; the token is still handed out.
    Renewal,
    /// Renewing and handing out.
    All,
}

/// One login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Stable id.
    pub id: CredentialId,
    /// What people call it.
    pub name: Name,
    /// Whose it is.
    pub owner: Owner,
    /// For display.
    pub email: Option<String>,
    /// `plus`, `team` …
    pub plan_type: Option<String>,
    /// When it was first put in.
    pub created_at: Timestamp,
    /// What is switched off.
    pub pause: Pause,
    /// How its rotation stands.
    pub rotation: Rotation,
    /// Its tokens; `None` only when a sealed cell does not open.
    pub tokens: Option<TokenSet>,
}

/// What a good answer makes of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// The next generation.
    Next(Box<Credential>),
    /// The tokens belong to somebody else: set aside, and the answer is kept sealed beside it.
    OtherAccount(Box<Credential>),
}

impl Credential {
    /// Takes a good answer in.
    pub fn grant(&self, grant: &TokenGrant, fingerprint: Fingerprint, now: Timestamp) -> Result<Granted, NoTransition> {
        let tokens = self.tokens.as_ref().ok_or(NoTransition)?;
        if !self.owner.accepts(&grant.identity) {
            let rotation = self.rotation.quarantined(Quarantine::OtherAccount);
            return Ok(Granted::OtherAccount(Box::new(Self { rotation, ..self.clone() })));
        }
        let succession = tokens.succeeded_by(grant, fingerprint, now);
        let rotation = self.rotation.granted(succession.weak, now)?;
        Ok(Granted::Next(Box::new(self.with_tokens(rotation, succession.tokens, &grant.identity))))
    }

    /// Somebody logged in: a whole new token set, from every state.
    pub fn replaced_by(&self, tokens: TokenSet, owner: Owner, identity: &Identity, mark: Option<Mark>) -> Self {
        Self { owner, ..self.with_tokens(self.rotation.replaced(mark), tokens, identity) }
    }

    fn with_tokens(&self, rotation: Rotation, tokens: TokenSet, identity: &Identity) -> Self {
        Self {
            rotation,
            tokens: Some(tokens),
            email: identity.email.clone().or_else(|| self.email.clone()),
            plan_type: identity.plan_type.clone().or_else(|| self.plan_type.clone()),
            ..self.clone()
        }
    }
}
