//! The answer to a token request as it travels, made once for all who ask within the same second.
//!
//! Its times are whole seconds, so within one second all clients of a credential get the same bytes. Looking for
//! characters that JSON must escape in a token of two kilobytes cost more than everything else the broker does itself.

use std::fmt;

use bytes::Bytes;
use scorpiox_wire::TokenAnswer;
use zeroize::Zeroizing;

use crate::clock::Timestamp;

/// What an answer has besides the token, in bytes, generously: the buffer must not grow and leave a copy behind.
const AROUND_THE_TOKEN: usize = 1024;

/// An answer in bytes. It holds an access token: `Debug` does not show it, and its memory is zeroed.
#[derive(Clone)]
pub struct Printed {
    at: Timestamp,
    body: Bytes,
    etag: Bytes,
}

impl Printed {
    /// Prints the answer that was made at this moment.
    pub fn of(answer: &TokenAnswer, at: Timestamp) -> Self {
        let mut body = Zeroizing::new(Vec::with_capacity(answer.access_token.expose().len() + AROUND_THE_TOKEN));
        serde_json::to_writer(&mut *body, answer).expect("an answer is texts and numbers");
        Self { at, body: Bytes::from_owner(body), etag: answer.tag().to_etag().into() }
    }

    /// The moment that it is the answer of.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// JSON.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// The value of `ETag`.
    pub fn etag(&self) -> Bytes {
        self.etag.clone()
    }
}

impl fmt::Debug for Printed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Printed({:?}, [redacted])", self.at)
    }
}
