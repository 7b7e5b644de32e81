//! What the model may do on this machine.
//!
//! * [`patch`]: editing files.

pub mod patch;
