//! One request on one connection, and what came of it.
//!
//! The connection is driven here and by nobody else: when this future ends or is dropped, nothing can be written any more.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::answer::{Incoming, LONGEST_BODY};
use super::endpoint::Endpoint;
use super::gate::{Gate, Gated, Stream};
use crate::clock::{Monotonic, SharedClock};
use crate::provider::{Sent, Unsent};

/// How long sending and answering may take together.
pub const EXCHANGE_LIMIT: Duration = Duration::from_secs(30);

type Driver = Pin<Box<http1::Connection<TokioIo<Gated>, Full<Bytes>>>>;

/// A connection over which nothing has been said.
pub struct Dialed {
    clock: SharedClock,
    pub(super) endpoint: Endpoint,
    gate: Arc<Gate>,
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` once it has ended.
    driver: Option<Driver>,
}

impl Dialed {
    pub(super) async fn over(
        stream: Box<dyn Stream>,
        endpoint: &Endpoint,
        clock: &SharedClock,
    ) -> Result<Self, Unsent> {
        let gate = Gate::closed(Arc::clone(clock));
        let stream = TokioIo::new(Gated { stream, gate: Arc::clone(&gate) });
        let handshake = http1::Builder::new().max_buf_size(LONGEST_BODY).handshake(stream).await;
        let (sender, driver) = handshake.map_err(|error| Unsent(format!("{endpoint}: {}", told(&error))))?;
        let (clock, endpoint) = (Arc::clone(clock), endpoint.clone());
        Ok(Self { clock, endpoint, gate, sender, driver: Some(Box::pin(driver)) })
    }

    /// False when the far side has closed the connection, or spoken before it was asked.
    pub fn is_open(&mut self) -> bool {
        let Some(driver) = &mut self.driver else { return false };
        match driver.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => true,
            Poll::Ready(_) => {
                self.driver = None;
                false
            }
        }
    }

    /// Sends the request, unless `write_before` has passed when its first byte would leave, and reads the answer.
    pub(super) async fn send(mut self, request: Request<Full<Bytes>>, write_before: Monotonic) -> Sent {
        let (clock, gate, endpoint) = (Arc::clone(&self.clock), Arc::clone(&self.gate), self.endpoint.clone());
        // The runtime learns here of a close that arrived just now.
        tokio::task::yield_now().await;
        if !self.is_open() {
            return Sent::NotWritten(Unsent(format!("{endpoint} closed the connection before the request")));
        }
        gate.open_until(write_before);
        let mut incoming = Incoming::nothing();
        let end = tokio::select! {
            biased;
            end = self.converse(request, &mut incoming) => end,
            () = clock.sleep(EXCHANGE_LIMIT) => Err(format!("no complete answer within {} s", EXCHANGE_LIMIT.as_secs())),
        };
        if gate.late() {
            return Sent::NotWritten(Unsent(format!("{endpoint}: the time to write had passed")));
        }
        let received_at = clock.wall();
        match end {
            Err(why) if !gate.tried() => Sent::NotWritten(Unsent(format!("{endpoint}: {why}"))),
            Err(why) => incoming.complete_object(received_at).map_or(Sent::NoAnswer { why }, Sent::Answered),
            Ok(()) => match incoming.complete(received_at) {
                Some(answer) => Sent::Answered(answer),
                None => Sent::NoAnswer { why: "the exchange ended without an answer".into() },
            },
        }
    }

    /// `Ok` after the proper end of an answer; otherwise why it ended. What arrived is in `incoming` either way.
    async fn converse(self, request: Request<Full<Bytes>>, incoming: &mut Incoming) -> Result<(), String> {
        let Self { mut sender, mut driver, .. } = self;
        let mut failure = None;
        let mut talk = Box::pin(async {
            let response = sender.send_request(request).await.map_err(|error| told(&error))?;
            incoming.take_head(response.status(), response.headers());
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| told(&error))?;
                let part = frame.data_ref().map_or(Ok(()), |bytes| incoming.take_body(bytes));
                part.map_err(|_| format!("an answer of more than {LONGEST_BODY} bytes"))?;
            }
            Ok(())
        });
        let end = std::future::poll_fn(|cx| {
            if let Some(Poll::Ready(end)) = driver.as_mut().map(|driver| driver.as_mut().poll(cx)) {
                driver = None;
                failure = end.err().map(|error| told(&error));
            }
            talk.as_mut().poll(cx)
        });
        let end = end.await;
        // The connection knows the cause where the request only knows that it was dropped.
        end.map_err(|why| failure.unwrap_or(why))
    }
}

/// An error with its causes, on one line. None of hyper's errors repeats what was sent or received.
fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
