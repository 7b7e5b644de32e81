//! The local source as it is meant: which file, and who renews what is in it.
//!
//! A refresh token may be redeemed once. So a file has one owner: what `scorpiox-codex-login` wrote is ours and renewed
//! by us; every other file is read only, unless its user says with `CODEX_LOCAL_RENEW=1` that nobody else renews it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::written::{Key, Written};
use super::{Surroundings, user_directory};
use crate::failure::Failure;

/// The longest account name, in bytes.
const LONGEST_NAME: usize = 64;

/// What the local source does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSettings {
    /// Where the login is.
    pub file: CredentialsFile,
    /// Who renews it.
    pub renewed_by: RenewedBy,
}

/// The file of the local source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsFile {
    /// `codex-auth.json` or `codex-auth-NAME.json` in the user's directory, as `scorpiox-codex-login` writes it.
    Ours(PathBuf),
    /// Named by `CODEX_CREDENTIALS_FILE`: ours to be strict about.
    Chosen(PathBuf),
    /// `auth.json` of the stock Codex CLI, whose habits we take as they are.
    Stock(PathBuf),
}

/// Who redeems the refresh token of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewedBy {
    /// We do.
    Us,
    /// Somebody else does; for us it is read only.
    Others,
}

/// Which of several logins on this machine: `work` is in `codex-auth-work.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName(String);

/// The text is no account name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account name has 1 to 64 letters, digits, '-' or '_'")]
pub struct MalformedName;

impl AccountName {
    /// Reads a name; it becomes part of a file's name.
    pub fn parse(text: &str) -> Result<Self, MalformedName> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let is_name = !text.is_empty() && text.len() <= LONGEST_NAME && text.bytes().all(fits);
        is_name.then(|| Self(text.to_owned())).ok_or(MalformedName)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CredentialsFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Ours(path) | Self::Chosen(path) | Self::Stock(path) => path,
        }
    }
}

impl LocalSettings {
    /// What the written settings mean: `CODEX_CREDENTIALS_FILE`, or `CODEX_ACCOUNT`, or else the login of
    /// `scorpiox-codex-login` if there is one, or else the stock CLI's.
    pub fn from_written(written: &Written, surroundings: &Surroundings<'_>) -> Result<Self, Failure> {
        let file = match written.one_of(Key::CredentialsFile, Key::Account)? {
            Some(value) if value.key == Key::Account => {
                let name = AccountName::parse(&value.text).map_err(|error| value.wrong(error))?;
                CredentialsFile::Ours(our_file(Some(&name), surroundings)?)
            }
            Some(value) => named(value.as_path(&surroundings.directory), surroundings),
            None => usual(surroundings)?,
        };
        Self::of_file(file, written)
    }

    /// The same with the file of one account, as `--name` chooses it.
    pub fn of_account(name: &AccountName, written: &Written, surroundings: &Surroundings<'_>) -> Result<Self, Failure> {
        Self::of_file(CredentialsFile::Ours(our_file(Some(name), surroundings)?), written)
    }

    /// The same with a file that was named on the command line.
    pub fn of_path(path: &Path, written: &Written, surroundings: &Surroundings<'_>) -> Result<Self, Failure> {
        Self::of_file(named(surroundings.directory.join(path), surroundings), written)
    }

    fn of_file(file: CredentialsFile, written: &Written) -> Result<Self, Failure> {
        let renewed_by = match (&file, written.get(Key::LocalRenew)) {
            (CredentialsFile::Ours(_), _) => RenewedBy::Us,
            (CredentialsFile::Chosen(_) | CredentialsFile::Stock(_), None) => RenewedBy::Others,
            (CredentialsFile::Chosen(_) | CredentialsFile::Stock(_), Some(value)) => match value.text.as_str() {
                "1" => RenewedBy::Us,
                "0" => RenewedBy::Others,
                _ => return Err(value.wrong("expected 1 or 0")),
            },
        };
        Ok(Self { file, renewed_by })
    }
}

/// The file that `scorpiox-codex-login` writes for this account, or for nobody in particular.
pub fn our_file(account: Option<&AccountName>, surroundings: &Surroundings<'_>) -> Result<PathBuf, Failure> {
    let directory = user_directory(surroundings).ok_or_else(homeless)?;
    Ok(directory.join(match account {
        None => "codex-auth.json".to_owned(),
        Some(name) => format!("codex-auth-{name}.json"),
    }))
}

/// The stock CLI's file, or `None` when neither `CODEX_HOME` nor `HOME` is set.
pub fn stock_file(surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    let home = || surroundings.absolute_path("HOME").map(|home| home.join(".codex"));
    Some(surroundings.absolute_path("CODEX_HOME").or_else(home)?.join("auth.json"))
}

fn usual(surroundings: &Surroundings<'_>) -> Result<CredentialsFile, Failure> {
    if let Ok(ours) = our_file(None, surroundings)
        && ours.symlink_metadata().is_ok()
    {
        return Ok(CredentialsFile::Ours(ours));
    }
    stock_file(surroundings).map(CredentialsFile::Stock).ok_or_else(homeless)
}

/// A file is what it is, whoever names it: the stock CLI's stays the stock CLI's.
fn named(path: PathBuf, surroundings: &Surroundings<'_>) -> CredentialsFile {
    if stock_file(surroundings).is_some_and(|stock| is_same(&stock, &path)) {
        return CredentialsFile::Stock(path);
    }
    let is_our_name = path.file_name().and_then(|name| name.to_str()).is_some_and(is_our_name);
    let directory = user_directory(surroundings);
    if is_our_name && directory.zip(path.parent()).is_some_and(|(ours, parent)| is_same(&ours, parent)) {
        return CredentialsFile::Ours(path);
    }
    CredentialsFile::Chosen(path)
}

fn is_our_name(name: &str) -> bool {
    let account = name.strip_prefix("codex-auth").and_then(|rest| rest.strip_suffix(".json"));
    account.is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('-').is_some_and(|name| AccountName::parse(name).is_ok())
    })
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn homeless() -> Failure {
    Failure::unconfigured("HOME is not set").with_hint("set CODEX_CREDENTIALS_FILE")
}

#[cfg(test)]
#[path = "local/tests.rs"]
mod tests;
