//! Logins that are on their way: authorization codes with their PKCE challenge, and device codes.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::account::Account;
use crate::random::Random;
use crate::settings::Approval;

/// Seconds until an authorization code or a device code is worthless.
const LIFE_S: i64 = 900;

/// Codes that have been given out and not been exchanged.
#[derive(Default)]
pub(crate) struct Authorizations {
    codes: HashMap<String, Code>,
    devices: BTreeMap<String, Device>,
}

struct Code {
    account: Account,
    redirect: Redirect,
    challenge: String,
    client_id: String,
    expires_at: i64,
}

enum Redirect {
    Exactly(String),
    /// The server's own page, under whatever name the client knows the server.
    DevicePage,
}

struct Device {
    user_code: String,
    client_id: String,
    asked_at: i64,
    polls: u32,
    approved: bool,
    issued: Option<(String, String)>,
}

/// What somebody asks for in the browser.
pub(crate) struct Asked<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) challenge: &'a str,
}

/// What a client shows in order to exchange a code.
pub(crate) struct Shown<'a> {
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) verifier: &'a str,
}

/// What a poll finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Poll {
    Pending,
    Unknown,
    Approved { code: String, challenge: String, verifier: String },
}

impl fmt::Debug for Authorizations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (codes, devices) = (self.codes.len(), self.devices.len());
        f.debug_struct("Authorizations").field("codes", &codes).field("devices", &devices).finish_non_exhaustive()
    }
}

impl Authorizations {
    /// Approves at once.
    pub(crate) fn approve_in_browser(
        &mut self,
        asked: &Asked<'_>,
        account: &Account,
        random: &mut Random,
        now: i64,
    ) -> String {
        let code = Code {
            account: account.clone(),
            redirect: Redirect::Exactly(asked.redirect_uri.to_owned()),
            challenge: asked.challenge.to_owned(),
            client_id: asked.client_id.to_owned(),
            expires_at: now.saturating_add(LIFE_S),
        };
        self.give_out(code, random)
    }

    fn give_out(&mut self, code: Code, random: &mut Random) -> String {
        let text = format!("ac_{}", random.text(32));
        self.codes.insert(text.clone(), code);
        text
    }

    /// Begins a device-code login: device id and user code.
    pub(crate) fn begin_device(&mut self, client_id: &str, random: &mut Random, now: i64) -> (String, String) {
        let (id, user_code) = (format!("da_{}", random.text(24)), random.user_code());
        let device = Device {
            user_code: user_code.clone(),
            client_id: client_id.to_owned(),
            asked_at: now,
            polls: 0,
            approved: false,
            issued: None,
        };
        self.devices.insert(id.clone(), device);
        (id, user_code)
    }

    /// Approves the device with this user code, or all that wait.
    pub(crate) fn approve_devices(&mut self, user_code: Option<&str>) -> usize {
        let waiting = self.devices.values_mut().filter(|device| !device.approved);
        let named = waiting.filter(|device| user_code.is_none_or(|code| device.user_code.eq_ignore_ascii_case(code)));
        named.map(|device| device.approved = true).count()
    }

    /// The user codes that wait for somebody.
    pub(crate) fn waiting(&self) -> Vec<String> {
        let waiting = self.devices.values().filter(|device| !device.approved);
        waiting.map(|device| device.user_code.clone()).collect()
    }

    pub(crate) fn poll(
        &mut self,
        (id, user_code): (&str, &str),
        approval: Approval,
        account: &Account,
        random: &mut Random,
        now: i64,
    ) -> Poll {
        let Some(device) = self.devices.get_mut(id).filter(|device| device.user_code == user_code) else {
            return Poll::Unknown;
        };
        if now >= device.asked_at.saturating_add(LIFE_S) {
            return Poll::Unknown;
        }
        device.polls += 1;
        if let Approval::AfterPolls(waits) = approval {
            device.approved |= device.polls > waits;
        }
        if !device.approved {
            return Poll::Pending;
        }
        // The same code again when it is asked again, because the first answer may have been lost.
        if let Some((code, verifier)) = device.issued.clone() {
            return Poll::Approved { code, challenge: challenge(&verifier), verifier };
        }
        let verifier = random.text(64);
        let code = Code {
            account: account.clone(),
            redirect: Redirect::DevicePage,
            challenge: challenge(&verifier),
            client_id: device.client_id.clone(),
            expires_at: now.saturating_add(LIFE_S),
        };
        let text = format!("ac_{}", random.text(32));
        device.issued = Some((text.clone(), verifier.clone()));
        self.codes.insert(text.clone(), code);
        Poll::Approved { code: text, challenge: challenge(&verifier), verifier }
    }

    /// Exchanges a code, once. The error says what did not fit.
    pub(crate) fn exchange(&mut self, shown: &Shown<'_>, now: i64) -> Result<Account, &'static str> {
        // Taken out even if the rest does not fit: a code is for one try.
        let code = self.codes.remove(shown.code).ok_or("unknown or used authorization code")?;
        if now >= code.expires_at {
            return Err("the authorization code has expired");
        }
        if code.client_id != shown.client_id {
            return Err("client_id differs");
        }
        let redirect_fits = match &code.redirect {
            Redirect::Exactly(uri) => uri == shown.redirect_uri,
            Redirect::DevicePage => shown.redirect_uri.ends_with("/deviceauth/callback"),
        };
        if !redirect_fits {
            return Err("redirect_uri differs");
        }
        if code.challenge != challenge(shown.verifier) {
            return Err("code_verifier does not match code_challenge");
        }
        Ok(code.account)
    }
}

/// The S256 challenge of a verifier (RFC 7636 §4.2).
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}
