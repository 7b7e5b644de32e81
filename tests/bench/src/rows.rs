//! The rows of the table.
//!
//! * [`serve`]: what one answer costs. * [`fetch`]: what a developer's machine pays for a token that it has.
//! * [`ssh`]: a token from another machine.
//! * [`conversation`]: one prompt and its answer.
//! * [`status`]: the broker at a glance, when it is large.
//! * [`storm`]: ten thousand who wait. * [`rest`]: a start, and doing nothing.

pub(crate) mod conversation;
pub(crate) mod fetch;
pub(crate) mod rest;
pub(crate) mod serve;
pub(crate) mod ssh;
pub(crate) mod status;
pub(crate) mod storm;
