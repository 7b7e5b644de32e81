//! How the model is asked, and how its answer is read; pure, but for the connection itself.
//!
//! * [`sse`]: events out of bytes.

pub mod sse;
