//! The guard in front of an application: no request gets past it that breaks a bound, and no answer leaves without its
//! id and a problem in place of whatever the framework made up.
//!
//! It is a service of its own around the application, not a middleware inside: a refused request is never routed, and a
//! good one pays for one look at its headers, one small allocation for its future, and nothing else.

use std::future::Future;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_http::body::{BoxBody, EitherBody, MessageBody};
use actix_http::error::PayloadError;
use actix_http::{HttpMessage, Payload, Request, RequestHead, Response};
use actix_service::{Service, ServiceFactory};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use actix_web::{HttpResponse, ResponseError};
use bytes::Bytes;
use futures_util::Stream;
use scorpiox_wire::{Code, Problem};
use tokio::time::{Sleep, sleep};
use tracing::Level;

use super::connection::Progress;
use super::error::Refusal;
use super::limits::{Bounds, ClientAddress, Visitor, client_address};
use super::request_id::{self, RequestId, within};
use super::target;

/// Longest `Authorization` that any interface of ours could mean, in bytes.
const AUTHORIZATION_BYTES: usize = 4096;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Makes a guard around each instance of an application.
pub(super) struct Guarded<S> {
    pub(super) app: S,
    pub(super) bounds: Rc<Bounds>,
}

impl<S, B> ServiceFactory<Request> for Guarded<S>
where
    S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = actix_web::Error>,
    S::Future: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = Response<EitherBody<B>>;
    type Error = actix_web::Error;
    type Config = ();
    type Service = Guard<S::Service>;
    type InitError = S::InitError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Service, Self::InitError>>>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let app = self.app.new_service(AppConfig::default());
        let bounds = Rc::clone(&self.bounds);
        Box::pin(async move { Ok(Guard { app: app.await?, bounds }) })
    }
}

/// An application behind its guard.
pub(super) struct Guard<S> {
    app: S,
    bounds: Rc<Bounds>,
}

impl<S, B> Service<Request> for Guard<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = Response<EitherBody<B>>;
    type Error = actix_web::Error;
    type Future = Passage<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.app.poll_ready(cx)
    }

    fn call(&self, mut request: Request) -> Self::Future {
        let has_body = !matches!(request.payload(), Payload::None);
        let progress = request.conn_data::<Rc<Progress>>().map(Rc::clone);
        if let Some(progress) = &progress {
            progress.request_taken(has_body);
        }
        let looked_at = inspect(request.head(), has_body, &self.bounds);
        let id = looked_at.id.unwrap_or_else(RequestId::random);
        let note = tracing::enabled!(Level::DEBUG).then(|| Box::new(Note::of(request.head())));
        let state = match looked_at.outcome {
            Err(problem) => State::Refused(Some(problem)),
            Ok(()) => {
                let address = ClientAddress(looked_at.client);
                request.extensions_mut().insert(Visitor { id, address });
                if has_body {
                    bound_body(&mut request, self.bounds.body_bytes, progress.clone());
                }
                State::Inside(Box::pin(within(id, || self.app.call(request))))
            }
        };
        Passage { state, id, progress, note, bounds: Rc::clone(&self.bounds), deadline: None }
    }
}

/// What one look at a request's head says.
struct LookedAt {
    id: Option<RequestId>,
    client: Option<IpAddr>,
    outcome: Result<(), Problem>,
}

/// One pass over the headers, and the target.
fn inspect(head: &RequestHead, has_body: bool, bounds: &Bounds) -> LookedAt {
    let mut bytes = 0;
    let mut authorizations = 0;
    let mut too_long = false;
    let mut id = None;
    for (name, value) in head.headers() {
        // Name, colon, space, value, line end.
        bytes += name.as_str().len() + value.len() + 4;
        if name == AUTHORIZATION {
            authorizations += 1;
            too_long |= value.len() > AUTHORIZATION_BYTES;
        } else if name == request_id::HEADER {
            id = RequestId::from_header(value.as_bytes());
        }
    }
    let outcome = if bytes > bounds.header_bytes || too_long {
        Err(Refusal::from_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE).problem)
    } else if authorizations > 1 {
        // The framework would take the first and a proxy in front of us perhaps the last.
        Err(Problem::new(Code::BadRequest, "the request has two Authorization headers"))
    } else if has_body && declared_length(head).is_some_and(|length| length > bounds.body_bytes as u64) {
        Err(Refusal::from_status(StatusCode::PAYLOAD_TOO_LARGE).problem)
    } else {
        target::check(head.uri.path(), head.uri.query())
    };
    LookedAt { id, client: client_of(head, bounds), outcome }
}

