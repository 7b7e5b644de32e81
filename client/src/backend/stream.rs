//! One answer of the model, while it streams in: bounded in memory, given up when it falls silent, complete or a fault.

use std::io::Read;
use std::time::Duration;

use ureq::http::Response;
use ureq::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use ureq::{Agent, Body};

use super::exchange::Backend;
use crate::clock::{Clock, Deadline};
use crate::conversation::event::Event;
use crate::conversation::fault::Fault;
use crate::conversation::reply::{Answer, Progress, Reply};
use crate::failure::{Class, Failure};
use crate::http::{Patience, is_io_timeout};
use crate::model::reading;
use crate::model::refusal::Refused;
use crate::model::responses::Shape;
use crate::model::sse::Decoder;
use crate::token::Token;

/// So long there may be no connection.
const CONNECT: Duration = Duration::from_secs(15);
/// So long the stock client waits for the next event, and for the first one.
pub const SILENCE: Duration = Duration::from_secs(300);
/// What is read of an answer that is no stream, in bytes.
const LONGEST_REFUSAL: u64 = 64 * 1024;
const PIECE: usize = 16 * 1024;
/// The longest turn state that is sent back, in bytes.
const LONGEST_TURN_STATE: usize = 8 * 1024;

const SESSION: HeaderName = HeaderName::from_static("session-id");
const THREAD: HeaderName = HeaderName::from_static("thread-id");
const REQUEST: HeaderName = HeaderName::from_static("x-client-request-id");
const TURN_STATE: HeaderName = HeaderName::from_static("x-codex-turn-state");
const LITE: HeaderName = HeaderName::from_static("x-openai-internal-codex-responses-lite");
const MODEL: HeaderName = HeaderName::from_static("openai-model");

/// What the model is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The body, JSON.
    pub body: &'a [u8],
    /// Its shape.
    pub shape: Shape,
    /// Names the conversation.
    pub session_id: &'a str,
    /// What the first answer of this turn asked to have sent along.
    pub turn_state: Option<&'a str>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// It was asked, and something came in between.
    Fault(Fault),
    /// It cannot be asked from here.
    Failure(Failure),
}

impl From<Fault> for Unanswered {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The way to the model; connections are used again.
pub struct ModelStream<'a> {
    backend: &'a Backend<'a>,
    agent: Agent,
    clock: &'a dyn Clock,
    silence: Duration,
}

impl<'a> ModelStream<'a> {
    /// Connects to nobody yet. An answer that brings no event for `silence` is given up.
    pub fn new(backend: &'a Backend<'a>, clock: &'a dyn Clock, silence: Duration) -> Result<Self, Failure> {
        let agent = backend.way().agent(Patience::Stream { connect: CONNECT, begin: silence, silence })?;
        Ok(Self { backend, agent, clock, silence })
    }

    /// Asks once. Each event is shown when it arrives; only the whole answer counts.
    pub fn ask(
        &self,
        question: &Question<'_>,
        token: &Token,
        show: &mut dyn FnMut(&Event),
    ) -> Result<Answer, Unanswered> {
        let url = self.backend.address.responses();
        let mut request =
            self.agent.post(url).header(ACCEPT, "text/event-stream").header(CONTENT_TYPE, "application/json");
        for (name, value) in self.backend.headers(token) {
            request = request.header(name, value.as_str());
        }
        for name in [SESSION, THREAD, REQUEST] {
            request = request.header(name, question.session_id);
        }
        if let Some(state) = question.turn_state {
            request = request.header(TURN_STATE, state);
        }
        if question.shape == Shape::Lite {
            request = request.header(LITE, "true");
        }
        let response = request.send(question.body).map_err(|error| self.unreached(&error))?;
        match response.status().as_u16() {
            200 => Ok(self.read(response, show)?),
            status => Err(refused(status, response).into()),
        }
    }

    fn unreached(&self, error: &ureq::Error) -> Unanswered {
        let failure = self.backend.unreached(error);
        match failure.class {
            Class::Temporary => Fault::passing(failure.to_string()).into(),
            Class::Usage | Class::PersonMustAct | Class::KeyOrGrant | Class::Configuration => {
                Unanswered::Failure(failure)
            }
        }
    }

    fn read(&self, mut response: Response<Body>, show: &mut dyn FnMut(&Event)) -> Result<Answer, Fault> {
        announced(response.headers()).iter().for_each(&mut *show);
        let (mut decoder, mut reply) = (Decoder::default(), Reply::default());
        let mut body = response.body_mut().as_reader();
        let mut piece = vec![0; PIECE];
        let mut deadline = Deadline::within(self.silence, self.clock);
        loop {
            let count = body.read(&mut piece).map_err(|error| match is_io_timeout(&error) {
                true => silent(),
                false => Fault::passing(format!("the connection broke: {error}")),
            })?;
            let mut rest = &piece[..count];
            while let Some(data) =
                decoder.next_data(&mut rest).map_err(|too_long| Fault::passing(too_long.to_string()))?
            {
                deadline = Deadline::within(self.silence, self.clock);
                for event in reading::read(&data) {
                    show(&event);
                    if reply.take(event)? == Progress::Complete {
                        return reply.finish();
                    }
                }
            }
            if count == 0 {
                return reply.finish();
            }
            // Bytes that are no event do not count as a sign of life.
            if deadline.left().is_zero() {
                return Err(silent());
            }
        }
    }
}

fn silent() -> Fault {
    Fault::passing("the answer fell silent")
}

/// What the headers of a stream say.
fn announced(headers: &HeaderMap) -> Vec<Event> {
    let text =
        |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    let state = text(TURN_STATE).filter(|state| state.len() <= LONGEST_TURN_STATE);
    let state = state.map(|state| Event::TurnState(state.to_owned()));
    text(MODEL).map(|model| Event::Model(model.to_owned())).into_iter().chain(state).collect()
}

fn refused(status: u16, mut response: Response<Body>) -> Fault {
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    // A body that breaks off still has its status.
    let _ = response.body_mut().as_reader().take(LONGEST_REFUSAL).read_to_end(&mut body);
    Refused { status, retry_after: seconds.map(Duration::from_secs), body: &body }.fault()
}
