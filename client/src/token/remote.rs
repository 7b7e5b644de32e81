//! The remote source: cache, remembered failure, one request at a time, and what its answer does to the cache.

use std::time::Duration;

use scorpiox_wire::{TokenAnswer, TokenTag};

use super::answer::{self, Asked, HttpAnswer, Meaning};
use super::cache::{Cache, Entry, Owner, Step, next_step};
use super::failure_memory::FailureMemory;
use super::plain::{self, UNKNOWN_END};
use super::{AccessToken, Ask, Fetched, SourceName, Token, TokenSource, account_id};
use crate::clock::{Clock, Deadline};
use crate::failure::{Class, Failure};
use crate::settings::RemoteSettings;
use crate::state_directory::{Lock, Locking, StateDirectory};
use crate::talk::Talk;

/// A request that has less time than this is not begun.
const SHORTEST_REQUEST: Duration = Duration::from_millis(300);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// A question to the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The token that we have: the broker may say that it still holds.
    pub have: Option<TokenTag>,
    /// The token that the provider refused.
    pub refused: Option<TokenTag>,
}

/// One request to the broker, one answer.
pub trait Exchange {
    /// Asks, within this time. An error means that there was no answer.
    fn ask(&self, question: &Question, within: Duration) -> Result<HttpAnswer, Failure>;
}

/// A broker.
pub struct Remote<'a> {
    /// Which, and our key.
    pub settings: &'a RemoteSettings,
    /// Whose answers these are.
    pub owner: &'a Owner,
    /// Where they are kept.
    pub state: &'a StateDirectory,
    /// How it is reached.
    pub exchange: &'a dyn Exchange,
    /// The time.
    pub clock: &'a dyn Clock,
    /// How long everything together may take.
    pub within: Duration,
}

/// What waiting for our turn led to.
enum Turn {
    /// Nothing to ask.
    Serve(Entry),
    /// Nobody may ask at the moment.
    Failed { failure: Failure, step: Step, entry: Option<Entry> },
    /// We ask, and nobody else does until the lock is dropped.
    Ours { step: Step, entry: Option<Entry>, _lock: Option<Lock> },
}

impl TokenSource for Remote<'_> {
    fn fetch(&self, ask: &Ask, talk: &mut Talk) -> Result<Fetched, Failure> {
        let cache = Cache::new(self.state, self.owner);
        let deadline = Deadline::within(self.within, self.clock);
        let entry = match self.await_turn(&self.settle(ask, &cache), &cache, deadline, talk) {
            Turn::Serve(entry) => {
                talk.detail("from the cache");
                Ok(entry)
            }
            Turn::Failed { failure, step, entry } => self.fall_back(failure, &step, entry, talk),
            Turn::Ours { step, entry, _lock } => self.request(&step, entry, &cache, deadline, talk),
        }?;
        fetched(&entry.answer, talk)
    }
}

