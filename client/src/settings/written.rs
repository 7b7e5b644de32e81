//! Settings as they were written: which value, and where it stood. The environment beats the file.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file::{self, Assignment};
use super::project::ProjectFile;
use crate::failure::Failure;
use crate::talk::Talk;

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// A setting that this crate understands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Key { $($(#[$doc])* $name,)* }

        impl Key {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in files and in the environment.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
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

/// Where a value stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a settings file.
    File {
        /// Which.
        path: PathBuf,
        /// Counts from 1.
        line: usize,
    },
    /// In the environment.
    Environment,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Environment => f.write_str("environment"),
        }
    }
}

/// A value and where it stood. It is never empty: an empty value counts as not written.
#[derive(Clone)]
pub struct WrittenValue {
    /// The setting.
    pub key: Key,
    /// As written; may hold a secret.
    pub text: Zeroizing<String>,
    /// Where.
    pub origin: Origin,
}

impl WrittenValue {
    /// The value read as a path. A relative one starts at the file in which it stands, else at `directory`.
    pub fn as_path(&self, directory: &Path) -> PathBuf {
        let base = match &self.origin {
            Origin::File { path, .. } => path.parent().unwrap_or(directory),
            Origin::Environment => directory,
        };
        base.join(self.text.as_str())
    }

    /// A failure that names this setting and its place, never its value.
    pub fn wrong(&self, why: impl fmt::Display) -> Failure {
        Failure::configuration(format!("{} ({}): {why}", self.key.as_str(), self.origin))
    }
}

impl fmt::Debug for WrittenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=[redacted] ({})", self.key.as_str(), self.origin)
    }
}

/// All settings as they were written.
#[derive(Debug, Default)]
pub struct Written {
    values: Vec<WrittenValue>,
}

impl Written {
    /// Puts file and environment together.
    pub fn gather(
        file: Option<&ProjectFile>,
        environment: &dyn Fn(&str) -> Option<OsString>,
        talk: &mut Talk,
    ) -> Result<Self, Failure> {
        let mut written = Self::default();
        if let Some(file) = file {
            written.add_file(file, talk)?;
        }
        for key in Key::ALL {
            let Some(text) = environment(key.as_str()).filter(|text| !text.is_empty()) else { continue };
            let text = text.into_string().map_err(|_| not_text(*key))?;
            written.values.retain(|value| value.key != *key);
            let text = Zeroizing::new(text.trim().to_owned());
            written.values.push(WrittenValue { key: *key, text, origin: Origin::Environment });
        }
        Ok(written)
    }

    /// The value that holds.
    pub fn get(&self, key: Key) -> Option<&WrittenValue> {
        self.values.iter().find(|value| value.key == key)
    }

    fn add_file(&mut self, file: &ProjectFile, talk: &mut Talk) -> Result<(), Failure> {
        let malformed = |error| Failure::configuration(format!("{}, {error}", file.path.display()));
        let assignments = file::parse(&file.bytes).map_err(malformed)?;
        for (index, assignment) in assignments.iter().enumerate() {
            self.check_repeated(file, assignment, &assignments[..index], talk)?;
            let Some(key) = Key::ALL.iter().find(|key| key.as_str() == assignment.key) else {
                let (path, line) = (file.path.display(), assignment.line);
                talk.warn(format!("{path}, line {line}: unknown setting {} is ignored", assignment.key));
                continue;
            };
            if assignment.value.is_empty() || self.get(*key).is_some() {
                continue;
            }
            let origin = Origin::File { path: file.path.clone(), line: assignment.line };
            self.values.push(WrittenValue { key: *key, text: assignment.value.clone(), origin });
        }
        Ok(())
    }

    /// A key may stand twice only with the same value: which of two was meant cannot be known.
    fn check_repeated(
        &self,
        file: &ProjectFile,
        assignment: &Assignment,
        before: &[Assignment],
        talk: &mut Talk,
    ) -> Result<(), Failure> {
        let Some(first) = before.iter().find(|earlier| earlier.key == assignment.key) else { return Ok(()) };
        let (path, line, key) = (file.path.display(), assignment.line, &assignment.key);
        let repeated = format!("{path}, line {line}: {key} already stands in line {}", first.line);
        if first.value != assignment.value {
            let hint = "remove one of the two: their values differ";
            return Err(Failure::configuration(repeated).with_hint(hint));
        }
        talk.warn(repeated);
        Ok(())
    }
}

fn not_text(key: Key) -> Failure {
    Failure::configuration(format!("{} (environment): not UTF-8", key.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(text: &str, environment: &[(&str, &str)]) -> (Result<Written, Failure>, Vec<String>) {
        let file = ProjectFile { path: "/p/scorpiox-env.txt".into(), bytes: text.as_bytes().to_vec().into() };
        let lookup =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let mut talk = Talk::default();
        let written = Written::gather(Some(&file), &lookup, &mut talk);
        (written, talk.lines(false).map(str::to_owned).collect())
    }

    #[test]
    fn the_environment_beats_the_file_unless_it_is_empty() {
        let text = "CODEX_REMOTE_URL=https://a/codex\nCODEX_TOKEN_SOURCE=remote\n";
        let (written, _) = gather(text, &[("CODEX_REMOTE_URL", "https://b/codex"), ("CODEX_TOKEN_SOURCE", "")]);
        let written = written.unwrap();
        let url = written.get(Key::RemoteUrl).unwrap();
        assert_eq!((url.text.as_str(), &url.origin), ("https://b/codex", &Origin::Environment));
        assert_eq!(written.get(Key::TokenSource).unwrap().origin.to_string(), "/p/scorpiox-env.txt, line 2");
    }

    #[test]
    fn an_unknown_key_is_a_warning_and_a_known_one_of_another_command_is_not() {
        let (written, warnings) = gather("PROVIDER=codex\nCODEX_REMOTE_ULR=x\n", &[]);
        assert!(written.is_ok());
        assert_eq!(warnings, ["/p/scorpiox-env.txt, line 2: unknown setting CODEX_REMOTE_ULR is ignored"]);
    }

    #[test]
    fn a_key_written_twice_is_an_error_only_when_the_values_differ() {
        let (written, warnings) = gather("MODEL=a\nMODEL=a\n", &[]);
        assert!(written.is_ok());
        assert_eq!(warnings, ["/p/scorpiox-env.txt, line 2: MODEL already stands in line 1"]);
        let (written, _) = gather("TOKEN_HTTP_API_KEY=aaa\nTOKEN_HTTP_API_KEY=bbb\n", &[]);
        let message = written.unwrap_err().to_string();
        assert!(message.contains("line 2: TOKEN_HTTP_API_KEY already stands in line 1"), "{message}");
        assert!(!message.contains("bbb"), "{message}");
    }

    #[test]
    fn debug_shows_no_value() {
        let (written, _) = gather("TOKEN_HTTP_API_KEY=sxk_x\n", &[]);
        assert!(!format!("{written:?}").contains("sxk_x"));
    }
}
