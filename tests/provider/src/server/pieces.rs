//! An answer's body as it goes out: bytes, pauses and ends, in order.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use hyper::body::Frame;

use super::shared::Shared;
use super::wire::Ending;
use crate::answer::{Content, Delivery, Reply};
use crate::log::{EntryId, Fate};
use crate::script::Step;

/// A piece of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Bytes(Bytes),
    Pause(Duration),
    /// The connection ends here, what came before having left.
    Cut {
        reset: bool,
    },
}

/// Takes a reply apart. The whole body's length comes along where it is known.
pub(super) fn pieces(reply: &Reply) -> (VecDeque<Piece>, Option<usize>) {
    let bytes = match &reply.answer.content {
        Content::Bytes(bytes) => Bytes::from(bytes.clone()),
        Content::Stream(script) if reply.delivery == Delivery::Whole => {
            return (script.steps.iter().map(step).collect(), None);
        }
        Content::Stream(script) => Bytes::from(script.bytes()),
    };
    let length = Some(bytes.len());
    let pieces = match reply.delivery {
        Delivery::Whole if bytes.is_empty() => VecDeque::new(),
        Delivery::Whole => VecDeque::from([Piece::Bytes(bytes)]),
        Delivery::Drip { every_ms } => (0..bytes.len())
            .flat_map(|at| [Piece::Pause(Duration::from_millis(every_ms)), Piece::Bytes(bytes.slice(at..=at))])
            .collect(),
        Delivery::Cut { reset, body_bytes } => {
            // One byte short at least, or it would be whole.
            let kept = body_bytes.unwrap_or(0).min(bytes.len().saturating_sub(1));
            VecDeque::from([Piece::Bytes(bytes.slice(..kept)), Piece::Cut { reset }])
        }
    };
    (pieces, length)
}

fn step(step: &Step) -> Piece {
    match step {
        Step::Event(_) | Step::Raw(_) => Piece::Bytes(step.bytes().into()),
        Step::DelayMs(span) => Piece::Pause(Duration::from_millis(*span)),
        Step::Cut => Piece::Cut { reset: false },
    }
}

/// A request that is under way. Dropped before its end, it says that the client went away.
pub(super) struct InFlight {
    shared: Arc<Shared>,
    id: EntryId,
}

impl InFlight {
    pub(super) fn new(shared: Arc<Shared>, id: EntryId) -> Self {
        Self { shared, id }
    }

    /// Only the first end counts.
    pub(super) fn ended(&self, fate: Fate) {
        self.shared.finish(self.id, fate);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.ended(Fate::ClientGone);
    }
}

/// Performs the pieces.
///
/// The log says "delivered" right before the last bytes are handed over, so that it says so before the client can
/// have seen them.
pub(super) fn stream(
    pieces: VecDeque<Piece>,
    in_flight: InFlight,
    ending: Ending,
) -> impl Stream<Item = io::Result<Frame<Bytes>>> + Send {
    stream::unfold((pieces, in_flight, ending), |(mut pieces, in_flight, ending)| async move {
        loop {
            match pieces.pop_front() {
                None => {
                    in_flight.ended(Fate::Delivered);
                    return None;
                }
                // Even a sleep of nothing takes a tick of the timer.
                Some(Piece::Pause(Duration::ZERO)) => {}
                Some(Piece::Pause(span)) => tokio::time::sleep(span).await,
                Some(Piece::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Piece::Bytes(bytes)) => {
                    if pieces.is_empty() {
                        in_flight.ended(Fate::Delivered);
                    }
                    return Some((Ok(Frame::data(bytes)), (pieces, in_flight, ending)));
                }
                Some(Piece::Cut { reset }) => {
                    // Not ready once, so that the connection writes out what it has before it learns of the end.
                    tokio::task::yield_now().await;
                    in_flight.ended(Fate::Cut);
                    if reset {
                        ending.reset();
                    }
                    return Some((Err(io::Error::other("cut")), (pieces, in_flight, ending)));
                }
            }
        }
    })
}
