//! A turn where it meets the world: asks the model when the turn says so, runs its tools, repeats what may be repeated.
//!
//! * [`record`]: who keeps what was said. * [`asking`]: the model is asked until it has answered.
//! * [`compacting`]: a conversation that became too long is made shorter.

mod asking;
pub mod compacting;
mod images;
pub mod record;
#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use self::asking::{Audience, Unable};
use self::compacting::Compacting;
use self::record::{Earlier, Ending, Happening, Recorder};
use crate::backend::exchange::Backend;
use crate::backend::stream::ModelStream;
use crate::backend::traffic::Ear;
use crate::clock::Clock;
use crate::conversation::event::{Event, Usage};
use crate::conversation::fault::{Fault, Remedy};
use crate::conversation::history::History;
use crate::conversation::item::{Call, Given, Item, Output};
use crate::conversation::reply::Answer;
use crate::conversation::turn::{Next, Turn};
use crate::failure::Failure;
use crate::model::catalog::Model;
use crate::model::tool_spec::ToolSpec;
use crate::talk::Talk;

/// So often the model is asked within one turn; whoever needs more goes in circles.
const MOST_QUESTIONS: u32 = 200;

/// What the model may use.
pub trait Tools {
    /// How they are described to it.
    fn specs(&self) -> &[ToolSpec];
    /// Runs one, or says why not; either is told to the model.
    fn run(&mut self, call: &Call) -> Output;
    /// Puts what was said so far where they can read it, and says where; `None` when there is no such place.
    fn keep(&mut self, _earlier: Earlier<'_>) -> Option<String> {
        None
    }
}

/// Nothing that the model may use.
#[derive(Debug, Clone, Copy)]
pub struct NoTools;

impl Tools for NoTools {
    fn specs(&self) -> &[ToolSpec] {
        &[]
    }

    fn run(&mut self, call: &Call) -> Output {
        unsupported(call)
    }
}

/// What the model is told that calls a tool which does not exist.
pub fn unsupported(call: &Call) -> Output {
    Output::Text(match call.given {
        Given::Arguments(_) => format!("unsupported call: {}", call.name),
        Given::Freeform(_) => format!("unsupported custom tool call: {}", call.name),
    })
}

/// Something that a person or program may want to see while it happens.
#[derive(Debug, Clone, Copy)]
pub enum Sight<'a> {
    /// The model is asked.
    Asking(Attempt),
    /// For a moment nothing has come: for whoever shows that something is waited for.
    Quiet,
    /// Something arrived.
    Event(&'a Event),
    /// The same question will be asked again.
    Waiting {
        /// In so long.
        pause: Duration,
        /// Because of this.
        fault: &'a Fault,
    },
    /// The conversation is made shorter.
    Compacting(Compacting<'a>),
    /// A tool begins.
    Calling(&'a Call),
    /// A tool has answered.
    Called(&'a Call, &'a Output),
}

/// Whether the model was asked the same before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It was not.
    First,
    /// It was, in vain: what was shown since then counts no more.
    Again,
}

/// Who looks on.
pub trait Watcher {
    /// Something happens.
    fn see(&mut self, sight: Sight<'_>);
}

/// How the model is asked, in all turns of a conversation.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Which model.
    pub model: Model,
    /// What it is told first.
    pub instructions: String,
    /// What stands in front of the conversation, and is no part of it.
    pub context: Vec<Item>,
    /// How hard it thinks; its own default when `None`.
    pub effort: Option<String>,
    /// How it tells what it thinks; not at all when `None`.
    pub summary: Option<String>,
    /// At how many tokens the conversation is made shorter, when the model does not say less.
    pub compact_at_tokens: Option<u64>,
    /// Names the conversation.
    pub session_id: String,
}

/// Drives a conversation's turns.
pub struct Driver<'a> {
    backend: &'a Backend<'a>,
    stream: ModelStream<'a>,
    manner: Manner,
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
}

/// Why a turn did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It failed; the conversation is as before, or as the tools have left it.
    Failed(Failure),
    /// The person stopped it; the conversation has what was complete.
    Stopped,
    /// The person stopped it before it was begun: nothing was said, and nothing has changed.
    NotBegun,
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn not_begun(ended: Ended) -> Ended {
    match ended {
        Ended::Stopped | Ended::NotBegun => Ended::NotBegun,
        failed @ Ended::Failed(_) => failed,
    }
}

/// What is needed while one turn lasts.
struct Under<'a, 'b> {
    history: &'a mut History,
    tools: &'a mut dyn Tools,
    watcher: &'a mut dyn Watcher,
    recorder: &'a mut dyn Recorder,
    talk: &'b mut Talk,
    /// Sent along with the further requests of the turn.
    turn_state: Option<String>,
}