fn declared_length(head: &RequestHead) -> Option<u64> {
    head.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn client_of(head: &RequestHead, bounds: &Bounds) -> Option<IpAddr> {
    let peer = head.peer_addr?.ip();
    // Values that are no text break the chain as any other entry that is no address.
    let values: Vec<&str> = match bounds.trusted_proxies.is_empty() {
        true => Vec::new(),
        false => head.headers().get_all(FORWARDED_FOR).map(|value| value.to_str().unwrap_or("?")).collect(),
    };
    Some(client_address(peer, &bounds.trusted_proxies, values.into_iter()))
}

/// Replaces the request's body by one that ends with an error beyond `most` bytes: a chunked one declares no length.
fn bound_body(request: &mut Request, most: usize, progress: Option<Rc<Progress>>) {
    let body = std::mem::replace(request.payload(), Payload::None);
    let bounded: Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> =
        Box::pin(BoundedBody { body, left: most, progress });
    *request.payload() = Payload::from(bounded);
}

struct BoundedBody {
    body: Payload,
    left: usize,
    progress: Option<Rc<Progress>>,
}

impl Stream for BoundedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let chunk = ready!(Pin::new(&mut this.body).poll_next(cx));
        match &chunk {
            Some(Ok(bytes)) if bytes.len() > this.left => return Poll::Ready(Some(Err(PayloadError::Overflow))),
            Some(Ok(bytes)) => this.left -= bytes.len(),
            Some(Err(_)) => {}
            None => {
                if let Some(progress) = &this.progress {
                    progress.body_read();
                }
            }
        }
        Poll::Ready(chunk)
    }
}

/// A request on its way through the guard and back.
pub(super) struct Passage<F> {
    state: State<F>,
    id: RequestId,
    progress: Option<Rc<Progress>>,
    note: Option<Box<Note>>,
    bounds: Rc<Bounds>,
    /// Set when the application does not answer at once.
    deadline: Option<Pin<Box<Sleep>>>,
}

enum State<F> {
    Refused(Option<Problem>),
    Inside(Pin<Box<F>>),
}

impl<F, B> Future for Passage<F>
where
    F: Future<Output = Result<ServiceResponse<B>, actix_web::Error>>,
    B: MessageBody + 'static,
{
    type Output = Result<Response<EitherBody<B>>, actix_web::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let response = match &mut this.state {
            State::Refused(problem) => {
                let problem = problem.take().expect("a future is not polled after it is ready");
                refused(&Refusal::from(problem))
            }
            State::Inside(app) => match poll_safely(this.id, app, cx) {
                Err(Panicked) => refused(&Refusal::from_status(StatusCode::INTERNAL_SERVER_ERROR)),
                Ok(Poll::Ready(Ok(answer))) => finished(answer),
                Ok(Poll::Ready(Err(error))) => finished_badly(&error),
                Ok(Poll::Pending) => {
                    let span = this.bounds.request_timeout;
                    let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(span)));
                    ready!(deadline.as_mut().poll(cx));
                    refused(&this.overdue())
                }
            },
        };
        Poll::Ready(Ok(this.leave(response)))
    }
}

struct Panicked;

/// Polls the application. A panic ends this request only, and its client gets an answer; the future is dropped, never
/// polled again, so whatever it left half-done is seen by nobody.
fn poll_safely<F: Future>(
    id: RequestId,
    app: &mut Pin<Box<F>>,
    cx: &mut Context<'_>,
) -> Result<Poll<F::Output>, Panicked> {
    catch_unwind(AssertUnwindSafe(|| within(id, || app.as_mut().poll(cx)))).map_err(|_| Panicked)
}

impl<F> Passage<F> {
    fn overdue(&self) -> Refusal {
        match &self.progress {
            Some(progress) if progress.is_body_open() => Refusal::from_status(StatusCode::REQUEST_TIMEOUT),
            _ => Refusal::new(Code::Busy, "the broker did not get to an answer in time")
                .retry_after(std::time::Duration::from_secs(1)),
        }
    }

    fn leave<B>(&self, mut response: Response<B>) -> Response<B> {
        response.headers_mut().insert(request_id::HEADER, self.id.to_header());
        if let Some(progress) = &self.progress {
            progress.answered();
        }
        if let Some(note) = &self.note {
            let status = response.status().as_u16();
            within(self.id, || tracing::debug!(method = note.method, path = note.path, status, "answered"));
        }
        response
    }
}

/// What the log says about a request, when it says anything.
struct Note {
    method: String,
    path: String,
}

impl Note {
    fn of(head: &RequestHead) -> Self {
        Self { method: head.method.to_string(), path: head.uri.path().to_owned() }
    }
}

fn finished<B: MessageBody + 'static>(answer: ServiceResponse<B>) -> Response<EitherBody<B>> {
    let response = Response::from(answer);
    let status = response.status();
    if (status.is_client_error() || status.is_server_error()) && !is_json(&response) {
        return refused(&Refusal::from_status(status));
    }
    response.map_body(|_, body| EitherBody::left(body))
}

fn finished_badly<B>(error: &actix_web::Error) -> Response<EitherBody<B>> {
    let response = error.error_response();
    match response.headers().contains_key(CONTENT_TYPE) && is_json_type(response.headers().get(CONTENT_TYPE)) {
        true => plain(response),
        false => refused(&Refusal::from_status(response.status())),
    }
}

fn is_json<B>(response: &Response<B>) -> bool {
    is_json_type(response.headers().get(CONTENT_TYPE))
}

fn is_json_type(value: Option<&actix_web::http::header::HeaderValue>) -> bool {
    value.is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}

fn refused<B>(refusal: &Refusal) -> Response<EitherBody<B>> {
    plain(refusal.error_response())
}

fn plain<B>(response: HttpResponse<BoxBody>) -> Response<EitherBody<B>> {
    Response::from(response).map_body(|_, body| EitherBody::right(body))
}
