//! What happens to the editor, and what it wants done. Neither says how: a terminal and files are somebody else's.

use zeroize::Zeroizing;

use super::ground::Ground;
use crate::settings::places::Level;

/// A key that was pressed, as far as it means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// A visible character.
    Char(char),
    /// A letter with Ctrl.
    Control(char),
    /// The cursor keys, as they are.
    Up,
    /// Down.
    Down,
    /// Left.
    Left,
    /// Right.
    Right,
    /// Up with Shift: moves what is selected.
    ShiftUp,
    /// Down with Shift.
    ShiftDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the start.
    Home,
    /// To the end.
    End,
    /// Takes what is shown.
    Enter,
    /// Leaves it.
    Escape,
    /// The other file.
    Tab,
    /// Removes to the left.
    Backspace,
    /// Removes here.
    Delete,
}

/// Something happened.
pub enum Event {
    /// A key.
    Pressed(Press),
    /// A text came at once; it may be a secret.
    Pasted(Zeroizing<String>),
    /// A source was tried.
    Tried {
        /// Which test it belongs to: an earlier one may come late.
        run: u32,
        /// The source.
        source: String,
        /// How it went.
        outcome: Outcome,
    },
}

/// How a source did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It gave a token.
    Works {
        /// Whose it is.
        account: String,
        /// The plan of that account.
        plan: String,
        /// Until when it is accepted, in local time.
        expires: String,
    },
    /// It gave none.
    Fails {
        /// Why.
        why: String,
        /// What to do.
        next_step: String,
    },
}

/// Something to be done. What comes of it is told to the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The screen is drawn from nothing: something else has written on it.
    Repaint,
    /// The changes go to the file of this level; answered by [`Done`].
    Save(Level),
    /// The project's file is trusted; answered by [`Done`].
    Trust,
    /// These sources are tried, in this order, with the changes that are not saved; each is answered by
    /// [`Event::Tried`].
    Try {
        /// Comes back with the answer.
        run: u32,
        /// Which.
        sources: Vec<String>,
    },
    /// The editor ends.
    Leave,
}

/// What came of [`Effect::Save`] or [`Effect::Trust`]: the settings as they are now and a word on it, or why not.
pub type Done = Result<(Box<Ground>, String), String>;
