//! What a model runs, held by the real launcher on this machine's kernel.
//!
//! * `project`: a person's machine with a project, and commands in its sandbox.
//! * `attempts`: what other programs do; most of them are started again in the sandbox.
//! * Stories: `reading`, `writing`, `network`, `neighbours`, `processes`, `output`, `functions`, `patches`, `unavailable`.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attempts;
mod functions;
mod neighbours;
mod network;
mod output;
mod patches;
mod processes;
mod project;
mod reading;
mod unavailable;
mod writing;
