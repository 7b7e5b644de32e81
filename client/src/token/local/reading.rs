//! Reading the file of a login while somebody may be writing it.
//!
//! The stock CLI truncates its file and writes it in place, without a lock. So a file that does not parse, or changes
//! while it is read, is read again for half a second before it counts as broken.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::auth_file::{self, Login};
use crate::bounded_file::{self, Content, Symlinks, Unread};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::settings::local::CredentialsFile;
use crate::talk::Talk;

/// The longest file that is read, in bytes. A real one has about five thousand.
const LONGEST_FILE: u64 = 256 * 1024;
/// How often a file that is being rewritten is read.
const ATTEMPTS: u32 = 20;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(25);
const GROUP_AND_OTHERS: u32 = 0o077;
const PERMISSIONS: u32 = 0o777;

/// A file as it was read.
#[derive(Debug)]
pub struct Opened {
    /// What it says.
    pub login: Login,
    /// All of it.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Its permissions.
    pub mode: u32,
}

/// Reads the file, again while it is being written.
pub fn read_until_whole(file: &CredentialsFile, clock: &dyn Clock, talk: &mut Talk) -> Result<Opened, Failure> {
    let path = file.path();
    for attempt in 1.. {
        let unfinished = match bounded_file::read(path, LONGEST_FILE, Symlinks::Refuse) {
            Ok(content) => match auth_file::read(&content.bytes) {
                Some(login) => return opened(file, login, content, talk),
                None if content.bytes.is_empty() => broken(file, "is empty").with_hint(next_step(file)),
                None => broken(file, "is not what the Codex CLI writes").with_hint(next_step(file)),
            },
            Err(Unread::Changed) => Failure::temporary(format!("{} keeps changing", path.display())),
            Err(error) => return Err(unread(file, &error)),
        };
        if attempt == ATTEMPTS {
            return Err(unfinished);
        }
        clock.pause(BETWEEN_ATTEMPTS);
    }
    unreachable!("the loop ends at the last attempt")
}

/// Our own file is private or not used; the stock CLI's mode is not ours to insist on.
fn opened(file: &CredentialsFile, login: Login, content: Content, talk: &mut Talk) -> Result<Opened, Failure> {
    let mode = content.metadata.mode() & PERMISSIONS;
    if mode & GROUP_AND_OTHERS != 0 {
        let hint = format!("chmod 600 {}", file.path().display());
        let failure = broken(file, "can be read by other users").with_hint(hint);
        match file {
            CredentialsFile::Ours(_) | CredentialsFile::Chosen(_) => return Err(failure),
            CredentialsFile::Stock(_) => talk.warn(failure.to_string()),
        }
    }
    Ok(Opened { login, bytes: content.bytes, mode })
}

fn unread(file: &CredentialsFile, error: &Unread) -> Failure {
    let failure = broken(file, error);
    match (error, file) {
        (Unread::Missing, CredentialsFile::Ours(_)) => failure.absent().with_hint(log_in(file)),
        (Unread::Missing, CredentialsFile::Chosen(_) | CredentialsFile::Stock(_)) => failure
            .absent()
            .with_hint("log in with scorpiox-codex-login or with codex, or set CODEX_TOKEN_SOURCE=remote"),
        (Unread::Symlink, _) => failure.with_hint("name the file itself in CODEX_CREDENTIALS_FILE"),
        (Unread::NotAFile(_) | Unread::TooLong(_) | Unread::Changed | Unread::Io(_), _) => failure,
    }
}

/// A failure that names the file.
pub fn broken(file: &CredentialsFile, why: impl std::fmt::Display) -> Failure {
    Failure::configuration(format!("{} {why}", file.path().display()))
}

/// What brings another token into a file that others write.
pub fn next_step(file: &CredentialsFile) -> String {
    match file {
        CredentialsFile::Ours(_) => log_in(file),
        CredentialsFile::Chosen(_) => "log in again where this file is written, or here: scorpiox-codex-login".into(),
        CredentialsFile::Stock(_) => "run codex once, or scorpiox-codex-login".into(),
    }
}

/// How a person logs in into a file of ours: `log in again: scorpiox-codex-login --name work`.
pub fn log_in(file: &CredentialsFile) -> String {
    let name = file.path().file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.strip_prefix("codex-auth-"));
    match (file, name) {
        (CredentialsFile::Ours(_), Some(name)) => format!("log in: scorpiox-codex-login --name {name}"),
        _ => "log in: scorpiox-codex-login".into(),
    }
}
