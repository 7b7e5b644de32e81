//! The terminal: what it can show, and giving it back as it was.
//!
//! * [`capability`]: colour and characters, from the environment. * [`full_screen`]: the whole screen, for a while.
//! * [`sanitize`]: text from elsewhere, as a terminal may have it. * [`markdown`]: the same, as it is meant.
//! * [`highlight`]: code, coloured.

pub mod capability;
pub mod full_screen;
pub mod highlight;
pub mod markdown;
pub mod sanitize;
