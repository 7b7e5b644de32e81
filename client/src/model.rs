//! How the model is asked, and how its answer is read; pure, but for the connection itself.
//!
//! * [`tool_spec`]: how a tool is described. * [`responses`]: the body of a request.
//! * [`sse`]: events out of bytes. * [`refusal`]: what an error of the backend means. * [`reading`]: what an event means.

pub mod reading;
pub mod refusal;
pub mod responses;
pub mod sse;
pub mod tool_spec;
