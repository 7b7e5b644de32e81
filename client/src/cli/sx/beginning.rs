//! Which conversation is held: a new one, or one that was kept; and whether it is kept.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;

use clap::Args;
use jiff::tz::TimeZone;
use rustyline::DefaultEditor;

use super::manner::{Wish, effort_of};
use super::sessions::list::{current_directory, row, width};
use super::sessions::{named, not_at_hand, store};
use crate::backend::traffic::Ear;
use crate::cli::outcome;
use crate::clock::{Clock, SystemClock};
use crate::failure::{Class, Failure};
use crate::random;
use crate::session;
use crate::session::recorder::Keeper;
use crate::session::replay::{Replayed, Told};
use crate::session::store::{Glance, Store};
use crate::session::traffic::TrafficLog;
use crate::session::transcript::NotOpened;
use crate::settings::written::Key;

/// So many are offered to choose from.
const MOST_OFFERED: usize = 20;

/// What may be typed about it.
#[derive(Debug, Args)]
pub(super) struct TypedBeginning {
    /// Go on with the conversation of this directory that was used last
    #[arg(long = "continue", conflicts_with = "resume")]
    latest: bool,
    /// Go on with a conversation; without ID you choose from a list
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    resume: Option<String>,
    /// Go on with a copy, and leave the conversation itself as it is
    #[arg(long)]
    fork: bool,
    /// Keep nothing of what is said
    #[arg(long)]
    ephemeral: bool,
    /// Keep requests and answers too, without tokens, keys, images and encrypted reasoning: traffic.jsonl
    #[arg(long, conflicts_with = "ephemeral")]
    log_traffic: bool,
}

/// Which conversation is held, and whether it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beginning {
    which: Which,
    keeping: Keeping,
    traffic: Traffic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Traffic {
    Logged,
    NotLogged,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    New,
    Latest,
    Named(String),
    Chosen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    Kept,
    /// In a conversation of its own.
    AsCopy,
    Not,
}

/// A conversation that can be held.
pub(super) struct Found<'a> {
    keeper: Keeper<'a>,
    /// What was said before, when it is not new.
    pub(super) earlier: Option<Replayed>,
    pending: Option<PendingCopy<'a>>,
    /// Who listens to what goes over the wire.
    pub(super) ear: Ear,
}

/// A copy that is still to be made.
struct PendingCopy<'a> {
    store: Store,
    of: String,
    clock: &'a dyn Clock,
}

impl<'a> Found<'a> {
    /// Who keeps the conversation, and what was said before. A copy is made now: who could not start has left none.
    pub(super) fn begin(mut self) -> Result<(Keeper<'a>, Option<Replayed>), Failure> {
        let Some(PendingCopy { store, of, clock }) = self.pending else { return Ok((self.keeper, self.earlier)) };
        let id = random::uuid();
        store.copy(&of, &id, clock.unix_ms()).map_err(|error| not_at_hand(&of, &error))?;
        let replayed = take_up(&mut self.keeper, &store, &id)?;
        Ok((self.keeper, Some(replayed)))
    }
}

impl TryFrom<TypedBeginning> for Beginning {
    type Error = Failure;

    fn try_from(typed: TypedBeginning) -> Result<Self, Failure> {
        let which = match (typed.latest, typed.resume) {
            (true, _) => Which::Latest,
            (false, None) => Which::New,
            (false, Some(id)) if id.is_empty() => Which::Chosen,
            (false, Some(id)) => Which::Named(id),
        };
        let keeping = match (typed.ephemeral, typed.fork) {
            (true, _) => Keeping::Not,
            (false, true) if which == Which::New => {
                let failure = Failure::new(Class::Usage, "--fork: there is nothing to copy");
                return Err(failure.with_hint("name a conversation with --resume ID or --continue"));
            }
            (false, true) => Keeping::AsCopy,
            (false, false) => Keeping::Kept,
        };
        let traffic = if typed.log_traffic { Traffic::Logged } else { Traffic::NotLogged };
        Ok(Self { which, keeping, traffic })
    }
}

