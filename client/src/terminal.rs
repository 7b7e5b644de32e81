//! The terminal: what it can show, and giving it back as it was.
//!
//! * [`capability`]: colour and characters, from the environment. * [`full_screen`]: the whole screen, for a while.
//! * [`keyboard`]: what is typed while nobody reads. * [`interruption`]: signals, with the terminal given back first.
//! * [`sanitize`]: text from elsewhere, as a terminal may have it. * [`markdown`]: the same, as it is meant.
//! * [`highlight`]: code, coloured. * [`columns`]: how much room text takes.

pub mod capability;
pub mod columns;
pub mod full_screen;
pub mod highlight;
pub mod interruption;
pub mod keyboard;
pub mod markdown;
pub mod sanitize;
