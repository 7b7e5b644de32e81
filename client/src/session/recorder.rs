//! Keeps a conversation while it is held. Whatever goes wrong with that is said once, and the conversation goes on.

use std::io;
use std::path::{Path, PathBuf};

use super::entry::{Entry, Line, SCHEMA, Session};
use super::markdown::Document;
use super::replay::{Replayed, Told};
use super::store::Store;
use super::transcript::{self, Lasting, Transcript, Wanted};
use super::usage_file::Tally;
use crate::clock::Clock;
use crate::drive::Manner;
use crate::drive::record::{Happening, Recorder};
use crate::talk::Talk;

/// Keeps conversations, one after the other: each of another id in a folder of its own, made when something is said.
pub struct Keeper<'a> {
    clock: &'a dyn Clock,
    directory: PathBuf,
    keeping: Keeping,
}

enum Keeping {
    /// There is a place.
    In { store: Store, current: Current },
    /// There is none; whether that was said.
    Nowhere(Said),
    /// It is not wanted.
    Unwanted,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    NotYet,
    Already,
}

enum Current {
    /// Nothing has been said yet.
    None,
    /// It is being kept.
    Kept(Box<Kept>),
    /// From some moment on it could not be kept. What is left out once cannot be gone on with.
    Lost { id: String },
}

struct Kept {
    id: String,
    transcript: Transcript,
    told: Told,
}

impl<'a> Keeper<'a> {
    /// Keeps what is said in this directory, in `place` (see [`super::place`]).
    pub fn new(place: Option<PathBuf>, directory: PathBuf, clock: &'a dyn Clock) -> Self {
        let keeping = match place {
            Some(place) => Keeping::In { store: Store::at(place), current: Current::None },
            None => Keeping::Nowhere(Said::NotYet),
        };
        Self { clock, directory, keeping }
    }

    /// Keeps nothing.
    pub fn unwanted(clock: &'a dyn Clock) -> Self {
        Self { clock, directory: PathBuf::new(), keeping: Keeping::Unwanted }
    }

    /// Whether anything is to be kept.
    pub fn is_wanted(&self) -> bool {
        !matches!(self.keeping, Keeping::Unwanted)
    }

    /// Goes on with a conversation that was kept.
    pub fn go_on(&mut self, transcript: Transcript, replayed: &Replayed) {
        if let Keeping::In { current, .. } = &mut self.keeping {
            let (id, told) = (replayed.session.id.clone(), replayed.told.clone());
            *current = Current::Kept(Box::new(Kept { id, transcript, told }));
        }
    }

    /// Gives up the conversation that is being kept: another process may go on with it.
    pub fn let_go(&mut self) {
        if let Keeping::In { current, .. } = &mut self.keeping {
            *current = Current::None;
        }
    }

    /// The folder of the conversation that is being kept.
    pub fn folder(&self) -> Option<&Path> {
        match &self.keeping {
            Keeping::In { current: Current::Kept(kept), .. } => Some(kept.transcript.folder()),
            Keeping::In { .. } | Keeping::Nowhere(_) | Keeping::Unwanted => None,
        }
    }

    /// The conversation of this manner is the one that is kept.
    fn begin(&mut self, manner: &Manner) -> io::Result<()> {
        let Keeping::In { store, current } = &mut self.keeping else { return Ok(()) };
        let id = &manner.session_id;
        match current {
            Current::Kept(kept) if kept.id == *id => return Ok(()),
            Current::Lost { id: known } if known == id => return Ok(()),
            Current::None | Current::Kept(_) | Current::Lost { .. } => {}
        }
        *current = Current::Lost { id: id.clone() };
        let mut transcript = Transcript::create(&store.folder(id))?;
        let directory = self.directory.to_string_lossy().into_owned();
        let client = env!("CARGO_PKG_VERSION").to_owned();
        let session = Session { schema: SCHEMA, id: id.clone(), directory, client, copy_of: None };
        transcript.append(&Line::new(self.clock.unix_ms(), Entry::Session(session)), Lasting::Later)?;
        *current = Current::Kept(Box::new(Kept { id: id.clone(), transcript, told: Told::default() }));
        Ok(())
    }

