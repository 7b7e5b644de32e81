//! The ChatGPT backend: what we ask it besides the conversation itself.
//!
//! * [`address`]: where it is. * [`identity`]: who we say we are. * [`answer`]: what its answers mean.
//! * [`renewal`]: a refused token is replaced once, and the request repeated.
//! * [`exchange`]: one GET. * [`usage`]: what is left of the plan's limits. * [`models`]: the catalogue, kept for a while.
//! * [`traffic`]: who listens to that. * [`stream`]: one answer of the model, while it streams in.

pub mod address;
pub mod answer;
pub mod exchange;
pub mod identity;
pub mod models;
pub mod renewal;
pub mod stream;
pub mod traffic;
pub mod usage;
