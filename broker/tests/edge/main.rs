//! The client listener under clients that misbehave, over raw sockets, plain and inside TLS (matrix H1 to H3).

#![expect(clippy::unwrap_used, reason = "a test crate: a failed unwrap is a failed test")]

mod caps;
mod harness;
mod oversize;
mod serving;
mod slow;
mod targets;
