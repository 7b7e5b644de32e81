//! Who listens to what goes over the wire to the model and back, secrets and all.

use std::sync::Arc;

use ureq::http::header::{HeaderMap, HeaderName};
use zeroize::Zeroizing;

/// Something that went over the wire.
#[derive(Debug, Clone, Copy)]
pub enum Sound<'a> {
    /// A request.
    Asked {
        /// Names the conversation.
        session_id: &'a str,
        /// Where it goes.
        url: &'a str,
        /// The headers that are particular to it.
        headers: &'a [(HeaderName, Zeroizing<String>)],
        /// Its body, JSON.
        body: &'a [u8],
    },
    /// An answer begins.
    Answered {
        /// Its status.
        status: u16,
        /// Its headers.
        headers: &'a HeaderMap,
    },
    /// The body of an answer that is no stream.
    Refused(&'a [u8]),
    /// The data of an event.
    Event(&'a str),
    /// The answer is over, or was given up; in words.
    Ended(&'a str),
}

/// A listener, on whichever thread.
pub trait Listener: Send + Sync {
    /// Hears it. Must be quick: the answer waits.
    fn hear(&self, sound: Sound<'_>);
}

/// A listener, or none.
#[derive(Clone, Default)]
pub struct Ear(Option<Arc<dyn Listener>>);

impl Ear {
    /// Somebody listens.
    pub fn of(listener: Arc<dyn Listener>) -> Self {
        Self(Some(listener))
    }

    /// Says it to whoever listens.
    pub(super) fn hear(&self, sound: Sound<'_>) {
        self.0.iter().for_each(|listener| listener.hear(sound));
    }
}
