//! A turn where it meets the world: asks the model when the turn says so, runs its tools, repeats what may be repeated.
//!
//! * [`record`]: who keeps what was said.

mod images;
pub mod record;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use self::record::{Ending, Happening, Recorder};
use crate::backend::exchange::Backend;
use crate::backend::stream::{ModelStream, Question, Unanswered};
use crate::backend::traffic::Ear;
use crate::clock::{Clock, Deadline};
use crate::conversation::event::{Event, Usage};
use crate::conversation::fault::{Fault, Remedy, pause_before_repeat};
use crate::conversation::history::History;
use crate::conversation::item::{Call, Given, Item, Output};
use crate::conversation::reply::Answer;
use crate::conversation::turn::{Next, Turn};
use crate::failure::Failure;
use crate::model::catalog::Model;
use crate::model::responses::Request;
use crate::model::tool_spec::ToolSpec;
use crate::random;
use crate::talk::Talk;
use crate::token::Fetched;
use crate::token::chain::{Given as GivenToken, Wanted};

/// So often the model is asked within one turn; whoever needs more goes in circles.
const MOST_QUESTIONS: u32 = 200;
/// So often somebody looks whether the person has had enough.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// What the model may use.
pub trait Tools {
    /// How they are described to it.
    fn specs(&self) -> &[ToolSpec];
    /// Runs one, or says why not; either is told to the model.
    fn run(&mut self, call: &Call) -> Output;
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
    /// The model is asked. What was shown since the last one of these, and not followed by a call, counts no more.
    Asking,
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
    /// A tool begins.
    Calling(&'a Call),
    /// A tool has answered.
    Called(&'a Call, &'a Output),
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
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
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

    /// One prompt until its final answer; what it cost in all.
    pub fn turn(
        &self,
        prompt: Vec<Item>,
        history: &mut History,
        tools: &mut dyn Tools,
        watcher: &mut dyn Watcher,
        recorder: &mut dyn Recorder,
        talk: &mut Talk,
    ) -> Result<Usage, Ended> {
        recorder.record(Happening::Begun { prompt: &prompt, manner: &self.manner }, talk);
        let mut turn = Turn::begin(prompt);
        let mut under = Under { history, tools, watcher, recorder, talk, turn_state: None };
        let driven = self.drive(&mut turn, &mut under);
        let ending = match &driven {
            Ok(_) => Ending::Finished,
            Err(Ended::Stopped) => Ending::Stopped,
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

    fn drive(&self, turn: &mut Turn, under: &mut Under<'_, '_>) -> Result<Usage, Ended> {
        let mut spent = Usage::default();
        for _ in 0..MOST_QUESTIONS {
            match turn.next() {
                Next::Done => return Ok(spent),
                Next::RunTools(calls) => self.run_tools(&calls, turn, under)?,
                Next::Ask => {
                    let answer = self.ask(turn, under)?;
                    let (usage, before) = (answer.completed.usage, turn.items().len());
                    spent.add(&usage.unwrap_or_default());
                    turn.answered(answer);
                    under.record(Happening::Answered { items: &turn.items()[before..], usage });
                }
            }
        }
        Err(Failure::person_must_act("the model does not come to an end with this turn").into())
    }

    fn run_tools(&self, calls: &[Call], turn: &mut Turn, under: &mut Under<'_, '_>) -> Result<(), Ended> {
        for call in calls {
            under.watcher.see(Sight::Calling(call));
            let output = under.tools.run(call);
            under.record(Happening::Ran(call, &output));
            under.watcher.see(Sight::Called(call, &output));
            turn.ran(call, output);
            self.go_on()?;
        }
        Ok(())
    }

    /// Asks until there is a whole answer, or nothing more may be tried.
    fn ask(&self, turn: &mut Turn, under: &mut Under<'_, '_>) -> Result<Answer, Ended> {
        let mut body = self.body(turn, under);
        let mut fetched = self.backend.tokens.fetch(&Wanted::Current, under.talk)?;
        let (mut repeats, mut renewal) = (0, Renewal::Possible);
        loop {
            under.watcher.see(Sight::Asking);
            let fault = match self.ask_once(&body, &fetched, under) {
                Ok(answer) => return Ok(answer),
                Err(Unanswered::Failure(failure)) => return Err(failure.into()),
                Err(Unanswered::Stopped) => return Err(Ended::Stopped),
                Err(Unanswered::Fault(fault)) => fault,
            };
            if fault.remedy == Remedy::RenewToken && renewal == Renewal::Possible {
                renewal = Renewal::Done;
                fetched = self.another(&fetched, fault, under.talk)?;
                continue;
            }
            if fault.remedy == Remedy::LeaveOutImages && images::can_go_on_without(turn, under.history, under.talk) {
                body = self.body(turn, under);
                continue;
            }
            let Some(pause) = pause_before_repeat(&fault, repeats, random::jitter()) else {
                return Err(Failure::from(fault).into());
            };
            under.watcher.see(Sight::Waiting { pause, fault: &fault });
            self.wait(pause, under.watcher)?;
            repeats += 1;
        }
    }

    /// Waits, unless the person has had enough.
    fn wait(&self, pause: Duration, watcher: &mut dyn Watcher) -> Result<(), Ended> {
        let deadline = Deadline::within(pause, self.clock);
        while !deadline.left().is_zero() {
            self.go_on()?;
            self.clock.pause(deadline.left().min(BETWEEN_LOOKS));
            watcher.see(Sight::Quiet);
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), Ended> {
        if self.stop.load(Ordering::Relaxed) { Err(Ended::Stopped) } else { Ok(()) }
    }

    fn ask_once(&self, body: &[u8], fetched: &Fetched, under: &mut Under<'_, '_>) -> Result<Answer, Unanswered> {
        let turn_state = under.turn_state.clone();
        let question = Question {
            body,
            shape: self.manner.model.shape,
            session_id: &self.manner.session_id,
            turn_state: turn_state.as_deref(),
        };
        let (watcher, state) = (&mut under.watcher, &mut under.turn_state);
        self.stream.ask(&question, &fetched.token, &mut |event| {
            let Some(event) = event else { return watcher.see(Sight::Quiet) };
            if let (Event::TurnState(said), None) = (event, state.as_ref()) {
                *state = Some(said.clone());
            }
            watcher.see(Sight::Event(event));
        })
    }

    /// A token other than the one that was refused.
    fn another(&self, refused: &Fetched, fault: Fault, talk: &mut Talk) -> Result<Fetched, Failure> {
        talk.detail(format!("{fault}; getting another token"));
        let fetched = self.backend.tokens.fetch(&Wanted::OtherThan(GivenToken::from(refused)), talk)?;
        match fetched.token.access_token == refused.token.access_token {
            true => Err(fault.into()),
            false => Ok(fetched),
        }
    }

    fn body(&self, turn: &Turn, under: &Under<'_, '_>) -> Vec<u8> {
        let Manner { model, instructions, context, effort, summary, session_id } = &self.manner;
        let request = Request {
            model: &model.slug,
            shape: model.shape,
            images: model.images,
            instructions,
            context,
            history: under.history.items(),
            turn: turn.items(),
            tools: under.tools.specs(),
            // Said even when it is the usual one: what the backend assumes need not be what its catalogue says.
            effort: effort.as_deref().or(model.default_effort.as_deref()),
            summary: summary.as_deref(),
            verbosity: model.verbosity.as_deref(),
            session_id,
        };
        request.body()
    }
}

/// A refused token is replaced once for each question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Renewal {
    Possible,
    Done,
}
