//! What the model may do on this machine.
//!
//! * [`approval`]: whether it may. * [`output`]: what is kept of an output, and told.
//! * [`patch`]: editing files. * [`view_image`]: looking at one.
//! * [`update_plan`]: what the model is going to do.
//! * [`function`]: programs of the person that the model may call.
//! * [`sandbox`]: the confinement of what runs.
//! * [`shell`]: commands, from their start to the end of the last of their processes.
//! * [`undo`]: what each turn changed, and how it is taken back.

pub mod approval;
pub mod function;
pub mod output;
pub mod patch;
pub mod sandbox;
pub mod shell;
pub mod undo;
pub mod update_plan;
pub mod view_image;
