//! The terminal: what it can show, and giving it back as it was.
//!
//! * [`capability`]: colour and characters, from the environment. * [`full_screen`]: the whole screen, for a while.
//! * [`sanitize`]: text from elsewhere, as a terminal may have it.

pub mod capability;
pub mod full_screen;
pub mod sanitize;
