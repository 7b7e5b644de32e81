//! Tells people what needs one: once per change, also across a restart, and again until it was taken.
//!
//! What is to be told is decided in [`crate::domain::alarm`]. Here it becomes a notice for each sink, is kept in the
//! database as far as that takes it, and is delivered in order; one that is refused goes behind the others. While the
//! database fails, memory does without it: that is when an alert matters most. A notice may come twice after a crash,
//! under the same id if the database took it first.
//!
//! * [`digest`]: a mass event in a few words. * [`notice`]: what is said.
//! * [`queue`]: what waits for one sink.
//! * [`webhook`], [`program`]: the sinks. * [`sink`]: either.
//! * [`written`]: what the database knows. * [`outbox`]: memory, queues and sinks together.
//! * [`watch`]: looks, and delivers.

pub mod digest;
pub mod notice;
pub mod outbox;
pub mod program;
pub mod queue;
pub mod sink;
pub mod watch;
pub mod webhook;
pub mod written;

pub use notice::Notice;
pub use outbox::Outbox;
pub use sink::Sink;
