//! What an administrator may do.

use std::fmt;

/// A part of the administration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Look at everything that is not a secret.
    Read,
    /// Clients, their keys, grants and invites.
    Clients,
    /// Credentials and logins.
    Credentials,
    /// All of it: administrators, keys of the broker, promote, backup.
    Everything,
}

impl Scope {
    /// As it is written: in a command, in JSON.
    pub fn as_str(self) -> &'static str {
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
