//! How the model is asked, and how its answer is read; pure, but for the connection itself.
//!
//! * [`tool_spec`]: how a tool is described. * [`responses`]: the body of a request.
//! * [`catalog`]: which models there are, and which one a name means.
//! * [`sse`]: events out of bytes. * [`refusal`]: what an error of the backend means.
//! * [`windows`]: how much of the plan's limits is in use. * [`reading`]: what an event means.

pub mod catalog;
pub mod reading;
pub mod refusal;
pub mod responses;
pub mod sse;
pub mod tool_spec;
pub mod windows;
