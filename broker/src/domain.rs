//! The pure core: no async, no socket, no file, no clock and no environment. `now` and random bytes are arguments.

pub mod answer;
