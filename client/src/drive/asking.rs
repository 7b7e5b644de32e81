//! The model is asked, until there is a whole answer or nothing more may be tried.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Attempt, Driver, Ended, Manner, Sight, Under, Watcher};
use crate::backend::stream::{Question, Unanswered};
use crate::clock::Deadline;
use crate::conversation::event::Event;
use crate::conversation::fault::{Fault, Remedy, pause_before_repeat};
use crate::conversation::item::Item;
use crate::conversation::reply::Answer;
use crate::failure::Failure;
use crate::model::responses::Request;
use crate::model::tool_spec::ToolSpec;
use crate::random;
use crate::talk::Talk;
use crate::token::Fetched;
use crate::token::chain::{Given as GivenToken, Wanted};

/// So often somebody looks whether the person has had enough.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// For whom an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Whoever looks on sees it arrive.
    Watcher(Attempt),
    /// Nobody sees it.
    Nobody,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unable {
    /// The conversation is not taken as it is; the fault's remedy says what can be changed.
    Unsuitable(Fault),
    /// Anything else.
    Ended(Ended),
}

impl From<Ended> for Unable {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

impl From<Failure> for Unable {
    fn from(failure: Failure) -> Self {
        Self::Ended(failure.into())
    }
}

impl From<Unable> for Ended {
    fn from(unable: Unable) -> Self {
        match unable {
            Unable::Unsuitable(fault) => Failure::from(fault).into(),
            Unable::Ended(ended) => ended,
        }
    }
}

/// A refused token is replaced once for each question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Renewal {
    Possible,
    Done,
}

impl Driver<'_> {
    /// Asks until there is a whole answer, or nothing more may be tried.
    pub(super) fn ask(&self, body: &[u8], mut audience: Audience, under: &mut Under<'_, '_>) -> Result<Answer, Unable> {
        let mut fetched = self.backend.tokens.fetch(&Wanted::Current, under.talk)?;
        let (mut repeats, mut renewal) = (0, Renewal::Possible);
        loop {
            if let Audience::Watcher(attempt) = &mut audience {
                under.watcher.see(Sight::Asking(std::mem::replace(attempt, Attempt::Again)));
            }
            let fault = match self.ask_once(body, audience, &fetched, under) {
                Ok(answer) => return Ok(answer),
                Err(Unanswered::Failure(failure)) => return Err(failure.into()),
                Err(Unanswered::Stopped) => return Err(Ended::Stopped.into()),
                Err(Unanswered::Fault(fault)) => fault,
            };
            if matches!(fault.remedy, Remedy::Shorten | Remedy::LeaveOutImages) {
                return Err(Unable::Unsuitable(fault));
            }
            if fault.remedy == Remedy::RenewToken && renewal == Renewal::Possible {
                renewal = Renewal::Done;
                fetched = self.another(&fetched, fault, under.talk)?;
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

    pub(super) fn go_on(&self) -> Result<(), Ended> {
        if self.stop.load(Ordering::Relaxed) { Err(Ended::Stopped) } else { Ok(()) }
    }

    fn ask_once(
        &self,
        body: &[u8],
        audience: Audience,
        fetched: &Fetched,
        under: &mut Under<'_, '_>,
    ) -> Result<Answer, Unanswered> {
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
            if matches!(audience, Audience::Watcher(_)) {
                watcher.see(Sight::Event(event));
            }
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

    /// What is sent: these items behind what stands in front of each request.
    pub(super) fn body(&self, history: &[Item], turn: &[Item], tools: &[ToolSpec]) -> Vec<u8> {
        let Manner { model, instructions, context, effort, summary, session_id, .. } = &self.manner;
        let request = Request {
            model: &model.slug,
            shape: model.shape,
            images: model.images,
            instructions,
            context,
            history,
            turn,
            tools,
            // Said even when it is the usual one: what the backend assumes need not be what its catalogue says.
            effort: effort.as_deref().or(model.default_effort.as_deref()),
            summary: summary.as_deref(),
            verbosity: model.verbosity.as_deref(),
            session_id,
        };
        request.body()
    }
}
