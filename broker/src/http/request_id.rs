//! The name of one request: in its answer (`x-request-id`) and on every log line that is written while it is served.
//!
//! The id of the request being polled lies in a thread-local cell that the log formatter reads. A `tracing` span per
//! request would say the same for about half a microsecond each, whether or not anything is logged.

use std::cell::Cell;
use std::fmt;

use actix_http::header::{HeaderName, HeaderValue};

/// The header that carries it in both directions.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a client: a UUID with its dashes.
const LONGEST: usize = 36;
const GENERATED: usize = 12;

/// The name of one request: a short random text, or what a proxy in front of us chose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    length: u8,
    bytes: [u8; LONGEST],
}

impl RequestId {
    /// A new one: 12 characters, unpredictable enough not to collide within a log; nothing depends on its secrecy.
    pub fn random() -> Self {
        let mut bits = next_random();
        let mut bytes = [0; LONGEST];
        for byte in &mut bytes[..GENERATED] {
            *byte = b"0123456789abcdefghijklmnopqrstuv"[(bits & 31) as usize];
            bits >>= 5;
        }
        Self { length: GENERATED as u8, bytes }
    }

    /// Takes over an id from `X-Request-Id` when it is short and plain: `0-9A-Za-z`, `-`, `_` and `.`.
    pub fn from_header(value: &[u8]) -> Option<Self> {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if value.is_empty() || value.len() > LONGEST || !value.iter().all(plain) {
            return None;
        }
        let mut bytes = [0; LONGEST];
        bytes[..value.len()].copy_from_slice(value);
        Some(Self { length: value.len() as u8, bytes })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("an id is ASCII")
    }

    /// The id as the value of [`HEADER`].
    pub fn to_header(self) -> HeaderValue {
        HeaderValue::from_str(self.as_str()).expect("an id is visible ASCII")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

thread_local! {
    static CURRENT: Cell<Option<RequestId>> = const { Cell::new(None) };
    static STATE: Cell<u64> = Cell::new(seed());
}

/// The id of the request that this thread is serving right now.
pub fn current() -> Option<RequestId> {
    CURRENT.get()
}

/// Runs `work` as part of the request `id`: what it logs carries the id.
pub fn within<T>(id: RequestId, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<RequestId>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0);
        }
    }
    let _restore = Restore(CURRENT.replace(Some(id)));
    work()
}

fn seed() -> u64 {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random generator works");
    u64::from_ne_bytes(bytes)
}

/// SplitMix64: one addition and a few multiplications per id.
fn next_random() -> u64 {
    let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_differ() {
        let (one, other) = (RequestId::random(), RequestId::random());
        assert_eq!(one.as_str().len(), 12);
        assert_ne!(one, other);
        assert_eq!(RequestId::from_header(one.as_str().as_bytes()), Some(one));
    }

    #[test]
    fn an_id_that_could_hurt_a_log_is_not_taken_over() {
        assert!(RequestId::from_header(b"6f0c1a2b-7d1e-4b8a-9f3c-1a2b3c4d5e6f").is_some());
        for value in [&b""[..], b"a b", b"a\"b", b"a\tb", &[b'a'; 37], "é".as_bytes()] {
            assert_eq!(RequestId::from_header(value), None);
        }
    }

    #[test]
    fn a_request_is_current_only_while_it_is_worked_on() {
        let (outer, inner) = (RequestId::random(), RequestId::random());
        within(outer, || {
            assert_eq!(within(inner, current), Some(inner));
            assert_eq!(current(), Some(outer));
        });
        assert_eq!(current(), None);
    }
}
