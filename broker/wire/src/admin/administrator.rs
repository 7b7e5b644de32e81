//! Who may administer over the network: people with a password, and keys for automation.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::token::outward;

/// What an administrator or an admin key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Scope {
    /// Look at everything; change nothing.
    Read,
    /// Clients, their keys and grants, and invites.
    Clients,
    /// Credentials and logins.
    Credentials,
    /// All of it, administrators and the broker itself included.
    Everything,
}

impl Scope {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Clients, Self::Credentials, Self::Everything];

    /// As it is written in JSON and typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Clients => "clients",
            Self::Credentials => "credentials",
            Self::Everything => "everything",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no [`Scope`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is one of read, clients, credentials, everything")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(UnknownScope)
    }
}

/// A person who may administer over the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdministratorView {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: i64,
    /// When its password was last set.
    pub password_set_at: i64,
}

/// An administrator that was made, and where it logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdministratorAdded {
    /// What it is.
    pub administrator: AdministratorView,
    /// What goes behind `--broker`; absent while the administration is not served over the network.
    pub url: Option<String>,
    /// `sha256:…` of the certificate's public key, for `--pin`; absent over plain HTTP.
    pub pin: Option<String>,
}

/// Make an administrator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdministratorRequest {
    /// Its name.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9@._-]*$", example = "anna")
    )]
    pub name: String,
    /// What it may do; at least one.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, example = json!(["read"])))]
    pub scopes: Vec<Scope>,
    /// Its password: 12 characters or more.
    #[serde(serialize_with = "outward")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password, min_length = 12, max_length = 1024))]
    pub password: Secret,
}

/// Give an administrator another password. All its sessions end.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordRequest {
    /// 12 characters or more.
    #[serde(serialize_with = "outward")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password, min_length = 12, max_length = 1024))]
    pub password: Secret,
}

/// Change what an administrator may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScopesRequest {
    /// From now on; at least one.
    pub scopes: Vec<Scope>,
}

/// A key with which a program administers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminKeyView {
    /// Its name.
    pub name: String,
    /// The public part of the key.
    pub key_id: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: i64,
    /// When it ends by itself; absent when it does not.
    pub expires_at: Option<i64>,
}

/// Make an admin key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminKeyRequest {
    /// Its name.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9@._-]*$", example = "backup-job")
    )]
    pub name: String,
    /// What it may do; at least one.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, example = json!(["read"])))]
    pub scopes: Vec<Scope>,
    /// After how many seconds it ends by itself; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, example = 7_776_000))]
    pub expires_in: Option<u64>,
}

/// An admin key, which is told this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdminKeyIssued {
    /// What it is.
    pub admin_key: AdminKeyView,
    /// The key itself.
    #[serde(serialize_with = "outward")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub key: Secret,
    /// What goes behind `--broker`; absent while the administration is not served over the network.
    pub url: Option<String>,
    /// `sha256:…` of the certificate's public key, for `--pin`; absent over plain HTTP.
    pub pin: Option<String>,
}

/// Log in with a password.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionRequest {
    /// The administrator.
    pub name: String,
    /// Its password.
    #[serde(serialize_with = "outward")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password))]
    pub password: Secret,
}

/// A session that begins or goes on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionAnswer {
    /// What goes behind `Authorization: Bearer`.
    #[serde(serialize_with = "outward")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub token: Secret,
    /// When the token ends.
    pub expires_at: i64,
    /// How many seconds that is from now.
    pub expires_in: u64,
    /// Until when the session can go on by renewing; then the password is asked again.
    pub renewable_until: i64,
    /// What the administrator may do at the moment.
    pub scopes: Vec<Scope>,
}

/// A session that was ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionEnded {
    /// Whose it was, as the audit names it: `admin:anna`.
    pub actor: String,
    /// When it was ended.
    pub ended_at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_written_as_it_is_typed() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_string(&scope).unwrap(), format!("\"{scope}\""));
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        assert_eq!("Everything".parse::<Scope>(), Err(UnknownScope));
    }

    #[test]
    fn what_has_a_password_in_it_does_not_show_it() {
        let request = SessionRequest { name: "anna".into(), password: Secret::new("canary-canary") };
        assert!(!format!("{request:?}").contains("canary"));
    }
}
