//! A stream of events, cut anywhere.

use scorpiox_client::conversation::event::Event;
use scorpiox_client::conversation::reply::Reply;
use scorpiox_client::model::reading;
use scorpiox_client::model::sse::Decoder;

use crate::pieces;

/// The same events however the stream is cut; no answer without a completed end.
///
/// # Panics
/// When it is otherwise.
pub fn check(input: &[u8]) {
    let pieces: Vec<&[u8]> = pieces(input).collect();
    let events = decoded(pieces.iter().copied());
    let whole = pieces.concat();
    assert_eq!(decoded([whole.as_slice()].into_iter()), events, "an event depends on where the stream is cut");
    // Also between the two bytes of a line's end.
    assert_eq!(decoded(whole.chunks(1)), events, "an event depends on where the stream is cut");
    let mut reply = Reply::default();
    let mut completed = false;
    for event in events.iter().flat_map(|data| reading::read(data)) {
        completed |= matches!(event, Event::Completed(_));
        if reply.take(event).is_err() {
            return;
        }
    }
    assert!(reply.finish().is_err() || completed, "an answer without its end");
}

fn decoded<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut decoder = Decoder::default();
    let mut events = Vec::new();
    for mut piece in pieces {
        while let Some(data) = decoder.next_data(&mut piece).expect("an input is shorter than the longest event") {
            events.push(data);
        }
    }
    events
}