impl Under<'_, '_> {
    fn record(&mut self, happening: Happening<'_>) {
        self.recorder.record(happening, self.talk);
    }
}

impl<'a> Driver<'a> {
    /// Asks nobody yet. An answer that brings nothing for `silence` is given up, and the turn when `stop` is set.
    pub fn new(
        backend: &'a Backend<'a>,
        manner: Manner,
        clock: &'a dyn Clock,
        stop: &'a AtomicBool,
        silence: Duration,
    ) -> Self {
        Self { backend, stream: ModelStream::new(backend, clock, stop, silence), manner, clock, stop }
    }

    /// Lets somebody listen to what goes over the wire.
    pub fn listen(&mut self, ear: Ear) {
        self.stream.listen(ear);
    }

    /// How the model is asked.
    pub fn manner(&self) -> &Manner {
        &self.manner
    }

    /// How the model is asked; may be changed between two turns.
    pub fn manner_mut(&mut self) -> &mut Manner {
        &mut self.manner
    }

    /// One prompt until its final answer; what it cost in all. A conversation that is too long is made shorter first:
    /// when the person stops that, nothing was said and nothing has changed.
    pub fn turn(
        &self,
        prompt: Vec<Item>,
        history: &mut History,
        tools: &mut dyn Tools,
        watcher: &mut dyn Watcher,
        recorder: &mut dyn Recorder,
        talk: &mut Talk,
    ) -> Result<Usage, Ended> {
        let mut turn = Turn::begin(prompt);
        let mut under = Under { history, tools, watcher, recorder, talk, turn_state: None };
        let mut spent = Usage::default();
        self.make_room(&mut turn, &mut spent, &mut under).map_err(not_begun)?;
        under.record(Happening::Begun { prompt: turn.items(), manner: &self.manner });
        let driven = self.drive(&mut turn, &mut spent, &mut under).map(|()| spent);
        let ending = match &driven {
            Ok(_) => Ending::Finished,
            Err(Ended::Stopped | Ended::NotBegun) => Ending::Stopped,
            Err(Ended::Failed(_)) => Ending::Failed,
        };
        under.record(Happening::Ended(ending));
        match ending {
            Ending::Finished => turn.finish(under.history),
            Ending::Stopped => turn.stop(under.history),
            Ending::Failed => turn.fail(under.history),
        }
        driven
    }

    fn drive(&self, turn: &mut Turn, spent: &mut Usage, under: &mut Under<'_, '_>) -> Result<(), Ended> {
        for _ in 0..MOST_QUESTIONS {
            match turn.next() {
                Next::Done => return Ok(()),
                Next::RunTools(calls) => self.run_tools(&calls, turn, under)?,
                Next::Ask => {
                    let answer = self.answer(turn, spent, under)?;
                    let (usage, before) = (answer.completed.usage, turn.items().len());
                    spent.add(&usage.unwrap_or_default());
                    turn.answered(answer);
                    under.record(Happening::Answered { items: &turn.items()[before..], usage });
                }
            }
        }
        Err(Failure::person_must_act("the model does not come to an end with this turn").into())
    }

    /// The model's next answer in this turn. What the backend does not take is changed: made shorter once, and asked
    /// without images.
    fn answer(&self, turn: &mut Turn, spent: &mut Usage, under: &mut Under<'_, '_>) -> Result<Answer, Ended> {
        self.make_room(turn, spent, under)?;
        let (mut length, mut attempt) = (Length::AsItIs, Attempt::First);
        loop {
            let body = self.body(under.history.items(), turn.items(), under.tools.specs());
            let fault = match self.ask(&body, Audience::Watcher(attempt), under) {
                Ok(answer) => return Ok(answer),
                Err(Unable::Unsuitable(fault)) => fault,
                Err(Unable::Ended(ended)) => return Err(ended),
            };
            attempt = Attempt::Again;
            match (fault.remedy, length) {
                (Remedy::Shorten, Length::AsItIs) => {
                    self.make_fit(fault, turn, spent, under)?;
                    length = Length::MadeShorter;
                }
                (Remedy::LeaveOutImages, _)
                    if images::can_go_on_without(turn, under.history, under.recorder, under.talk) => {}
                (_, _) => return Err(Failure::from(fault).into()),
            }
        }
    }

    fn run_tools(&self, calls: &[Call], turn: &mut Turn, under: &mut Under<'_, '_>) -> Result<(), Ended> {
        for call in calls {
            self.go_on()?;
            under.watcher.see(Sight::Calling(call));
            let output = under.tools.run(call);
            under.record(Happening::Ran(call, &output));
            under.watcher.see(Sight::Called(call, &output));
            turn.ran(call, output);
        }
        self.go_on()
    }
}

/// A conversation that does not fit is made shorter once for each question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    AsItIs,
    MadeShorter,
}
