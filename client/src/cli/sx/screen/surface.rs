//! The terminal as an answer is shown on it.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};

use rustix::termios::tcgetwinsize;

use crate::terminal::capability::{Capability, Characters, Colour};
use crate::terminal::markdown::Look;
use crate::terminal::markdown::ink::Style;

/// What a terminal that does not say its width is taken for.
const USUAL_COLUMNS: usize = 80;

/// What standard output can show.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli::sx) struct Surface {
    pub(in crate::cli::sx) colour: Colour,
    pub(in crate::cli::sx) characters: Characters,
    pub(in crate::cli::sx) cursor: Cursor,
    /// Asked each time: people change the size of their windows.
    pub(in crate::cli::sx) columns: fn() -> usize,
}

/// What can be done about what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::sx) enum Cursor {
    /// A line can be written again.
    Moves,
    /// What is written stays: no terminal, or one that can do nothing else.
    Stays,
}

impl Surface {
    /// What this environment says of it.
    pub(in crate::cli::sx) fn of(environment: &dyn Fn(&str) -> Option<OsString>) -> Self {
        match Capability::of(environment) {
            Ok(Capability { colour, characters }) => {
                let cursor = if io::stdout().is_terminal() { Cursor::Moves } else { Cursor::Stays };
                Self { colour, characters, cursor, columns }
            }
            Err(_) => Self { colour: Colour::None, characters: Characters::Ascii, cursor: Cursor::Stays, columns },
        }
    }

    /// How text looks on it.
    pub(in crate::cli::sx) fn look(self, base: Style) -> Look {
        Look { colour: self.colour, characters: self.characters, width: (self.columns)(), base }
    }
}

fn columns() -> usize {
    let columns = tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { USUAL_COLUMNS } else { columns }
}
