//! How the model is asked, and how its answer is read; pure, but for the connection itself.
//!
//! * [`sse`]: events out of bytes. * [`refusal`]: what an error of the backend means. * [`reading`]: what an event means.

pub mod reading;
pub mod refusal;
pub mod sse;
