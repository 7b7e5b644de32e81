//! A terminal that does not show what is typed.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// While this lives, standard input does not echo. On something other than a terminal it does nothing.
pub(super) struct Quiet(Option<Termios>);

impl Quiet {
    pub(super) fn begin() -> Self {
        let Ok(before) = tcgetattr(io::stdin()) else { return Self(None) };
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        let done = tcsetattr(io::stdin(), OptionalActions::Flush, &quiet);
        Self(done.is_ok().then_some(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // Nothing better can be done when the terminal is gone.
            let _ = tcsetattr(io::stdin(), OptionalActions::Flush, before);
        }
    }
}
