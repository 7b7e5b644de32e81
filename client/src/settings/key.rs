//! The settings that this crate understands, by name.

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// A setting that this crate understands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Key { $($(#[$doc])* $name,)* }

        impl Key {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in files and in the environment.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The setting of this name; names are case-sensitive.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|key| key.as_str() == name)
            }
        }
    };
}

keys! {
    /// Who answers a conversation: `codex`.
    Provider = "PROVIDER";
    /// Model id or alias.
    Model = "MODEL";
    /// `1` or `0`: whether the model may run tools.
    Tools = "TOOLS";
    /// `1` or `0`: think, with effort `high` when no effort is set.
    Thinking = "THINKING";
    /// How hard the model thinks, for every provider.
    ReasoningEffort = "REASONING_EFFORT";
    /// How hard the model thinks, for Codex.
    CodexReasoningEffort = "CODEX_REASONING_EFFORT";
    /// Tokens in a conversation at which it is compacted.
    ContextClearThreshold = "CONTEXT_CLEAR_THRESHOLD";
    /// The profile that is switched on.
    ActiveProfile = "ACTIVE_PROFILE";
    /// Where tokens come from: `local` (default), `remote`, `ssh`, or a list of them in the order of asking.
    TokenSource = "CODEX_TOKEN_SOURCE";
    /// The file of the local source.
    CredentialsFile = "CODEX_CREDENTIALS_FILE";
    /// Which of this machine's logins the local source uses.
    Account = "CODEX_ACCOUNT";
    /// `1` when the stock CLI's file may be renewed by us, because no stock CLI uses it.
    LocalRenew = "CODEX_LOCAL_RENEW";
    /// The broker's token address, `https://…/codex`.
    RemoteUrl = "CODEX_REMOTE_URL";
    /// The client key.
    ApiKey = "TOKEN_HTTP_API_KEY";
    /// A file with the client key.
    ApiKeyFile = "TOKEN_HTTP_API_KEY_FILE";
    /// A file of certificates that the broker's must lead to.
    RemoteCaFile = "CODEX_REMOTE_CA_FILE";
    /// `sha256:` digests of public keys, one of which the broker must have.
    RemotePin = "CODEX_REMOTE_PIN";
    /// The machine that has a token.
    SshHost = "CODEX_SSH_HOST";
    /// Its port.
    SshPort = "CODEX_SSH_PORT";
    /// The user there.
    SshUser = "CODEX_SSH_USER";
    /// That user's password.
    SshPass = "CODEX_SSH_PASS";
    /// A file with that user's password.
    SshPassFile = "CODEX_SSH_PASS_FILE";
    /// A private key.
    SshKeyFile = "CODEX_SSH_KEY_FILE";
    /// The file of known host keys.
    SshKnownHosts = "CODEX_SSH_KNOWN_HOSTS";
    /// What is run there.
    SshCommand = "CODEX_SSH_COMMAND";
}

impl Key {
    /// The setting that a name was most likely meant to be: the same in other letters, or two slips away.
    pub fn nearest(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        let slips = |key: &Self| slips(name.as_bytes(), key.as_str().as_bytes());
        Self::ALL.iter().copied().min_by_key(slips).filter(|key| slips(key) <= MOST_SLIPS)
    }
}

/// More than this, and it is another word.
const MOST_SLIPS: usize = 2;

/// Bytes put in, left out, changed or swapped with their neighbour on the way from one word to the other.
pub(crate) fn slips(one: &[u8], other: &[u8]) -> usize {
    let mut rows = vec![(0..=other.len()).collect::<Vec<_>>()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let changed = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_has_a_nearest_one_and_another_word_has_none() {
        let cases = [
            ("CODEX_REMOTE_ULR", Some(Key::RemoteUrl)),
            ("model", Some(Key::Model)),
            ("CODEX_SSH_HOTS", Some(Key::SshHost)),
            ("TOKEN_HTTP_APIKEY", Some(Key::ApiKey)),
            ("CODEX_TOKEN_SOURCES", Some(Key::TokenSource)),
            ("ANTHROPIC_API_KEY", None),
            ("X", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(Key::nearest(name), expected, "{name}");
        }
    }
}