impl Remote<'_> {
    /// Names the token that was given last once, before waiting: by the time that we have the lock, somebody else
    /// may have replaced it, and the new one was refused by nobody.
    fn settle(&self, ask: &Ask, cache: &Cache<'_>) -> Ask {
        match ask {
            Ask::Current | Ask::OtherThan(_) => ask.clone(),
            Ask::OtherThanLast => cache.read().map_or(Ask::Current, |entry| Ask::OtherThan(entry.answer.tag())),
        }
    }

    fn await_turn(&self, ask: &Ask, cache: &Cache<'_>, deadline: Deadline<'_>, talk: &mut Talk) -> Turn {
        let lock_name = format!("{}.lock", self.owner.file_stem());
        let mut lock = None;
        loop {
            let (entry, now_ms) = (cache.read(), self.clock.unix_ms());
            let step = next_step(entry.as_ref(), ask, now_ms);
            if let (Step::Serve, Some(entry)) = (&step, &entry) {
                return Turn::Serve(entry.clone());
            }
            if let Some(failure) = self.memory().recall(&step, now_ms) {
                talk.detail("this failure was remembered; nothing was asked");
                return Turn::Failed { failure, step, entry };
            }
            // Looked once more since we have the lock: its last holder may have got what we want.
            if lock.is_some() {
                return Turn::Ours { step, entry, _lock: lock };
            }
            match self.state.try_lock(&lock_name) {
                Locking::Acquired(acquired) => lock = Some(acquired),
                Locking::Impossible(error) => {
                    talk.warn(format!("the token cannot be cached: {error}"));
                    return Turn::Ours { step, entry, _lock: None };
                }
                Locking::Held if deadline.left() > SHORTEST_REQUEST => self.clock.pause(BETWEEN_LOOKS),
                Locking::Held => {
                    let failure = Failure::unreachable("another process has been asking the broker for too long");
                    return Turn::Failed { failure, step, entry };
                }
            }
        }
    }

    fn request(
        &self,
        step: &Step,
        entry: Option<Entry>,
        cache: &Cache<'_>,
        deadline: Deadline<'_>,
        talk: &mut Talk,
    ) -> Result<Entry, Failure> {
        let question = question(step);
        let refused = if let Step::Refuse(tag) = step { Some(tag) } else { None };
        let keyless = if self.settings.key.is_none() { "; no key is set, so none is sent" } else { "" };
        talk.detail(format!("asking {}{keyless}", self.settings.url.as_str()));
        let asked_ms = self.clock.unix_ms();
        let meaning = match self.exchange.ask(&question, deadline.left()) {
            Ok(answer) => answer::read(&answer, &Asked { have: question.have.as_ref(), refused, at: asked_ms / 1000 }),
            Err(failure) => Meaning::Undecided(failure),
        };
        match (meaning, entry) {
            (Meaning::Token(answer), _) => {
                let insists = refused == Some(&answer.tag());
                let entry = Entry::new(*answer, asked_ms);
                Ok(self.keep(if insists { entry.insisted(asked_ms) } else { entry }, step, cache, talk))
            }
            (Meaning::Unchanged, Some(entry)) => Ok(self.keep(entry.confirmed(asked_ms), step, cache, talk)),
            (Meaning::Unchanged, None) => unreachable!("the question named no token, so 304 is not understood"),
            (Meaning::Refused(failure), _) => Err(self.obey(self.naming_a_missing_key(failure), step, cache, talk)),
            (Meaning::Undecided(failure), entry) => {
                self.memory().remember(step, &failure, self.clock.unix_ms());
                self.fall_back(failure, step, entry, talk)
            }
        }
    }

    /// Keeps an answer for the next command. A full disk costs the next command a request, never this one its token.
    fn keep(&self, entry: Entry, step: &Step, cache: &Cache<'_>, talk: &mut Talk) -> Entry {
        self.memory().forget(step);
        if let Err(error) = cache.write(&entry) {
            talk.warn(format!("the token cannot be cached: {error}"));
        }
        entry
    }

    /// The broker decided against us. First forget the token, then remember why: a kill in between must leave nothing
    /// that may be served.
    fn obey(&self, failure: Failure, step: &Step, cache: &Cache<'_>, talk: &mut Talk) -> Failure {
        if let Err(error) = cache.delete() {
            talk.warn(format!("the refused token is still in the cache: {error}"));
        }
        self.memory().remember(step, &failure, self.clock.unix_ms());
        failure
    }

    fn naming_a_missing_key(&self, failure: Failure) -> Failure {
        match (&self.settings.key, failure.class) {
            (None, Class::KeyOrGrant) => failure.with_hint(
                "no key was sent: set TOKEN_HTTP_API_KEY or TOKEN_HTTP_API_KEY_FILE (scorpiox-broker client add prints one)",
            ),
            _ => failure,
        }
    }

    /// The broker could not be asked or could not decide: the token that we have still works, unless it is the very
    /// one that the caller cannot use.
    fn fall_back(
        &self,
        failure: Failure,
        step: &Step,
        entry: Option<Entry>,
        talk: &mut Talk,
    ) -> Result<Entry, Failure> {
        let now_ms = self.clock.unix_ms();
        match (step, entry.filter(|entry| entry.is_alive(now_ms))) {
            (Step::Serve | Step::Ask { .. }, Some(entry)) => {
                let minutes = entry.minutes_left(now_ms);
                talk.warn(format!("{failure}; the token it gave earlier works for another {minutes} min"));
                Ok(entry)
            }
            (Step::Refuse(_), _) | (_, None) => Err(failure),
        }
    }

    fn memory(&self) -> FailureMemory<'_> {
        FailureMemory::new(self.state, self.owner, self.settings)
    }
}

/// Only a name that the other side gave means something to it.
fn question(step: &Step) -> Question {
    let (have, refused) = match step {
        Step::Serve => (None, None),
        Step::Ask { have } => (have.as_ref(), None),
        Step::Refuse(tag) => (None, Some(tag)),
    };
    let theirs = |tag: Option<&TokenTag>| tag.filter(|tag| !plain::is_made_here(tag)).cloned();
    Question { have: theirs(have), refused: theirs(refused) }
}

fn fetched(answer: &TokenAnswer, talk: &mut Talk) -> Result<Fetched, Failure> {
    let malformed = || Failure::temporary("the cached token has characters that no token has");
    let access_token = AccessToken::parse(&answer.access_token).ok_or_else(malformed)?;
    if !answer.renewable {
        talk.warn("this login cannot be renewed any more; somebody must log in at the broker before it ends");
    }
    let token = Token {
        access_token,
        expires_at: Some(answer.expires_at).filter(|end| *end != UNKNOWN_END),
        account_id: account_id(&answer.account_id),
        source: SourceName::Remote,
    };
    Ok(Fetched { token, tag: Some(answer.tag()) })
}

#[cfg(test)]
#[path = "remote/tests.rs"]
mod tests;
