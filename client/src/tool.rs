//! What the model may do on this machine.
//!
//! * [`approval`]: whether it may. * [`output`]: what is kept of what a tool prints.
//! * [`patch`]: editing files. * [`update_plan`]: what the model is going to do.

pub mod approval;
pub mod output;
pub mod patch;
pub mod update_plan;
