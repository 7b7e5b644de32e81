//! The full-screen editor of the settings.
//!
//! * [`field`], [`ground`]: the settings as they stand. * [`line`](self::line): a line that is typed.
//! * [`event`]: what happens, and what is to be done. * [`model`]: the state; [`update`] moves it, [`view`] shows it.

pub mod event;
pub mod field;
pub mod ground;
pub mod line;
pub mod model;
#[cfg(test)]
mod sample;
mod update;
pub mod view;
