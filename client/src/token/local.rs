//! The local source: a file in the shape of the stock Codex CLI's `auth.json`. Ours is renewed, others' are read.
//!
//! * [`reading`]: the file, while somebody may be writing it.
//! * [`journal`], [`rescue`]: what is on record of its renewals; an answer on its way into the file.
//! * [`decision`]: whether to redeem its refresh token, pure; `belonging`: where an answer belongs, pure.
//! * [`renewal`]: the effects, in their order.
//! * [`apart`]: a renewal that outlives the command which needs it. * [`failpoint`]: where tests kill.
//! * [`wording`]: why there is no other token, for people.

pub mod apart;
mod belonging;
pub mod decision;
pub mod failpoint;
pub mod journal;
pub mod reading;
pub mod renewal;
pub mod rescue;
pub mod wording;

use std::time::Duration;

use scorpiox_wire::{Secret, TokenTag};

use self::decision::{Need, Reason, Step, decide};
use self::journal::Record;
use self::reading::{Opened, broken, log_in, next_step, read_until_whole};
use self::renewal::{Renewed, Renewer};
use super::{AccessToken, Ask, Fetched, SourceName, Token, TokenSource, account_id};
use crate::auth_file::Login;
use crate::clock::{Clock, Deadline};
use crate::failure::Failure;
use crate::settings::local::{LocalSettings, RenewedBy};
use crate::talk::Talk;

/// Who cannot renew a token does not give one that ends sooner: a stock client would ask again without pause.
const SHORTEST_LIFE_OF_OTHERS_S: i64 = 360;

/// A file of this machine.
pub struct Local<'a> {
    /// Which, and who renews it.
    pub settings: &'a LocalSettings,
    /// How it is renewed, if we do.
    pub renewer: &'a dyn Renewer,
    /// The time.
    pub clock: &'a dyn Clock,
    /// How long a fetch may take.
    pub within: Duration,
}

impl TokenSource for Local<'_> {
    fn fetch(&self, ask: &Ask, talk: &mut Talk) -> Result<Fetched, Failure> {
        let deadline = Deadline::within(self.within, self.clock);
        let opened = read_until_whole(&self.settings.file, self.clock, talk)?;
        let need = need(ask, &opened.login);
        match self.settings.renewed_by {
            RenewedBy::Others => self.of_others(need, &opened.login),
            RenewedBy::Us => self.of_ours(need, opened, deadline, talk),
        }
    }
}

/// A refusal of a token that is no longer in the file was answered by whoever replaced it.
fn need(ask: &Ask, login: &Login) -> Need {
    match (ask, login.access_token.as_ref().map(tag)) {
        (Ask::Current, _) => Need::Good,
        (Ask::OtherThan(refused), Some(current)) if *refused != current => Need::Good,
        (Ask::OtherThan(_) | Ask::OtherThanLast, _) => Need::Refused,
    }
}

/// Names a token of this source: not by a count, for nobody counts them, but by what it is.
fn tag(access_token: &Secret) -> TokenTag {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, access_token.expose().as_bytes());
    let first = digest.as_ref().first_chunk().expect("a SHA-256 digest has 32 bytes");
    TokenTag { credential: "local".into(), generation: u64::from_be_bytes(*first) }
}

impl Local<'_> {
    fn of_others(&self, need: Need, login: &Login) -> Result<Fetched, Failure> {
        let (path, now) = (self.settings.file.path().display(), self.clock.unix_ms() / 1000);
        let hint = next_step(&self.settings.file);
        if need != Need::Good {
            let failure = Failure::person_must_act(format!("the token in {path} was refused and is not ours to renew"));
            return Err(failure.with_hint(hint));
        }
        match login.expires_at {
            Some(end) if end <= now => {
                Err(Failure::temporary(format!("the token in {path} has expired")).with_hint(hint))
            }
            Some(end) if end - now < SHORTEST_LIFE_OF_OTHERS_S => {
                let ends = format!("the token in {path} ends in {} s and is not ours to renew", end - now);
                Err(Failure::temporary(ends).with_hint(hint))
            }
            Some(_) | None => self.give(login),
        }
    }

    fn of_ours(&self, need: Need, opened: Opened, deadline: Deadline<'_>, talk: &mut Talk) -> Result<Fetched, Failure> {
        let file = &self.settings.file;
        let is_good = decide(need, &opened.login, &Record::Clear, self.clock.unix_ms()) == Step::Serve;
        if is_good && !renewal::is_unfinished(file) {
            return self.give(&opened.login);
        }
        let seen = opened.login.access_token;
        match self.renewer.renew(file, need, seen.as_ref(), deadline, talk) {
            Ok(Renewed { opened, kept: None }) => self.give(&opened.login),
            Ok(Renewed { opened, kept: Some(reason) }) => {
                let is_refused = need != Need::Good && opened.login.access_token == seen;
                self.give_unrenewed(is_refused.then_some(need), &opened.login, &reason, talk)
            }
            Err(failure) => Err(failure),
        }
    }

    /// What is there, when nothing better can be had and nobody refused it.
    fn give_unrenewed(
        &self,
        refused: Option<Need>,
        login: &Login,
        reason: &Reason,
        talk: &mut Talk,
    ) -> Result<Fetched, Failure> {
        let (file, now_ms) = (&self.settings.file, self.clock.unix_ms());
        let failure = wording::failure(reason, file, now_ms);
        let is_alive = login.expires_at.is_none_or(|end| end > now_ms / 1000);
        match (refused, reason) {
            (Some(Need::Refused), Reason::JustRenewed) if is_alive => {
                talk.warn("this token was renewed less than a minute ago; it is given again");
            }
            (None, Reason::JustRenewed) if is_alive => talk.detail(failure.message()),
            (None, _) if is_alive => talk.warn(format!("this token works, but is not renewed: {failure}")),
            _ => return Err(failure),
        }
        self.give(login)
    }

    fn give(&self, login: &Login) -> Result<Fetched, Failure> {
        let file = &self.settings.file;
        let Some(access_token) = &login.access_token else {
            return Err(broken(file, "holds no ChatGPT login").with_hint(log_in(file)));
        };
        let malformed = || broken(file, "holds an access token with characters that no token has");
        let token = Token {
            access_token: AccessToken::parse(access_token).ok_or_else(malformed)?,
            expires_at: login.expires_at,
            account_id: login.account_id.as_deref().and_then(account_id),
            source: SourceName::Local,
        };
        Ok(Fetched { token, tag: Some(tag(access_token)) })
    }
}

#[cfg(test)]
#[path = "local/tests.rs"]
mod tests;
