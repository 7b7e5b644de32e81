//! The full-screen editor of `scorpiox-config`, driven through a real pseudo-terminal.
//!
//! * `terminal`: the pseudo-terminal, with an emulator that reads what is drawn. * `desk`: a user's files around it.
//! * `stub_broker`: answers what the test says.
//! * Stories: `editing`, `secrets`, `testing`, `screen`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod desk;
mod editing;
mod screen;
mod secrets;
#[path = "../fetchtoken/stub_broker.rs"]
#[expect(dead_code, reason = "it can do more than is needed here")]
mod stub_broker;
mod terminal;
mod testing;