    fn write(&mut self, happening: Happening<'_>) -> io::Result<()> {
        if let Happening::Begun { manner, .. } = happening {
            self.begin(manner)?;
        }
        let Keeping::In { current: Current::Kept(kept), .. } = &mut self.keeping else { return Ok(()) };
        kept.told.count(&happening);
        let line = Line::new(self.clock.unix_ms(), Entry::of(&happening));
        kept.transcript.append(&line, lasting(&happening))?;
        if let Happening::Ended(_) | Happening::Compacted { .. } = happening {
            let Told { model, turns, usage, .. } = &kept.told;
            let tally = Tally::new(line.at, model.clone().unwrap_or_default(), *turns, *usage);
            // The sums can be counted again from the transcript, which is well.
            let _ = tally.write(kept.transcript.folder());
        }
        Ok(())
    }

    fn lose(&mut self) {
        if let Keeping::In { current, .. } = &mut self.keeping
            && let Current::Kept(kept) = current
        {
            *current = Current::Lost { id: std::mem::take(&mut kept.id) };
        }
    }
}

impl Recorder for Keeper<'_> {
    fn record(&mut self, happening: Happening<'_>, talk: &mut Talk) {
        if let Keeping::Nowhere(said @ Said::NotYet) = &mut self.keeping {
            *said = Said::Already;
            talk.warn("this conversation is not kept: neither XDG_STATE_HOME nor HOME is set");
        }
        if let Err(error) = self.write(happening) {
            talk.warn(format!("from here on this conversation is not kept: {error}"));
            self.lose();
        }
    }

    fn document(&self) -> Option<String> {
        let mut document = Document::default();
        let read = transcript::each_line(self.folder()?, &mut |line| {
            Line::decode(line).iter().for_each(|line| document.take(line));
            Wanted::More
        });
        read.ok().map(|()| document.so_far())
    }
}

impl Entry {
    fn of(happening: &Happening<'_>) -> Self {
        match *happening {
            Happening::Begun { prompt, manner } => {
                Self::Turn { model: manner.model.slug.clone(), effort: manner.effort.clone(), prompt: prompt.to_vec() }
            }
            Happening::Answered { items, usage } => Self::Items { items: items.to_vec(), usage },
            Happening::Ran(call, output) => Self::Output { item: call.answered(output.clone()) },
            Happening::Compacted { items, usage } => Self::Compacted { items: items.to_vec(), usage },
            Happening::ImagesRefused => Self::ImagesRefused,
            Happening::Ended(how) => Self::TurnEnd { how },
        }
    }
}

impl Told {
    fn count(&mut self, happening: &Happening<'_>) {
        match happening {
            Happening::Begun { manner, .. } => {
                self.turns += 1;
                self.model = Some(manner.model.slug.clone());
            }
            Happening::Answered { usage, .. } | Happening::Compacted { usage, .. } => {
                self.usage.add(&usage.unwrap_or_default());
            }
            Happening::Ran(..) | Happening::ImagesRefused | Happening::Ended(_) => {}
        }
    }
}

/// What may be done outside of the conversation must be known to it after a power cut too.
fn lasting(happening: &Happening<'_>) -> Lasting {
    match happening {
        Happening::Answered { items, .. } if items.iter().all(|item| item.as_call().is_none()) => Lasting::Later,
        Happening::Begun { .. } | Happening::ImagesRefused => Lasting::Later,
        Happening::Answered { .. } | Happening::Ran(..) | Happening::Compacted { .. } | Happening::Ended(_) => {
            Lasting::Now
        }
    }
}

#[cfg(test)]
mod tests;
