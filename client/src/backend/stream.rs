//! One answer of the model, while it streams in: bounded in memory, given up when it falls silent or is stopped, complete
//! or a fault.
//!
//! A thread of its own waits for the bytes, because nothing else can be done while one waits for them: it sends what
//! has come, and ends when nobody takes it any more.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use ureq::http::Response;
use ureq::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use ureq::{Agent, Body};
use zeroize::Zeroizing;

use super::exchange::{Backend, unreached};
use super::traffic::{Asked, Ear, Sound};
use crate::clock::{Clock, Deadline};
use crate::conversation::event::Event;
use crate::conversation::fault::Fault;
use crate::conversation::reply::{Answer, Progress, Reply};
use crate::failure::{Class, Failure};
use crate::http::Patience;
use crate::model::refusal::Refused;
use crate::model::responses::Shape;
use crate::model::sse::{Decoder, EventTooLong};
use crate::model::{reading, windows};
use crate::token::Token;

/// So long there may be no connection.
const CONNECT: Duration = Duration::from_secs(15);
/// So long the stock client waits for the next event, and for the first one.
pub const SILENCE: Duration = Duration::from_secs(300);
/// What is read of an answer that is no stream, in bytes.
const LONGEST_REFUSAL: u64 = 64 * 1024;
const PIECE: usize = 16 * 1024;
/// So often somebody looks whether the person has had enough.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
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
    /// The person stopped it.
    Stopped,
}

impl From<Fault> for Unanswered {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The way to the model.
pub struct ModelStream<'a> {
    backend: &'a Backend<'a>,
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
    silence: Duration,
    ear: Ear,
}

impl<'a> ModelStream<'a> {
    /// Connects to nobody yet. An answer that brings no event for `silence` is given up, and any when `stop` is set.
    pub fn new(backend: &'a Backend<'a>, clock: &'a dyn Clock, stop: &'a AtomicBool, silence: Duration) -> Self {
        Self { backend, clock, stop, silence, ear: Ear::default() }
    }

    /// Lets somebody listen from here on.
    pub fn listen(&mut self, ear: Ear) {
        self.ear = ear;
    }

    /// Asks once. Each event is shown when it arrives, and `None` when for a moment none did; only the whole answer
    /// counts.
    pub fn ask(
        &self,
        question: &Question<'_>,
        token: &Token,
        show: &mut dyn FnMut(Option<&Event>),
    ) -> Result<Answer, Unanswered> {
        // Silence is judged where the events are taken. The thread that waits for bytes has a limit only so that it ends, a
        // later one: two that are alike would race, and a person would read now this reason and now that.
        let limit = self.silence * 2;
        let patience = Patience::Stream { connect: CONNECT, begin: limit, silence: limit };
        let agent = self.backend.way().agent(patience).map_err(Unanswered::Failure)?;
        let asking = Asking {
            agent: agent.clone(),
            url: self.backend.address.responses(),
            host: self.backend.address.host().to_owned(),
            headers: self.headers(question, token),
            body: question.body.to_vec(),
            session_id: question.session_id.to_owned(),
            ear: self.ear.clone(),
        };
        // At most one piece waits: whoever shows slowly slows the stream, and memory stays bounded.
        let (to, from) = sync_channel(1);
        thread::spawn(move || asking.run(&to));
        let answer = self.take(&from, show);
        // Whatever is still under way has nobody who wants it.
        agent.shutdown();
        answer
    }

    fn headers(&self, question: &Question<'_>, token: &Token) -> Headers {
        let mut headers = self.backend.headers(token);
        headers.extend([SESSION, THREAD, REQUEST].map(|name| (name, question.session_id.to_owned().into())));
        headers.extend(question.turn_state.map(|state| (TURN_STATE, state.to_owned().into())));
        if question.shape == Shape::Lite {
            headers.push((LITE, "true".to_owned().into()));
        }
        headers
    }

