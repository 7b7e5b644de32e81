//! `--auth-file`: a file for an unmodified stock CLI, which then renews at the broker by itself.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use scorpiox_wire::stock::{AUTH_FILE_PATH, AuthFile, TOKEN_PATH};
use zeroize::Zeroizing;

use super::PATIENT;
use crate::auth_file::{self, Login};
use crate::bounded_file::{self, Symlinks, Unread};
use crate::durable_file::{self, PRIVATE};
use crate::failure::Failure;
use crate::settings::{RemoteSettings, Settings, SourceName, SourceSettings, Surroundings, Trust};
use crate::talk::Talk;
use crate::token::answer;
use crate::token::proxy;
use crate::token::transport::Http;

/// How every refresh token begins that a broker issued.
const STAND_IN: &str = "sxr_";
/// A longer file is no login.
const LONGEST_FILE: u64 = 1024 * 1024;

/// May a file with another login be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwrite {
    /// Only one that a broker gave, for the same account.
    OwnLogin,
    /// Any.
    Anything,
}

/// What is to be written where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) path: PathBuf,
    pub(super) overwrite: Overwrite,
}

/// Gets the file, writes it, and tells what the stock CLI's environment needs.
pub(super) fn fetch(
    wanted: &Wanted,
    environment: &dyn Fn(&str) -> Option<std::ffi::OsString>,
    talk: &mut Talk,
) -> Result<String, Failure> {
    let surroundings = Surroundings::of_process(environment)?;
    let settings = Settings::read(&surroundings, talk)?;
    let SourceSettings::Remote(remote) = settings.of(SourceName::Remote, &surroundings, talk)? else {
        unreachable!("the settings of a broker were asked for");
    };
    // What cannot be replaced is found out before the broker issues anything.
    let there = existing(wanted)?;
    let file = ask(&remote, environment)?;
    if let Some(there) = there
        && there.account_id.as_deref() != Some(&file.tokens.account_id)
    {
        return Err(refused(&wanted.path, "is of another account"));
    }
    write(&wanted.path, &file)?;
    Ok(exports(&remote))
}

/// The login that is there and may be replaced by one of the same account; `None` when anything may be.
fn existing(wanted: &Wanted) -> Result<Option<Login>, Failure> {
    if wanted.overwrite == Overwrite::Anything {
        return Ok(None);
    }
    let path = &wanted.path;
    let content = match bounded_file::read(path, LONGEST_FILE, Symlinks::Follow) {
        Ok(content) => content,
        Err(Unread::Missing) => return Ok(None),
        Err(unread) => return Err(refused(path, &unread.to_string())),
    };
    let login = auth_file::read(&content.bytes).ok_or_else(|| refused(path, "is no login that can be read"))?;
    let is_stand_in = login.refresh_token.as_ref().is_some_and(|token| token.expose().starts_with(STAND_IN));
    if is_stand_in { Ok(Some(login)) } else { Err(refused(path, "is not from a broker")) }
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::configuration(format!("{} exists and {why}; nothing was changed", path.display()))
        .with_hint("name another file, move it away, or add --force")
}

fn ask(remote: &RemoteSettings, environment: &dyn Fn(&str) -> Option<std::ffi::OsString>) -> Result<AuthFile, Failure> {
    let proxy = proxy::choose(environment, &remote.url)?;
    let answer = Http { settings: remote, proxy }.get(&remote.url.beside(AUTH_FILE_PATH), PATIENT)?;
    if answer.status != 200 {
        return Err(answer::failure(&answer));
    }
    serde_json::from_slice(&answer.body).map_err(|_| {
        Failure::configuration("the answer is no auth.json").with_hint("is CODEX_REMOTE_URL a broker's /codex?")
    })
}

fn write(path: &Path, file: &AuthFile) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::configuration(format!("{} cannot be written: {error}", path.display()));
    let text = Zeroizing::new(serde_json::to_vec_pretty(file).map_err(|error| failed(error.into()))?);
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    }
    durable_file::replace(path, &text, PRIVATE).map_err(failed)
}

/// Lines for a shell.
fn exports(remote: &RemoteSettings) -> String {
    let mut lines = format!("export CODEX_REFRESH_TOKEN_URL_OVERRIDE={}\n", quoted(&remote.url.beside(TOKEN_PATH)));
    match &remote.trust {
        Trust::CaFile(path) | Trust::System(Some(path)) => {
            lines += &format!("export CODEX_CA_CERTIFICATE={}\n", quoted(&path.display().to_string()));
        }
        Trust::Pins(_) if remote.url.is_encrypted() => {
            lines += "# the stock CLI knows no pins: copy the broker's tls/tls-certificate.pem to this machine and\n";
            lines += "# export CODEX_CA_CERTIFICATE=FILE\n";
        }
        Trust::Pins(_) | Trust::System(None) => {}
    }
    lines
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
