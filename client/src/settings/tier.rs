//! Whose word a setting is: the tiers, lowest to highest. The highest that says something wins.

use std::fmt;

/// A step of the cascade. `Ord` is precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Compiled in.
    Default,
    /// `scorpiox-env.txt` beside the program: whoever installed it.
    Global,
    /// The user's own files.
    User,
    /// Files that came with the directory in which the command runs: perhaps a stranger's.
    Project,
    /// The profile that is switched on, whichever folder it lies in.
    Profile,
    /// The process's environment.
    Environment,
}

impl Tier {
    /// All of them, lowest first.
    pub const ALL: [Self; 6] =
        [Self::Default, Self::Global, Self::User, Self::Project, Self::Profile, Self::Environment];

    /// As `--level` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Global => "global",
            Self::User => "user",
            Self::Project => "project",
            Self::Profile => "profile",
            Self::Environment => "environment",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
