//! Which files of a project may say where secrets go, whose login is used, and what is run.
//!
//! A project's settings may be a stranger's. So those settings of it are refused until its user has trusted the file:
//! its path, and a digest of just these settings. An edit of `MODEL` asks nothing; an edit of `CODEX_REMOTE_URL` asks
//! again. A setting that another one shadows, or that only says what holds anyway, needs no trust.
//!
//! * [`store`]: what was trusted. * [`ask`]: asking on a terminal.

pub mod ask;
pub mod store;

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use self::store::TrustedFiles;
use super::Surroundings;
use super::catalog::{Entry, Kind};
use super::settings_file::{Owner, Place};
use super::written::{Key, Written, WrittenValue};
use crate::bounded_file::{self, Symlinks};
use crate::failure::Failure;

/// The longest file whose content is part of a digest, in bytes.
const LONGEST_CONTENT: u64 = 8 * 1024 * 1024;

/// Whether a setting says where secrets go, whose login is used, or what is run.
pub fn leads(key: Key) -> bool {
    match key {
        Key::Provider | Key::Tools | Key::ActiveProfile | Key::TokenSource | Key::CredentialsFile | Key::LocalRenew => {
            true
        }
        Key::Account | Key::RemoteUrl | Key::ApiKey | Key::ApiKeyFile | Key::RemoteCaFile | Key::RemotePin => true,
        Key::SshHost | Key::SshPort | Key::SshUser | Key::SshPass | Key::SshPassFile => true,
        Key::SshKeyFile | Key::SshKnownHosts | Key::SshCommand => true,
        Key::Model | Key::Thinking | Key::ReasoningEffort | Key::CodexReasoningEffort => false,
        Key::ContextClearThreshold => false,
    }
}

/// What a project's file would lead.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    /// The file.
    pub file: &'a Place,
    /// Its leading settings, in the order in which they stand there.
    pub values: Vec<&'a WrittenValue>,
}

/// A file as it is known when it is trusted: where it is, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its folder without links, and its name. A link's target is not looked at: relative paths start at the link.
    pub path: PathBuf,
    /// SHA-256 over its leading settings, hexadecimal.
    pub digest: String,
}

impl Claim<'_> {
    /// What is trusted when this is.
    pub fn identity(&self) -> Result<Identity, Failure> {
        let path = &self.file.path;
        let broken = |error| Failure::configuration(format!("{}: {error}", path.display()));
        let folder = self.file.folder().canonicalize().map_err(broken)?;
        Ok(Identity { path: folder.join(path.file_name().unwrap_or_default()), digest: digest(&self.values, &folder) })
    }

    /// The refusal that names the first setting.
    fn refused(&self) -> Failure {
        let refused = match self.values.first() {
            Some(value) => value.wrong("this project's settings are not trusted"),
            None => Failure::configuration(format!("{} is not trusted", self.file.path.display())),
        };
        refused.with_hint(self.how_to_trust())
    }

    /// The next step for a person who wants it trusted.
    pub fn how_to_trust(&self) -> String {
        format!("read it, then: scorpiox-config trust {}", shell_word(&self.file.path))
    }
}

/// What every file of the project would lead, trusted or not.
pub fn claims(written: &Written) -> Vec<Claim<'_>> {
    let of_project = written.files().iter().filter(|file| file.owner == Owner::Project);
    let claims =
        of_project.map(|file| Claim { file, values: written.said_by(file).filter(|v| leads(v.key)).collect() });
    claims.filter(|claim| !claim.values.is_empty()).collect()
}

/// Claims that have an effect and are not trusted.
pub fn pending<'a>(written: &'a Written, trusted: &TrustedFiles) -> Result<Vec<Claim<'a>>, Failure> {
    let mut pending = Vec::new();
    for claim in claims(written) {
        if claim.values.iter().any(|value| has_effect(written, value)) && !trusted.has(&claim.identity()?) {
            pending.push(claim);
        }
    }
    Ok(pending)
}

/// Goes on only when every setting that leads somewhere is the user's own or trusted; asks on a terminal.
pub fn require(written: &Written, surroundings: &Surroundings<'_>) -> Result<(), Failure> {
    // Most commands run where no project says anything: then nothing is read.
    if claims(written).is_empty() {
        return Ok(());
    }
    let trusted = TrustedFiles::load(surroundings)?;
    for claim in pending(written, &trusted)? {
        // What is shown is what is trusted, whatever becomes of the file meanwhile.
        let identity = claim.identity()?;
        if !ask::on_terminal(&claim, trusted.knows(&identity.path))? {
            return Err(claim.refused());
        }
        store::change(surroundings, |trusted| trusted.add(identity))?;
    }
    Ok(())
}

/// Whether the value holds, and something else would hold without any file of a project.
fn has_effect(written: &Written, value: &WrittenValue) -> bool {
    if written.get(value.key).is_none_or(|winner| winner.origin != value.origin) {
        return false;
    }
    if partner(value.key).is_some_and(|partner| written.get(partner).is_some()) {
        return true;
    }
    let entry = Entry::of(value.key);
    let is_of_project = |other: &&WrittenValue| written.file_of(other).is_some_and(|file| file.owner == Owner::Project);
    let otherwise = written.candidates(value.key).find(|other| !is_of_project(other)).map(|other| other.text.as_str());
    // Not set, these two leave the word to ~/.ssh/config and to what the far side has.
    let default = entry.default.filter(|_| !matches!(value.key, Key::SshPort | Key::SshCommand));
    // The same relative path is another file here.
    entry.kind == Kind::Path || otherwise.or(default) != Some(value.text.as_str())
}

/// The setting that says the same in another way: of the two the one that was written higher holds.
fn partner(key: Key) -> Option<Key> {
    match key {
        Key::Account => Some(Key::CredentialsFile),
        Key::CredentialsFile => Some(Key::Account),
        Key::ApiKey => Some(Key::ApiKeyFile),
        Key::ApiKeyFile => Some(Key::ApiKey),
        Key::SshPass => Some(Key::SshPassFile),
        Key::SshPassFile => Some(Key::SshPass),
        _ => None,
    }
}

fn digest(values: &[&WrittenValue], folder: &Path) -> String {
    let mut context = Context::new(&SHA256);
    context.update(b"scorpiox settings 1\n");
    for key in Key::ALL {
        for value in values.iter().filter(|value| value.key == *key) {
            context.update(format!("{}=", key.as_str()).as_bytes());
            context.update(value.text.as_bytes());
            context.update(b"\n");
            if let Some(content) = content_that_decides(value, folder) {
                context.update(&content);
            }
        }
    }
    to_hex(context.finish().as_ref())
}

/// A file of keys that lies in the project can be changed as easily as the settings: then its content counts too.
fn content_that_decides(value: &WrittenValue, folder: &Path) -> Option<Vec<u8>> {
    if !matches!(value.key, Key::RemoteCaFile | Key::SshKnownHosts) {
        return None;
    }
    let path = value.as_path(folder).canonicalize().ok()?;
    if !path.starts_with(super::project::find(folder)) {
        return None;
    }
    Some(match bounded_file::read(&path, LONGEST_CONTENT, Symlinks::Follow) {
        Ok(content) => aws_lc_rs::digest::digest(&SHA256, &content.bytes).as_ref().to_vec(),
        Err(_) => b"unreadable".to_vec(),
    })
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A path as it can be pasted into a shell.
pub fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@,:".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
#[path = "trust/tests.rs"]
mod tests;
