//! The real `scorpiox-config`, run as a process, and what the other commands make of the files that it keeps.
//!
//! * `machine`: a developer's machine: home, project, environment. * `terminal`: a person at a pseudo-terminal.
//! * Stories: `reading` (get, dump), `changing` (set, unset), `safe_saving`, `secrets`, `checking`, `trusting`,
//!   `hostile_project`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod changing;
mod checking;
mod hostile_project;
mod machine;
mod reading;
mod safe_saving;
mod secrets;
mod terminal;
mod trusting;