    fn take(&self, from: &Receiver<Piece>, show: &mut dyn FnMut(Option<&Event>)) -> Result<Answer, Unanswered> {
        let mut reply = Reply::default();
        let mut deadline = Deadline::within(self.silence, self.clock);
        loop {
            let events = match from.recv_timeout(BETWEEN_LOOKS) {
                _ if self.stop.load(Ordering::Relaxed) => return Err(Unanswered::Stopped),
                Ok(piece) => piece?,
                Err(RecvTimeoutError::Timeout) if deadline.left().is_zero() => return Err(silent().into()),
                Err(RecvTimeoutError::Timeout) => {
                    show(None);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(reply.finish()?),
            };
            for event in events {
                deadline = Deadline::within(self.silence, self.clock);
                show(Some(&event));
                if reply.take(event)? == Progress::Complete {
                    return Ok(reply.finish()?);
                }
            }
        }
    }
}

type Headers = Vec<(HeaderName, Zeroizing<String>)>;
/// What came at once; after an error nothing more comes.
type Piece = Result<Vec<Event>, Unanswered>;

/// One request, with everything that it needs on a thread of its own.
struct Asking {
    agent: Agent,
    url: String,
    host: String,
    headers: Headers,
    body: Vec<u8>,
    session_id: String,
    ear: Ear,
}

impl Asking {
    fn run(self, to: &SyncSender<Piece>) {
        let ear = self.ear.clone();
        let read = self.send().and_then(|response| read(response, to, &ear));
        ear.hear(Sound::Ended(match &read {
            Ok(()) => "nothing more comes",
            Err(_) => "it failed",
        }));
        if let Err(unanswered) = read {
            let _ = to.send(Err(unanswered));
        }
    }

    fn send(self) -> Result<Response<Body>, Unanswered> {
        let Self { session_id, url, headers, body, ear, .. } = &self;
        ear.hear_request(&Asked { session_id, url, headers, body }).map_err(Unanswered::Failure)?;
        let mut request =
            self.agent.post(&self.url).header(ACCEPT, "text/event-stream").header(CONTENT_TYPE, "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value.as_str());
        }
        let response = request.send(&self.body[..]).map_err(|error| no_answer(unreached(&error, &self.host)))?;
        ear.hear(Sound::Answered { status: response.status().as_u16(), headers: response.headers() });
        match response.status().as_u16() {
            200 => Ok(response),
            status => Err(refused(status, response, ear).into()),
        }
    }
}

fn no_answer(failure: Failure) -> Unanswered {
    match failure.class {
        Class::Temporary => Fault::passing(failure.to_string()).into(),
        Class::Usage | Class::PersonMustAct | Class::KeyOrGrant | Class::Configuration => Unanswered::Failure(failure),
    }
}

/// Sends events until there are no more, or nobody takes them.
fn read(mut response: Response<Body>, to: &SyncSender<Piece>, ear: &Ear) -> Result<(), Unanswered> {
    let mut wanted = to.send(Ok(announced(response.headers()))).is_ok();
    let mut decoder = Decoder::default();
    let mut body = response.body_mut().as_reader();
    let mut piece = vec![0; PIECE];
    while wanted {
        let broke = |error| Fault::passing(format!("the connection broke: {error}"));
        let count = body.read(&mut piece).map_err(broke)?;
        if count == 0 {
            return Ok(());
        }
        let (mut rest, mut events) = (&piece[..count], Vec::new());
        let too_long = |error: EventTooLong| Fault::passing(error.to_string());
        while let Some(data) = decoder.next_data(&mut rest).map_err(too_long)? {
            ear.hear(Sound::Event(&data));
            events.extend(reading::read(&data));
        }
        // Bytes that are no event are no sign of life.
        wanted = events.is_empty() || to.send(Ok(events)).is_ok();
    }
    Ok(())
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
    let used = windows::in_headers(&|name| headers.get(name).and_then(|value| value.to_str().ok()));
    text(MODEL).map(|model| Event::Model(model.to_owned())).into_iter().chain(state).chain(used).collect()
}

fn refused(status: u16, mut response: Response<Body>, ear: &Ear) -> Fault {
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut body = Vec::new();
    // A body that breaks off still has its status.
    let _ = response.body_mut().as_reader().take(LONGEST_REFUSAL).read_to_end(&mut body);
    ear.hear(Sound::Refused(&body));
    Refused { status, retry_after: seconds.map(Duration::from_secs), body: &body }.fault()
}
