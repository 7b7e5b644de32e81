//! What the end-to-end tests are written in.
//!
//! * [`component`]: real programs that some tests need, and what happens on a machine that lacks one.

pub mod component;
