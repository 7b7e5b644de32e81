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
