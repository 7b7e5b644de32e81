//! A conversation that became too long is made shorter: before a turn, between two questions of one, when the backend
//! says that it does not fit, and when the person asks for it. What fails or is stopped changes nothing.

use std::fmt;

use super::asking::{Audience, Unable};
use super::record::{Earlier, Happening, Recorder};
use super::{Driver, Ended, Sight, Tools, Under, Watcher};
use crate::conversation::compaction::summarising::{Shortened, Summarising, summary};
use crate::conversation::compaction::{self, Due, kept};
use crate::conversation::event::Usage;
use crate::conversation::fault::{Fault, Remedy};
use crate::conversation::history::History;
use crate::conversation::item::Item;
use crate::conversation::reply::Answer;
use crate::conversation::size;
use crate::conversation::turn::Turn;
use crate::failure::{Class, Failure};
use crate::talk::Talk;

/// So often a question for a summary is made shorter: what is left then is a tenth of the conversation.
const MOST_SHORTENINGS: u32 = 16;

/// What happens while a conversation is made shorter; [`Display`](fmt::Display) is what a person is told.
#[derive(Debug, Clone, Copy)]
pub enum Compacting<'a> {
    /// The model writes a summary.
    Begun {
        /// Why.
        why: Why,
        /// What the conversation takes, as far as anybody knows.
        tokens: u64,
    },
    /// The summary stands in the place of the rest.
    Done {
        /// What the conversation took.
        before: u64,
        /// What it takes, estimated, without instructions and tools.
        after: u64,
    },
    /// The conversation is as it was, and goes on.
    GivenUp(&'a Failure),
    /// Almost all of it is what no summary could stand for. Said once.
    InVain {
        /// What the conversation takes.
        tokens: u64,
        /// What it should take at most.
        limit: u64,
    },
}

/// Why a conversation is made shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The person wants it.
    Asked,
    /// It has reached so many tokens.
    Limit(u64),
    /// The backend says that it does not fit.
    DoesNotFit,
}

impl fmt::Display for Compacting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun { why: Why::Asked, tokens } => {
                write!(f, "compacting the conversation of about {tokens} tokens")
            }
            Self::Begun { why: Why::Limit(limit), tokens } => {
                write!(f, "the conversation has {tokens} tokens, at {limit} it is compacted")
            }
            Self::Begun { why: Why::DoesNotFit, .. } => {
                write!(f, "the conversation does not fit into the model's window: compacting it")
            }
            Self::Done { before, after } => write!(f, "compacted: from {before} to about {after} tokens"),
            Self::GivenUp(failure) => write!(f, "not compacted: {failure}"),
            Self::InVain { tokens, limit } => write!(
                f,
                "the conversation has {tokens} tokens, more than {limit}, and compacting it would save next to nothing"
            ),
        }
    }
}

/// Why a conversation is as long as before.
enum NotShorter {
    Stopped,
    Because(Failure),
}

impl From<Unable> for NotShorter {
    fn from(unable: Unable) -> Self {
        match Ended::from(unable) {
            Ended::Stopped | Ended::NotBegun => Self::Stopped,
            Ended::Failed(failure) => Self::Because(failure),
        }
    }
}

/// A conversation made shorter.
struct Shorter {
    items: Vec<Item>,
    usage: Option<Usage>,
}

