//! The provider behind a credential, in steps that can be told apart: dial, arm (the caller's), send.
//!
//! The steps are separate because their failures mean different things: what fails while dialing has sent nothing,
//! what fails while sending may have redeemed the refresh token.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use crate::clock::{Monotonic, Timestamp};
use crate::domain::answer::Verdict;

pub mod codex;
pub mod codex_provider;
pub mod dial;
pub mod login;
pub mod oauth_server;

#[cfg(test)]
mod far_side;
#[cfg(test)]
pub(crate) mod hand_clock;
#[cfg(test)]
mod life_tests;

pub use codex_provider::CodexProvider;
pub use oauth_server::OAuthServer;

/// A boxed future that may move between threads.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An OAuth server that redeems refresh tokens. The second implementation is the tests'.
pub trait Provider: Send + Sync + 'static {
    /// Opens a connection (DNS, egress proxy, TCP, TLS) over which nothing has been said yet.
    fn dial(&self) -> Later<'_, Result<Box<dyn Connection>, Unsent>>;
    /// What a complete answer means. Pure: the same answer, replayed from a rescue slot, means the same.
    fn classify(&self, answer: &RawAnswer) -> Verdict;
}

/// A dialed connection. Sending consumes it, so a second POST cannot be written.
pub trait Connection: Send {
    /// False when the far side has closed it meanwhile: polled once right before arming.
    fn is_open(&mut self) -> bool;
    /// Presents the refresh token in one POST.
    ///
    /// Writes nothing if `write_before` has passed when the first byte would leave (matrix R7d). Bounded by the
    /// implementation: 30 s in all, 64 KiB of answer, no redirect, no retry.
    fn send(self: Box<Self>, refresh_token: Secret, write_before: Monotonic) -> Later<'static, Sent>;
}

/// What came of sending.
#[derive(Debug)]
pub enum Sent {
    /// Proven: not a byte was written.
    NotWritten(Unsent),
    /// A complete answer.
    Answered(RawAnswer),
    /// Bytes may have left and no complete answer came back.
    NoAnswer {
        /// For people: `connection reset`, `no answer within 30 s`.
        why: String,
    },
}

/// Nothing was sent, and why: for people, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsent(pub String);

/// An answer as it came, complete, before anybody has read meaning into it: this is what a rescue slot keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct RawAnswer {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, resolved to a span when it was a date.
    pub retry_after: Option<Duration>,
    /// The provider's `Date`: a witness when the machine's own clock is doubtful.
    pub date: Option<Timestamp>,
    /// When it arrived, on the broker's clock: lifetimes count from here, also after a replay.
    pub received_at: Timestamp,
    /// The body, at most 64 KiB, decoded.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for RawAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body holds tokens.
        f.debug_struct("RawAnswer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
