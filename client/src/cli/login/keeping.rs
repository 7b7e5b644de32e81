//! The file of a login: what is in it, putting another one there, removing it.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::desk::Desk;
use super::typed::GoodLogin;
use crate::auth_file::{self, Login, format_time};
use crate::bounded_file::{self, Symlinks};
use crate::clock::Deadline;
use crate::durable_file;
use crate::failure::{Class, Failure};
use crate::oauth::exchange::NewLogin;
use crate::talk::Talk;
use crate::token::claims::Person;
use crate::token::local::journal::{Fingerprint, Journal, Record};
use crate::token::local::renewal::lock;
use crate::token::local::rescue::Rescue;

const LONGEST_FILE: u64 = 256 * 1024;
/// How long a renewal of the same file is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(35);
/// What else of a login may lie beside its file.
const BESIDE: [&str; 5] = ["backup", "renewal", "rescue", "aside", "new"];

/// A login that is there.
pub(super) struct Existing {
    pub(super) login: Login,
    pub(super) person: Person,
    /// The server's word, when it has ended.
    pub(super) ended: Option<String>,
    bytes: Zeroizing<Vec<u8>>,
}

impl Existing {
    /// Whether another token can come from it.
    pub(super) fn is_good(&self) -> bool {
        self.login.refresh_token.is_some() && self.ended.is_none()
    }

    /// `person@example.com (plus)`, as far as it is known.
    pub(super) fn who(&self) -> String {
        who(&self.person, self.login.account_id.as_deref())
    }
}

/// A login for people: by email and plan, else by its account.
pub(super) fn who(person: &Person, account_id: Option<&str>) -> String {
    let name = person.email.as_deref().or(account_id).unwrap_or("somebody");
    match &person.plan_type {
        Some(plan) => format!("{name} ({plan})"),
        None => name.to_owned(),
    }
}

/// The login in the file, if one can be read there.
pub(super) fn existing(path: &Path) -> Option<Existing> {
    let content = bounded_file::read(path, LONGEST_FILE, Symlinks::Refuse).ok()?;
    let login = auth_file::read(&content.bytes)?;
    let said = login.id_token.as_ref().or(login.access_token.as_ref()).map(Secret::expose).unwrap_or_default();
    let person = Person::of(said);
    let ended = login.refresh_token.as_ref().and_then(|token| {
        let record = Journal::beside(path).read().unwrap_or_default();
        match record.about(&Fingerprint::of(token)) {
            Some(Record::Ended { code, .. }) => Some(code.clone()),
            Some(Record::Clear | Record::Sent(_) | Record::Resting { .. }) | None => None,
        }
    });
    Some(Existing { login, person, ended, bytes: content.bytes })
}

/// A login that works is replaced only when that was meant.
pub(super) fn check_replacing(desk: &Desk<'_>) -> Result<(), Failure> {
    match existing(desk.file.path()).filter(Existing::is_good) {
        Some(good) if desk.good_login == GoodLogin::Stays => {
            let until = good.login.expires_at.map(|end| format!(", token until {}", format_time(end * 1000)));
            let failure =
                Failure::new(Class::Usage, format!("logged in as {}{}", good.who(), until.unwrap_or_default()));
            Err(failure.with_hint("--force logs in again"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Obtains a login and puts it into the file; what was there stays beside it as `.backup`. The lock is there before the
/// login is: once it was obtained, nothing is waited for.
pub(super) fn save(
    desk: &Desk<'_>,
    obtain: impl FnOnce() -> Result<NewLogin, Failure>,
    talk: &mut Talk,
) -> Result<Existing, Failure> {
    let path = desk.file.path();
    let unkept = |error: io::Error| {
        let failure = Failure::configuration(format!("the login cannot be kept in {}: {error}", path.display()));
        failure.with_hint("make the directory writable and log in again")
    };
    prepare_directory(path).map_err(unkept)?;
    let saved = locked(desk, || match obtain() {
        Ok(login) => replace(path, &login, desk.clock.unix_ms()).map(Ok),
        Err(failure) => Ok(Err(failure)),
    })?;
    saved.map_err(unkept)??;
    if let Some(why) = desk.unused {
        talk.warn(why);
    }
    if let Some(account) = &desk.account {
        talk.warn(format!("this login is used with CODEX_ACCOUNT={account}, or with --name {account}"));
    }
    existing(path).ok_or_else(|| unkept(io::Error::other("it was just written and cannot be read")))
}

fn replace(path: &Path, login: &NewLogin, now_ms: i64) -> io::Result<()> {
    if let Some(old) = existing(path) {
        durable_file::replace(&durable_file::beside(path, "backup"), &old.bytes, durable_file::PRIVATE)?;
    }
    durable_file::replace(path, &auth_file::written(login, now_ms), durable_file::PRIVATE)?;
    // What is on record, and an answer on its way, are about the login that was there.
    Journal::beside(path).write(&Record::Clear)?;
    Rescue::beside(path).clear()
}

/// Makes sure that a login can be kept before a person takes the trouble.
pub(super) fn check_place(desk: &Desk<'_>) -> Result<(), Failure> {
    let path = desk.file.path();
    let probe = durable_file::beside(path, "new");
    let kept = prepare_directory(path).and_then(|()| {
        locked(desk, || {
            durable_file::replace(&probe, b"", durable_file::PRIVATE).and_then(|()| durable_file::remove(&probe))
        })
        .map_err(io::Error::other)?
    });
    kept.map_err(|error| Failure::configuration(format!("no login can be kept in {}: {error}", path.display())))
}

/// Removes the login and everything of it.
pub(super) fn remove(desk: &Desk<'_>) -> Result<(), Failure> {
    let path = desk.file.path();
    let removed = locked(desk, || {
        durable_file::remove(path)?;
        BESIDE.iter().try_for_each(|ending| durable_file::remove(&durable_file::beside(path, ending)))
    })?;
    removed.map_err(|error| Failure::configuration(format!("{} cannot be removed: {error}", path.display())))
}

fn locked<T>(desk: &Desk<'_>, work: impl FnOnce() -> io::Result<T>) -> Result<io::Result<T>, Failure> {
    let deadline = Deadline::within(LOCK_PATIENCE, desk.clock);
    match lock(desk.file.path(), desk.clock, deadline) {
        Ok(Some(_lock)) => Ok(work()),
        Ok(None) => {
            Err(Failure::temporary("another command is renewing this login").with_hint("try again in a moment"))
        }
        Err(error) => Ok(Err(error)),
    }
}

fn prepare_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) if !directory.is_dir() => DirBuilder::new().recursive(true).mode(0o700).create(directory),
        Some(_) | None => Ok(()),
    }
}
