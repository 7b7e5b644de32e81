//! The full-screen editor of the settings.
//!
//! * [`field`], [`ground`]: the settings as they stand. * [`line`](self::line): a line that is typed.
//! * [`event`]: what happens, and what is to be done. * [`model`]: the state; [`update`] moves it, [`view`] shows it.
//! * [`keys`]: what the terminal says. * [`files`]: reading and saving. * [`trials`]: trying sources beside all this.
//! * [`session`]: joins them.

pub mod event;
pub mod field;
mod files;
pub mod ground;
mod keys;
pub mod line;
pub mod model;
#[cfg(test)]
mod sample;
pub mod session;
mod trials;
mod update;
pub mod view;

use std::io::{self, IsTerminal as _};

use crate::failure::{Class, Failure};
use crate::settings::Surroundings;
use crate::terminal::capability::Capability;

/// What to use where there is no screen.
const INSTEAD: &str = "use --dump, --get KEY, --set KEY VALUE, --check or doctor; see --help";

/// Edits the settings on the whole screen. Returns the exit code.
pub fn open(surroundings: &Surroundings<'_>) -> Result<u8, Failure> {
    let refused = |why: String| Failure::new(Class::Usage, why).with_hint(INSTEAD);
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(refused("the editor needs a terminal".to_owned()));
    }
    let capability = Capability::of(surroundings.environment).map_err(|terminal| {
        refused(format!("the editor cannot move the cursor on a terminal of TERM={}", terminal.0))
    })?;
    match session::run(surroundings, capability)? {
        session::End::Left => Ok(0),
        // As a shell says it of a program that a signal ended.
        session::End::Signal(signal) => Ok(u8::try_from(128 + signal).unwrap_or(u8::MAX)),
    }
}
