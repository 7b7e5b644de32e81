//! One request: received, held up, decided, answered.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::Incoming;
use hyper::{Request as HttpRequest, Response};

use super::control;
use super::pieces::{self, InFlight};
use super::shared::Shared;
use super::wire::Ending;
use crate::answer::{Answer, Delivery, Reply};
use crate::clock;
use crate::fault::Hold;
use crate::log::Fate;
use crate::request::Request;

/// No honest request is larger.
const MOST_BYTES: usize = 64 * 1024 * 1024;

pub(super) type Outgoing = UnsyncBoxBody<Bytes, io::Error>;

/// Answers a request. An error ends the connection without an answer.
pub(super) async fn request(
    shared: Arc<Shared>,
    ending: Ending,
    request: HttpRequest<Incoming>,
) -> io::Result<Response<Outgoing>> {
    let request = whole(request).await?;
    if request.path().starts_with("/_control/") {
        return response(&shared, control::answer(&shared, &request));
    }
    let now = shared.clock.now();
    let begun = shared.with(|oracle| oracle.begin(request, now));
    let in_flight = InFlight::new(Arc::clone(&shared), begun.id);
    if let Some(fault) = &begun.fault {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
        if fault.hold == Some(Hold::BeforeDeciding) {
            shared.hold().await;
        }
    }
    let now = shared.clock.now();
    let reply = shared.with(|oracle| oracle.answer(&begun, now));
    if begun.fault.as_ref().is_some_and(|fault| fault.hold == Some(Hold::BeforeAnswering)) {
        shared.hold().await;
    }
    deliver(&shared, reply, in_flight, ending)
}

async fn whole(request: HttpRequest<Incoming>) -> io::Result<Request> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await.map_err(io::Error::other)?.to_bytes();
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
    let query = head.uri.query().unwrap_or_default();
    Ok(Request::new(head.method.as_str(), head.uri.path(), query, headers, &body))
}

fn deliver(shared: &Shared, reply: Reply, in_flight: InFlight, ending: Ending) -> io::Result<Response<Outgoing>> {
    if let Delivery::Cut { reset, body_bytes: None } = reply.delivery {
        in_flight.ended(Fate::Cut);
        if reset {
            ending.reset();
        }
        return Err(io::Error::other("cut"));
    }
    let (pieces, length) = pieces::pieces(&reply);
    if pieces.is_empty() {
        in_flight.ended(Fate::Delivered);
    }
    let answer = match length {
        Some(length) => reply.answer.with("content-length", &length.to_string()),
        None => reply.answer,
    };
    let body = StreamBody::new(pieces::stream(pieces, in_flight, ending));
    head(shared, &answer).body(UnsyncBoxBody::new(body)).map_err(io::Error::other)
}

fn response(shared: &Shared, answer: Answer) -> io::Result<Response<Outgoing>> {
    let body = Full::new(Bytes::from(answer.body())).map_err(|never: Infallible| match never {});
    head(shared, &answer).body(UnsyncBoxBody::new(body)).map_err(io::Error::other)
}

fn head(shared: &Shared, answer: &Answer) -> hyper::http::response::Builder {
    let mut builder = Response::builder().status(answer.status);
    // The provider's own clock, unless a fault brings a date of its own.
    if answer.header("date").is_none() {
        builder = builder.header("date", clock::http_date(shared.clock.now()));
    }
    answer.headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value))
}