impl Beginning {
    /// A new conversation, kept.
    #[cfg(test)]
    pub(super) fn new() -> Self {
        Self { which: Which::New, keeping: Keeping::Kept, traffic: Traffic::NotLogged }
    }

    /// Finds what is meant. Nothing is made yet.
    pub(super) fn open<'a>(
        &self,
        environment: &dyn Fn(&str) -> Option<OsString>,
        clock: &'a dyn Clock,
    ) -> Result<Found<'a>, Failure> {
        let traffic = self.traffic_log(environment)?;
        let mut keeper = match self.keeping {
            Keeping::Kept | Keeping::AsCopy => Keeper::new(session::place(environment), current_directory()?, clock),
            Keeping::Not => Keeper::unwanted(clock),
        };
        let (earlier, pending) = match self.which {
            Which::New => (None, None),
            Which::Latest | Which::Named(_) | Which::Chosen => {
                let store = store(environment)?;
                let id = self.id(&store)?;
                match self.keeping {
                    Keeping::AsCopy => {
                        let earlier = store.read(&id).map_err(|error| not_at_hand(&id, &error))?;
                        (Some(earlier), Some(PendingCopy { store, of: id, clock }))
                    }
                    Keeping::Kept | Keeping::Not => (Some(take_up(&mut keeper, &store, &id)?), None),
                }
            }
        };
        if let Some(log) = &traffic {
            let kept = earlier.as_ref().filter(|_| pending.is_none());
            log.check(kept.map(|kept| kept.session.id.as_str()))?;
        }
        let ear = traffic.map_or_else(Ear::default, |log| Ear::of(Arc::new(log)));
        Ok(Found { keeper, earlier, pending, ear })
    }

    fn traffic_log(&self, environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Option<TrafficLog>, Failure> {
        match (self.traffic, session::place(environment)) {
            (Traffic::NotLogged, _) => Ok(None),
            (Traffic::Logged, Some(place)) => Ok(Some(TrafficLog::new(place, Box::new(SystemClock::start())))),
            (Traffic::Logged, None) => {
                let text = "--log-traffic: traffic.jsonl has no place: neither XDG_STATE_HOME nor HOME is set";
                Err(Failure::new(Class::Usage, text).with_hint("set one, or leave out --log-traffic"))
            }
        }
    }

    fn id(&self, store: &Store) -> Result<String, Failure> {
        let nothing = |text| Failure::new(Class::Usage, text).with_hint("sx sessions list --all names what is kept");
        match &self.which {
            Which::Named(word) => named(store, word),
            Which::Latest => {
                let latest = store.latest_of(&current_directory()?);
                latest
                    .map(|glance| glance.session.id)
                    .ok_or_else(|| nothing("no conversation of this directory is kept"))
            }
            Which::Chosen if !io::stdin().is_terminal() || !io::stdout().is_terminal() => {
                Err(nothing("--resume: without a terminal it takes an ID"))
            }
            Which::New | Which::Chosen => choose(store)?.ok_or_else(|| nothing("no conversation was chosen")),
        }
    }
}

/// Goes on with a conversation: it is kept where it was, or, if nothing is to be kept, it is another one from here on.
pub(super) fn take_up(keeper: &mut Keeper<'_>, store: &Store, id: &str) -> Result<Replayed, Failure> {
    let taken = match keeper.is_wanted() {
        true => store.resume(id).map(|(transcript, replayed)| {
            keeper.go_on(transcript, &replayed);
            replayed
        }),
        false => store.read(id).map(|mut replayed| {
            replayed.session.id = random::uuid();
            replayed
        }),
    };
    taken.map_err(|error| {
        let failure = not_at_hand(id, &error);
        match error {
            NotOpened::Held => failure.with_hint("leave it there, or go on with a copy: --fork"),
            NotOpened::Unreadable(_) | NotOpened::Io(_) => failure,
        }
    })
}

