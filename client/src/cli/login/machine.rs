//! A login in steps, for programs: one JSON line a call, which never holds a token. What a step needs of the one before
//! is kept in the state directory; it is a secret, for whoever has it can collect the login.

use std::time::Duration;

use scorpiox_wire::Secret;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Told;
use super::desk::Desk;
use super::keeping::{self, Existing};
use crate::cli::escape::escaped_json;
use crate::cli::outcome;
use crate::failure::Failure;
use crate::oauth::device::{self, DeviceCode, LIFE, Poll};
use crate::oauth::exchange::exchange;
use crate::state_directory::Locking;
use crate::talk::Talk;

/// A device login under way, as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(serialize_with = "scorpiox_wire::token::outward")]
    device_auth_id: Secret,
    user_code: String,
    interval: u64,
    expires_at: i64,
}

impl Kept {
    fn device(&self) -> DeviceCode {
        DeviceCode {
            device_auth_id: self.device_auth_id.clone(),
            user_code: self.user_code.clone(),
            interval: Duration::from_secs(self.interval),
        }
    }
}

/// What is said of a login under way.
#[derive(Serialize)]
struct Pending<'a> {
    account: Option<&'a str>,
    verification_url: String,
    user_code: &'a str,
    interval: u64,
    expires_at: i64,
}

/// What is said of a login.
#[derive(Serialize)]
struct LoggedIn<'a> {
    account: Option<&'a str>,
    file: String,
    account_id: Option<&'a str>,
    email: Option<&'a str>,
    plan_type: Option<&'a str>,
    expires_at: Option<i64>,
}