impl Driver<'_> {
    /// Makes the conversation shorter because the person wants it; `focus` is what is to be kept above all. What it
    /// cost.
    pub fn compact(
        &self,
        focus: Option<&str>,
        history: &mut History,
        tools: &mut dyn Tools,
        watcher: &mut dyn Watcher,
        recorder: &mut dyn Recorder,
        talk: &mut Talk,
    ) -> Result<Usage, Ended> {
        let (mut turn, mut spent) = (Turn::begin(Vec::new()), Usage::default());
        let mut under = Under { history, tools, watcher, recorder, talk, turn_state: None };
        match self.shorten(Why::Asked, focus, &mut turn, &mut spent, &mut under) {
            Ok(()) => Ok(spent),
            Err(NotShorter::Stopped) => Err(Ended::Stopped),
            Err(NotShorter::Because(failure)) => Err(failure.into()),
        }
    }

    /// Makes the conversation shorter if it is due. What fails is said, and it goes on as it is: it may still fit.
    pub(super) fn make_room(&self, turn: &mut Turn, spent: &mut Usage, under: &mut Under<'_, '_>) -> Result<(), Ended> {
        let model = &self.manner.model;
        let limit = compaction::limit(model.compact_at_tokens, model.context_tokens, self.manner.compact_at_tokens);
        let tokens = match compaction::due(under.history, turn, limit) {
            Due::NotYet => return Ok(()),
            Due::InVain { tokens } => {
                under.watcher.see(Sight::Compacting(Compacting::InVain { tokens, limit }));
                under.history.compacted_in_vain(tokens);
                return Ok(());
            }
            Due::Now { tokens } => tokens,
        };
        match self.shorten(Why::Limit(limit), None, turn, spent, under) {
            Ok(()) => Ok(()),
            Err(NotShorter::Stopped) => Err(Ended::Stopped),
            Err(NotShorter::Because(failure)) => {
                under.watcher.see(Sight::Compacting(Compacting::GivenUp(&failure)));
                under.history.compacted_in_vain(tokens);
                Ok(())
            }
        }
    }

    /// The conversation does not fit: makes it shorter, so that it can be asked again.
    pub(super) fn make_fit(
        &self,
        fault: Fault,
        turn: &mut Turn,
        spent: &mut Usage,
        under: &mut Under<'_, '_>,
    ) -> Result<(), Ended> {
        self.shorten(Why::DoesNotFit, None, turn, spent, under).map_err(|not_shorter| match not_shorter {
            NotShorter::Stopped => Ended::Stopped,
            NotShorter::Because(failure) => {
                under.watcher.see(Sight::Compacting(Compacting::GivenUp(&failure)));
                Failure::from(fault).into()
            }
        })
    }

    fn shorten(
        &self,
        why: Why,
        focus: Option<&str>,
        turn: &mut Turn,
        spent: &mut Usage,
        under: &mut Under<'_, '_>,
    ) -> Result<(), NotShorter> {
        let source = compaction::source(under.history, turn);
        if source.is_empty() {
            return Err(NotShorter::Because(Failure::new(
                Class::Usage,
                "nothing has been said that could be compacted",
            )));
        }
        let before = turn.tokens(under.history);
        under.watcher.see(Sight::Compacting(Compacting::Begun { why, tokens: before }));
        let Shorter { items, usage } = self.summarise(source, focus, under)?;
        spent.add(&usage.unwrap_or_default());
        under.record(Happening::Compacted { items: &items, usage });
        turn.compact(under.history, items);
        let after = turn.tokens(under.history);
        under.watcher.see(Sight::Compacting(Compacting::Done { before, after }));
        Ok(())
    }

    /// What the conversation would be; nothing has changed yet.
    fn summarise(
        &self,
        source: Vec<Item>,
        focus: Option<&str>,
        under: &mut Under<'_, '_>,
    ) -> Result<Shorter, NotShorter> {
        let asking = Summarising::of(source.clone(), self.manner.model.context_tokens, focus);
        let answer = self.ask_for_summary(asking, under)?;
        let because = |why: &str| NotShorter::Because(Failure::temporary(why));
        let summary = summary(&answer).ok_or_else(|| because("the model wrote no summary"))?;
        if size::of_items(&kept::after(&source, &summary, None)) >= size::of_items(&source) {
            return Err(because("the summary is no shorter than what it would stand for"));
        }
        let earlier = under.recorder.document().map_or(Earlier::Told(&source), Earlier::Whole);
        let earlier = under.tools.keep(earlier);
        let items = kept::after(&source, &summary, earlier.as_deref());
        Ok(Shorter { items, usage: answer.completed.usage })
    }

    /// As often as the question does not fit, its oldest items are left out.
    fn ask_for_summary(&self, mut asking: Summarising, under: &mut Under<'_, '_>) -> Result<Answer, NotShorter> {
        let mut shortenings = 0;
        loop {
            let body = self.body(asking.items(), std::slice::from_ref(asking.prompt()), &[]);
            let fault: Fault = match self.ask(&body, Audience::Nobody, under) {
                Ok(answer) => return Ok(answer),
                Err(Unable::Unsuitable(fault)) => fault,
                Err(unable) => return Err(unable.into()),
            };
            shortenings += 1;
            if fault.remedy != Remedy::Shorten
                || shortenings > MOST_SHORTENINGS
                || asking.shorten() == Shortened::NothingLeft
            {
                return Err(NotShorter::Because(fault.into()));
            }
        }
    }
}
