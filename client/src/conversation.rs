//! A conversation with a model, pure: nothing here reads a clock, a file or a socket.
//!
//! * [`item`]: what it consists of. * [`fault`]: why an answer did not come, and what may be done about it.
//! * [`event`]: what a model's answer brings while it arrives.
//! * [`reply`]: one answer while it arrives. * [`history`]: all that was said, as the backend takes it.
//! * [`images`]: those that do not stay. * [`size`]: how many tokens that takes.
//! * [`turn`]: one prompt until its final answer. * [`compaction`]: a conversation that became too long.
//!
//! How the parts meet: a driver (the edge) owns a [`History`](history::History) and does what the turn asks for.
//!
//! ```text
//! let mut turn = Turn::begin(vec![Item::user("fix the test")]);
//! loop {
//!     match turn.next() {
//!         Next::Ask => {                          // a responses::Request of history and turn
//!             let mut reply = Reply::default();   // a new one for each attempt
//!             // for each Event: show it, then reply.take(event)? until it says Progress::Complete
//!             turn.answered(reply.finish()?);     // an unfinished reply is a Fault; nothing runs from it
//!         }
//!         Next::RunTools(calls) => {}             // run each: turn.ran(&call, output)
//!         Next::Done => break,
//!     }
//! }
//! turn.finish(&mut history);                      // or turn.stop(…) after Ctrl-C, turn.fail(…) after a Fault
//! ```

pub mod compaction;
pub mod event;
pub mod fault;
pub mod history;
pub mod images;
pub mod item;
pub mod reply;
#[cfg(test)]
pub(crate) mod samples;
pub mod size;
pub mod turn;