/// The model that was asked last is asked again, and as hard, unless something else was typed.
pub(super) fn as_before(wish: &mut Wish, told: &Told, typed: &[(Key, String)]) {
    let is_typed = |keys: &[Key]| typed.iter().any(|(key, _)| keys.contains(key));
    if let (false, Some(model)) = (is_typed(&[Key::Model]), &told.model) {
        wish.model.clone_from(model);
    }
    if !is_typed(&[Key::CodexReasoningEffort, Key::ReasoningEffort, Key::Thinking]) {
        wish.effort = told.effort.as_deref().and_then(effort_of);
    }
}

/// Lets the person choose from those of this directory, or from all when it has none.
pub(super) fn choose(store: &Store) -> Result<Option<String>, Failure> {
    let (directory, all) = (current_directory()?, store.all());
    let is_of_here = |glance: &Glance| glance.is_of(&directory);
    let anywhere = !all.iter().any(is_of_here);
    let offered: Vec<&Glance> = all.iter().filter(|glance| anywhere || is_of_here(glance)).take(MOST_OFFERED).collect();
    if offered.is_empty() {
        return Ok(None);
    }
    let zone = TimeZone::system();
    for (number, glance) in (1..).zip(&offered) {
        outcome::answer(&format!("{number:>2}  {}", row(glance, anywhere, width() - 4, &zone)))?;
    }
    let Ok(mut editor) = DefaultEditor::new() else { return Ok(None) };
    loop {
        let question = format!("which one? (1 to {}, Enter for none) ", offered.len());
        let Ok(answer) = editor.readline(&question) else { return Ok(None) };
        match answer.trim().parse::<usize>() {
            _ if answer.trim().is_empty() => return Ok(None),
            Ok(number) if (1..=offered.len()).contains(&number) => {
                return Ok(Some(offered[number - 1].session.id.clone()));
            }
            Ok(_) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish() -> Wish {
        Wish { model: "sonnet".to_owned(), effort: Some("low"), compact_at_tokens: 190_000 }
    }

    #[test]
    fn what_was_typed_goes_before_what_was_used_and_that_before_the_settings() {
        let told = Told { model: Some("gpt-5.5".to_owned()), effort: Some("high".to_owned()), ..Told::default() };
        let adapted = |typed: &[(Key, String)]| {
            let mut wish = wish();
            as_before(&mut wish, &told, typed);
            (wish.model, wish.effort)
        };
        assert_eq!(adapted(&[]), ("gpt-5.5".to_owned(), Some("high")));
        assert_eq!(adapted(&[(Key::Model, "opus".to_owned())]), ("sonnet".to_owned(), Some("high")));
        assert_eq!(adapted(&[(Key::Thinking, "1".to_owned())]), ("gpt-5.5".to_owned(), Some("low")));
    }

    #[test]
    fn what_is_typed_names_one_conversation() {
        let typed = |latest, resume: Option<&str>, fork, ephemeral| {
            let resume = resume.map(str::to_owned);
            Beginning::try_from(TypedBeginning { latest, resume, fork, ephemeral, log_traffic: false })
        };
        assert_eq!(typed(false, None, false, false).unwrap(), Beginning::new());
        assert_eq!(typed(true, None, false, false).unwrap().which, Which::Latest);
        assert_eq!(typed(false, Some(""), false, false).unwrap().which, Which::Chosen);
        let copy = typed(false, Some("1a"), true, false).unwrap();
        assert_eq!((copy.which, copy.keeping), (Which::Named("1a".to_owned()), Keeping::AsCopy));
        assert_eq!(typed(true, None, true, true).unwrap().keeping, Keeping::Not);
        assert_eq!(typed(false, None, true, false).unwrap_err().class, Class::Usage);
    }
}
