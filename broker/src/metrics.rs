//! What a monitoring system is told, in the text format of Prometheus.
//!
//! Nothing is global: the [`Meters`] are passed to the parts where things happen, and everything that is a state and not
//! a count is looked at when somebody asks.
//!
//! * [`meters`]: counts and durations, written where things happen.
//! * [`client_series`]: which clients have a series of their own.
//! * [`sight`]: the state of the broker at one moment.
//! * [`exposition`]: both as text.

pub mod client_series;
pub mod exposition;
pub mod meters;
pub mod sight;

pub use client_series::{ClientSeries, Handouts};
pub use exposition::{CONTENT_TYPE, exposition};
pub use meters::{Meters, PasswordMeters};
pub use sight::{CredentialSight, Sight};
