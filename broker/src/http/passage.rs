//! A request on its way through the application: its time, its panics, and the answer that leaves in any case.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_http::body::{BoxBody, EitherBody, MessageBody};
use actix_http::{RequestHead, Response};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap};
use actix_web::{HttpResponse, ResponseError};
use pin_project_lite::pin_project;
use scorpiox_wire::{Code, Problem};
use tokio::time::{Sleep, sleep};
use tracing::Level;

use super::connection::Progress;
use super::error::Refusal;
use super::limits::Bounds;
use super::request_id::{self, RequestId, within};

pin_project! {
    /// The future of one answer; without a state yet, what any answer needs.
    pub(super) struct Passage<S> {
        #[pin]
        state: S,
        id: RequestId,
        progress: Option<Rc<Progress>>,
        note: Option<Box<Note>>,
        bounds: Rc<Bounds>,
        // Set when the application does not answer at once.
        deadline: Option<Pin<Box<Sleep>>>,
    }
}

pin_project! {
    /// Where the answer comes from.
    #[project = SourceProjection]
    pub(super) enum Source<F> {
        Refused { problem: Option<Box<Problem>> },
        Inside { #[pin] answer: F },
    }
}

/// What the log says about a request, when it says anything.
struct Note {
    method: String,
    path: String,
}

impl Passage<()> {
    pub(super) fn new(id: RequestId, progress: Option<Rc<Progress>>, bounds: &Rc<Bounds>, head: &RequestHead) -> Self {
        let note = tracing::enabled!(Level::DEBUG)
            .then(|| Box::new(Note { method: head.method.to_string(), path: head.uri.path().to_owned() }));
        Self { state: (), id, progress, note, bounds: Rc::clone(bounds), deadline: None }
    }

    pub(super) fn id(&self) -> RequestId {
        self.id
    }

    pub(super) fn progress(&self) -> Option<Rc<Progress>> {
        self.progress.clone()
    }

    /// The application is never asked.
    pub(super) fn refused<F>(self, problem: Problem) -> Passage<Source<F>> {
        self.with(Source::Refused { problem: Some(Box::new(problem)) })
    }

    /// The application answers.
    pub(super) fn inside<F>(self, answer: F) -> Passage<Source<F>> {
        self.with(Source::Inside { answer })
    }

    fn with<S>(self, state: S) -> Passage<S> {
        let Self { state: (), id, progress, note, bounds, deadline } = self;
        Passage { state, id, progress, note, bounds, deadline }
    }
}

impl<F, B> Future for Passage<Source<F>>
where
    F: Future<Output = Result<ServiceResponse<B>, actix_web::Error>>,
    B: MessageBody + 'static,
{
    type Output = Result<Response<EitherBody<B>>, actix_web::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mut response = match this.state.as_mut().project() {
            SourceProjection::Refused { problem } => {
                refused(&Refusal::from(*problem.take().expect("a future is not polled after it is ready")))
            }
            SourceProjection::Inside { answer } => match poll_safely(*this.id, answer, cx) {
                Err(Panicked) => refused(&Refusal::from_status(StatusCode::INTERNAL_SERVER_ERROR)),
                Ok(Poll::Ready(Ok(answer))) => finished(answer),
                Ok(Poll::Ready(Err(error))) => kept_if_json(error.error_response()),
                Ok(Poll::Pending) => {
                    let span = this.bounds.request_timeout;
                    let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(span)));
                    ready!(deadline.as_mut().poll(cx));
                    refused(&overdue(this.progress.as_deref()))
                }
            },
        };
        response.headers_mut().insert(request_id::HEADER, this.id.to_header());
        if let Some(progress) = this.progress {
            progress.answered();
        }
        if let Some(note) = this.note {
            let status = response.status().as_u16();
            within(*this.id, || tracing::debug!(method = note.method, path = note.path, status, "answered"));
        }
        Poll::Ready(Ok(response))
    }
}

struct Panicked;

/// Polls the application. A panic ends this request only, and its client gets an answer; the future is dropped, never
/// polled again, so whatever it left half-done is seen by nobody.
fn poll_safely<F: Future>(id: RequestId, app: Pin<&mut F>, cx: &mut Context<'_>) -> Result<Poll<F::Output>, Panicked> {
    catch_unwind(AssertUnwindSafe(|| within(id, || app.poll(cx)))).map_err(|_| Panicked)
}

fn overdue(progress: Option<&Progress>) -> Refusal {
    match progress {
        Some(progress) if progress.is_body_open() => Refusal::from_status(StatusCode::REQUEST_TIMEOUT),
        _ => {
            Refusal::new(Code::Busy, "the broker did not get to an answer in time").retry_after(Duration::from_secs(1))
        }
    }
}

/// The application's answer; in place of an error that the framework made up, a problem.
fn finished<B: MessageBody + 'static>(answer: ServiceResponse<B>) -> Response<EitherBody<B>> {
    let response = Response::from(answer);
    let status = response.status();
    if (status.is_client_error() || status.is_server_error()) && !is_ours(response.headers()) {
        let mut ours = refused(&Refusal::from_status(status));
        // RFC 9110 section 15.5.6: what the path does know.
        if let Some(allow) = response.headers().get(ALLOW) {
            ours.headers_mut().insert(ALLOW, allow.clone());
        }
        return ours;
    }
    response.map_body(|_, body| EitherBody::left(body))
}

fn kept_if_json<B>(response: HttpResponse<BoxBody>) -> Response<EitherBody<B>> {
    if is_json(response.headers()) { ours(response) } else { refused(&Refusal::from_status(response.status())) }
}

/// Pages for browsers are ours too: the framework makes up no HTML.
fn is_ours(headers: &HeaderMap) -> bool {
    is_json(headers) || headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

fn refused<B>(refusal: &Refusal) -> Response<EitherBody<B>> {
    ours(refusal.error_response())
}

fn ours<B>(response: HttpResponse<BoxBody>) -> Response<EitherBody<B>> {
    Response::from(response).map_body(|_, body| EitherBody::right(body))
}
