//! Who listens to what goes over the wire to the model and back, secrets and all.

use std::sync::Arc;

use ureq::http::header::{HeaderMap, HeaderName};
use zeroize::Zeroizing;

use crate::failure::Failure;

/// A request that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Names the conversation.
    pub session_id: &'a str,
    /// Where it goes.
    pub url: &'a str,
    /// The headers that are particular to it.
    pub headers: &'a [(HeaderName, Zeroizing<String>)],
    /// Its body, JSON.
    pub body: &'a [u8],
}

/// Something that came back.
#[derive(Debug, Clone, Copy)]
pub enum Sound<'a> {
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
    /// Hears a request. An error keeps it from being sent.
    fn hear_request(&self, asked: &Asked<'_>) -> Result<(), Failure>;
    /// Hears what came back. Must be quick: the answer waits.
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

    /// Says what is about to be sent to whoever listens; an error keeps it back.
    pub(super) fn hear_request(&self, asked: &Asked<'_>) -> Result<(), Failure> {
        self.0.iter().try_for_each(|listener| listener.hear_request(asked))
    }

    /// Says it to whoever listens.
    pub(super) fn hear(&self, sound: Sound<'_>) {
        self.0.iter().for_each(|listener| listener.hear(sound));
    }
}