/// A line.
#[derive(Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
enum Line<'a> {
    Pending(Pending<'a>),
    Complete(LoggedIn<'a>),
    None,
    Expired,
    Cancelled,
    LoggedIn(Status<'a>),
    LoggedOut(Status<'a>),
    Ended(Status<'a>),
    Error(Error<'a>),
}

#[derive(Serialize)]
struct Status<'a> {
    #[serde(flatten)]
    login: LoggedIn<'a>,
    pending: Option<Pending<'a>>,
}

#[derive(Serialize)]
struct Error<'a> {
    exit_code: u8,
    message: &'a str,
    hint: Option<&'a str>,
}

/// Begins a login, in place of one that was begun before.
pub(super) fn start(desk: &Desk<'_>) -> Result<Told, Failure> {
    keeping::check_replacing(desk)?;
    keeping::check_place(desk)?;
    let device = device::start(&desk.server, &desk.caller())?;
    let kept = Kept {
        device_auth_id: device.device_auth_id,
        user_code: device.user_code,
        interval: device.interval.as_secs(),
        expires_at: desk.clock.unix_ms() / 1000 + i64::try_from(LIFE.as_secs()).unwrap_or(0),
    };
    let bytes = Zeroizing::new(serde_json::to_vec(&kept).expect("texts and numbers become JSON"));
    let unkept = |error| Failure::configuration(format!("the login cannot be kept until the next call: {error}"));
    desk.state.replace(&name(desk), &bytes).map_err(unkept)?;
    print(&Line::Pending(pending(desk, &kept))).map(Ok)
}

/// Asks once how it stands.
pub(super) fn poll(desk: &Desk<'_>, talk: &mut Talk) -> Result<Told, Failure> {
    // Two that ask at once must not exchange the same code twice.
    let lock = desk.state.try_lock(&format!("{}.lock", name(desk)));
    let Some(kept) = read(desk) else {
        print(&Line::None)?;
        return Ok(Err(Failure::person_must_act("no login was begun here").with_hint("begin one with --start")));
    };
    if desk.clock.unix_ms() / 1000 >= kept.expires_at {
        forget(desk);
        print(&Line::Expired)?;
        return Ok(Err(super::device::too_late()));
    }
    let Locking::Acquired(_lock) = lock else { return unfinished(desk, &kept) };
    let code = match device::poll(&desk.server, &desk.caller(), &kept.device()) {
        Ok(Poll::Ready(code)) => code,
        Ok(Poll::Pending | Poll::SlowDown) => return unfinished(desk, &kept),
        Err(failure) => {
            forget(desk);
            return Err(failure);
        }
    };
    let redeem = || {
        let login = exchange(&desk.server, &desk.caller(), &code);
        // The code is for one try, whatever came of it.
        forget(desk);
        login
    };
    let saved = keeping::save(desk, redeem, talk)?;
    print(&Line::Complete(logged_in(desk, Some(&saved)))).map(Ok)
}

fn unfinished(desk: &Desk<'_>, kept: &Kept) -> Result<Told, Failure> {
    print(&Line::Pending(pending(desk, kept)))?;
    Ok(Err(Failure::temporary("the login is not finished").with_hint(format!("ask again in {} s", kept.interval))))
}

/// Forgets the login that was begun.
pub(super) fn cancel(desk: &Desk<'_>) -> Result<Told, Failure> {
    let was_there = read(desk).is_some();
    forget(desk);
    print(&if was_there { Line::Cancelled } else { Line::None }).map(Ok)
}

/// Who is logged in.
pub(super) fn status(desk: &Desk<'_>) -> Result<Told, Failure> {
    let kept = read(desk).filter(|kept| desk.clock.unix_ms() / 1000 < kept.expires_at);
    let existing = keeping::existing(desk.file.path());
    let status =
        Status { login: logged_in(desk, existing.as_ref()), pending: kept.as_ref().map(|kept| pending(desk, kept)) };
    let path = desk.file.path().display();
    match &existing {
        Some(login) if login.is_good() => print(&Line::LoggedIn(status)).map(Ok),
        Some(login) if login.ended.is_some() => {
            print(&Line::Ended(status))?;
            Ok(Err(Failure::person_must_act(format!("the login in {path} has ended")).with_hint("log in again")))
        }
        Some(_) | None => {
            print(&Line::LoggedOut(status))?;
            Ok(Err(Failure::person_must_act(format!("nobody is logged in at {path}")).with_hint("log in")))
        }
    }
}

/// The line of a call that failed.
pub(super) fn tell(failure: &Failure) -> Result<(), Failure> {
    print(&Line::Error(Error {
        exit_code: failure.class.exit_code(),
        message: failure.message(),
        hint: failure.hint(),
    }))
}

fn print(line: &Line<'_>) -> Result<(), Failure> {
    let text = serde_json::to_string(line).expect("texts and numbers become JSON");
    outcome::answer(&(escaped_json(&text) + "\n"))
}

fn pending<'a>(desk: &'a Desk<'_>, kept: &'a Kept) -> Pending<'a> {
    Pending {
        account: desk.account.as_ref().map(|account| account.as_str()),
        verification_url: desk.server.device_page().as_str().to_owned(),
        user_code: &kept.user_code,
        interval: kept.interval,
        expires_at: kept.expires_at,
    }
}

fn logged_in<'a>(desk: &'a Desk<'_>, existing: Option<&'a Existing>) -> LoggedIn<'a> {
    LoggedIn {
        account: desk.account.as_ref().map(|account| account.as_str()),
        file: desk.file.path().display().to_string(),
        account_id: existing.and_then(|existing| existing.login.account_id.as_deref()),
        email: existing.and_then(|existing| existing.person.email.as_deref()),
        plan_type: existing.and_then(|existing| existing.person.plan_type.as_deref()),
        expires_at: existing.and_then(|existing| existing.login.expires_at),
    }
}

fn name(desk: &Desk<'_>) -> String {
    match &desk.account {
        None => "login.device".into(),
        Some(account) => format!("login-{account}.device"),
    }
}

fn read(desk: &Desk<'_>) -> Option<Kept> {
    serde_json::from_slice(&desk.state.read(&name(desk))?).ok()
}

fn forget(desk: &Desk<'_>) {
    // What stays is worthless in fifteen minutes.
    let _ = desk.state.remove(&name(desk));
}
