//! `--auth-file`: a file for an unmodified stock CLI, which then renews at the broker by itself.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scorpiox_wire::Secret;
use scorpiox_wire::stock::{AUTH_FILE_PATH, AuthFile, REVOKE_PATH, TOKEN_PATH};
use zeroize::Zeroizing;

use super::{PATIENT, QUICK};
use crate::auth_file::{self, Login};
use crate::bounded_file::{self, Symlinks, Unread};
use crate::clock::{Deadline, SystemClock};
use crate::durable_file::{self, PRIVATE};
use crate::failure::Failure;
use crate::settings::{RemoteSettings, Settings, SourceName, SourceSettings, Surroundings, Trust};
use crate::talk::Talk;
use crate::token::answer;
use crate::token::local::renewal::lock;
use crate::token::proxy;
use crate::token::transport::Http;

/// How every refresh token begins that a broker issued.
const STAND_IN: &str = "sxr_";
/// A longer file is no login.
const LONGEST_FILE: u64 = 1024 * 1024;
/// How long somebody else who writes the same file is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(35);

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
    existing(wanted)?;
    let broker = Http { settings: &remote, proxy: proxy::choose(environment, &remote.url)? };
    let file = ask(&broker)?;
    match write(wanted, &file) {
        Ok(replaced) => {
            replaced.iter().for_each(|stand_in| end(&broker, stand_in, talk));
            Ok(exports(&remote))
        }
        Err(failure) => {
            // Unless it came as far as the file's own place: then only its name may not last.
            let issued = &file.tokens.refresh_token;
            if stand_in_of(&wanted.path, &file).as_ref() != Some(issued) {
                end(&broker, issued, talk);
            }
            Err(failure)
        }
    }
}

/// Ends a stand-in that nobody has any more: a client has a few, and with each new one its oldest would end instead.
fn end(broker: &Http<'_>, stand_in: &Secret, talk: &mut Talk) {
    let body = Zeroizing::new(serde_json::json!({ "token": stand_in.expose() }).to_string());
    let url = broker.settings.url.beside(REVOKE_PATH);
    if let Err(failure) = broker.post_json(&url, &body, QUICK) {
        talk.detail(format!("a refresh token that is not needed lives on at the broker: {failure}"));
    }
}

/// The stand-in that is in this place now, if it is one of the same account.
fn stand_in_of(path: &Path, file: &AuthFile) -> Option<Secret> {
    let content = bounded_file::read(path, LONGEST_FILE, Symlinks::Follow).ok()?;
    let login = auth_file::read(&content.bytes)?;
    let is_ours = login.account_id.as_deref() == Some(&file.tokens.account_id);
    login.refresh_token.filter(|token| is_ours && token.expose().starts_with(STAND_IN))
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

fn ask(broker: &Http<'_>) -> Result<AuthFile, Failure> {
    let answer = broker.get(&broker.settings.url.beside(AUTH_FILE_PATH), PATIENT)?;
    if answer.status != 200 {
        return Err(answer::failure(&answer));
    }
    serde_json::from_slice(&answer.body).map_err(|_| {
        Failure::configuration("the answer is no auth.json").with_hint("is CODEX_REMOTE_URL a broker's /codex?")
    })
}

/// Puts the file in its place. Whoever else does so at this moment comes before or after, and what is there is looked at
/// once more. The stand-in that was there is the answer.
fn write(wanted: &Wanted, file: &AuthFile) -> Result<Option<Secret>, Failure> {
    let path = &wanted.path;
    let failed = |error: io::Error| Failure::configuration(format!("{} cannot be written: {error}", path.display()));
    let text = Zeroizing::new(serde_json::to_vec_pretty(file).map_err(|error| failed(error.into()))?);
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    }
    let clock = SystemClock::start();
    let Some(_lock) = lock(path, &clock, Deadline::within(LOCK_PATIENCE, &clock)).map_err(failed)? else {
        let busy = Failure::temporary(format!("another command is writing {}", path.display()));
        return Err(busy.with_hint("try again in a moment"));
    };
    if let Some(there) = existing(wanted)?
        && there.account_id.as_deref() != Some(&file.tokens.account_id)
    {
        return Err(refused(path, "is of another account"));
    }
    let replaced = stand_in_of(path, file);
    durable_file::replace(path, &text, PRIVATE).map_err(failed)?;
    Ok(replaced)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file(stand_in: &str) -> AuthFile {
        let claims = "eyJhbGciOiJub25lIn0.e30.";
        let file = serde_json::json!({
            "auth_mode": "chatgpt",
            "tokens": {
                "id_token": claims, "access_token": claims, "refresh_token": stand_in, "account_id": "6f0c1a2b",
            },
            "last_refresh": "2026-11-23T00:00:00Z",
        });
        serde_json::from_value(file).unwrap()
    }

    #[test]
    fn those_who_write_one_file_at_once_come_one_after_the_other_and_the_last_one_stays_whole() {
        let directory = tempfile::tempdir().unwrap();
        let wanted = Wanted { path: directory.path().join("new/auth.json"), overwrite: Overwrite::OwnLogin };
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let wanted = &wanted;
                // Of different lengths: a mixture would be no JSON.
                let file = file(&format!("{STAND_IN}{}", "x".repeat(writer * 1000)));
                scope.spawn(move || (0..5).for_each(|_| drop(write(wanted, &file).unwrap())));
            }
        });
        assert!(existing(&wanted).unwrap().is_some());
        let mut names: Vec<_> = std::fs::read_dir(wanted.path.parent().unwrap()).unwrap().collect();
        names.sort_by_key(|entry| entry.as_ref().unwrap().file_name());
        let names: Vec<_> = names.into_iter().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["auth.json", "auth.json.lock"]);
    }

    #[test]
    fn what_came_there_meanwhile_is_looked_at_before_it_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let wanted = Wanted { path: directory.path().join("auth.json"), overwrite: Overwrite::OwnLogin };
        write(&wanted, &file("sxr_1")).unwrap();
        let mut other = file("sxr_2");
        other.tokens.account_id = "0000".into();
        let refused = write(&wanted, &other).unwrap_err();
        assert!(refused.to_string().contains("is of another account"), "{refused}");
        assert_eq!(existing(&wanted).unwrap().unwrap().account_id.as_deref(), Some("6f0c1a2b"));
    }
}
