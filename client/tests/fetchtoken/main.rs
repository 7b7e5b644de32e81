//! The real `scorpiox-codex-fetchtoken`, run as a process against a stand-in for the broker.
//!
//! * `stub_broker`: answers what the test says and counts what it was asked.
//! * `machine`: a developer's machine: home, project, cache, environment, and time that the test moves.
//! * Stories: `command_line`, `settings`, `local`, `remote`, `chain`, `bounds`, `storm`, `repeat`, `tls`, `output`, `plain`,
//!   `exec`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bounds;
mod chain;
mod command_line;
mod exec;
mod local;
mod machine;
mod output;
mod plain;
mod remote;
mod repeat;
mod settings;
mod storm;
mod stub_broker;
mod tls;
