//! The conversation that a transcript tells: its turns are gone through again as they were. Pure.

use super::entry::{Entry, Line, SCHEMA, Session};
use crate::conversation::event::{Completed, Event, Move, Usage};
use crate::conversation::history::History;
use crate::conversation::item::Item;
use crate::conversation::reply::Reply;
use crate::conversation::turn::{Next, Turn};
use crate::drive::record::Ending;

/// A conversation as its transcript tells it, while the transcript is read.
#[derive(Debug, Default)]
pub struct Replay {
    session: Option<Session>,
    history: History,
    open: Option<Turn>,
    told: Told,
}

/// What is known of a conversation besides what was said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// The model that was asked last.
    pub model: Option<String>,
    /// How hard it was to think.
    pub effort: Option<String>,
    /// What it has cost so far.
    pub usage: Usage,
    /// How many turns were begun.
    pub turns: u64,
    /// When something was said last, in milliseconds since the Unix epoch.
    pub last_unix_ms: Option<i64>,
    /// How the last turn ended; `None` when the program ended before it did.
    pub last_ending: Option<Ending>,
    /// Lines that cannot be read. What they said is lost.
    pub unreadable: u64,
}

/// A conversation that can go on.
#[derive(Debug)]
pub struct Replayed {
    /// How it began.
    pub session: Session,
    /// What was said.
    pub history: History,
    /// The rest.
    pub told: Told,
}

/// Why a transcript tells no conversation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A later version wrote it in another way.
    #[error("was written by a newer version (schema {0}; this one reads {SCHEMA}): update sx")]
    Newer(u32),
    /// It does not say what it is.
    #[error("does not begin as a transcript does")]
    NoBeginning,
}

impl Replay {
    /// The next line.
    pub fn take(&mut self, line: &[u8]) -> Result<(), Unreadable> {
        let Ok(line) = Line::decode(line) else {
            self.told.unreadable += 1;
            return if self.session.is_some() { Ok(()) } else { Err(Unreadable::NoBeginning) };
        };
        self.told.last_unix_ms = line.unix_ms().or(self.told.last_unix_ms);
        match (line.entry, &self.session) {
            (Entry::Session(session), _) if session.schema > SCHEMA => return Err(Unreadable::Newer(session.schema)),
            (Entry::Session(session), None) => self.session = Some(session),
            (_, None) => return Err(Unreadable::NoBeginning),
            (entry, Some(_)) => self.go_on(entry),
        }
        Ok(())
    }

    fn go_on(&mut self, entry: Entry) {
        match entry {
            Entry::Session(_) | Entry::Unknown => {}
            Entry::Turn { model, effort, prompt } => {
                self.cut_off();
                (self.told.model, self.told.effort) = (Some(model), effort);
                self.told.turns += 1;
                self.open = Some(Turn::begin(prompt));
            }
            Entry::Items { items, usage } => {
                self.told.usage.add(&usage.unwrap_or_default());
                // Somebody asked for it, though the line that says so cannot be read.
                let turn = self.open.get_or_insert_with(|| Turn::begin(Vec::new()));
                answered(turn, &items, usage);
            }
            Entry::Output { item } => self.open.iter_mut().for_each(|turn| ran(turn, &item)),
            Entry::ImagesRefused => {
                if let Some(turn) = &mut self.open {
                    turn.leave_out_images(&mut self.history);
                }
            }
            Entry::TurnEnd { how } => {
                self.told.last_ending = Some(how);
                match (self.open.take(), how) {
                    (None, _) => {}
                    (Some(turn), Ending::Finished) => turn.finish(&mut self.history),
                    (Some(turn), Ending::Stopped) => turn.stop(&mut self.history),
                    (Some(turn), Ending::Failed) => turn.fail(&mut self.history),
                }
            }
            Entry::Compacted { items, usage } => {
                self.told.usage.add(&usage.unwrap_or_default());
                match &mut self.open {
                    Some(turn) => turn.compact(&mut self.history, items),
                    None => self.history = History::of(items),
                }
            }
        }
    }

    /// A turn that nothing ended: the program was killed, or the machine lost its power.
    fn cut_off(&mut self) {
        if let Some(turn) = self.open.take() {
            self.told.last_ending = None;
            turn.cut_off(&mut self.history);
        }
    }

    /// The conversation, when there are no more lines.
    pub fn finish(mut self) -> Result<Replayed, Unreadable> {
        self.cut_off();
        let session = self.session.ok_or(Unreadable::NoBeginning)?;
        Ok(Replayed { session, history: self.history, told: self.told })
    }
}

/// Whose move it was does not matter: what follows in the transcript says it.
fn answered(turn: &mut Turn, items: &[Item], usage: Option<Usage>) {
    let mut reply = Reply::default();
    let events = items.iter().cloned().map(Event::Item);
    let end = Event::Completed(Completed { usage, whose_move: Move::Model });
    let taken = events.chain([end]).try_for_each(|event| reply.take(event).map(drop));
    if let (Ok(()), Ok(answer)) = (taken, reply.finish()) {
        turn.answered(answer);
    }
}

fn ran(turn: &mut Turn, item: &Item) {
    let Some(output) = item.as_output() else { return };
    let Next::RunTools(calls) = turn.next() else { return };
    if let Some(call) = calls.iter().find(|call| call.call_id == output.call_id) {
        turn.ran(call, output.output.clone());
    }
}

#[cfg(test)]
mod tests;
