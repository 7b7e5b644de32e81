//! End-to-end stories.
//!
//! * [`administration`]: what an administrator does, as the provider and the clients see it (H5).
//! * [`audit`]: written before a token leaves (H6, H7).
//! * [`kills`]: SIGKILL of the real process, at failpoints and at random moments.
//! * [`refusal`]: a client says that the provider refused its token.
//! * [`rotation`]: rotations and crashes, rows R1–R19 of the fault matrix.
//! * [`serving`]: a token request and its answer (R13, R15, R16, P3).
//! * [`stock_cli`]: the stock Codex CLI over a token command of ours.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod administration;
mod audit;
mod kills;
mod refusal;
mod rotation;
mod serving;
mod stock_cli;
