//! A line of the person: edited, completed, remembered.
//!
//! * [`entering`]: what Enter means. * [`word`], [`files`], [`offers`]: what can be completed. * [`assistant`]: the same
//!   for the line editor, and hints. * [`keys`]: keys of our own. * [`kept`]: what was entered before.

use std::cell::Cell;
use std::sync::PoisonError;

use rustyline::config::{BellStyle, ColorMode, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Editor, Result};

use self::assistant::{Assistant, State};
use self::entering::continued;
pub(super) use self::kept::Kept;
use self::keys::Continuations;
pub(super) use self::offers::Offers;
use crate::failure::Failure;
use crate::terminal::capability::Colour;
use crate::terminal::keyboard;

mod assistant;
mod entering;
mod files;
mod kept;
mod keys;
mod offers;
mod word;

pub(super) const PROMPT: &str = "> ";
/// Asked before more are listed.
const MOST_LISTED_UNASKED: usize = 100;

/// Reads line after line.
pub(super) struct LineEditor<'a> {
    editor: Editor<Assistant<'a>, MemHistory>,
    kept: Kept,
    continuations: Continuations,
    patience: Patience,
}

/// What the person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// Entered this.
    Line(String),
    /// Took it back, for the first time.
    TakenBack,
    /// Left.
    Left,
}

/// What a further Ctrl-C means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    Fresh,
    Warned,
}

impl<'a> LineEditor<'a> {
    /// With what was entered in earlier conversations, as far as it was kept.
    pub(super) fn new(kept: Kept, offers: Offers<'a>, colour: Colour) -> Result<Self> {
        let config = Config::builder()
            .max_history_size(kept::MOST)?
            .history_ignore_dups(true)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .completion_prompt_limit(MOST_LISTED_UNASKED)
            .bracketed_paste(true)
            .bell_style(BellStyle::None)
            .color_mode(if colour == Colour::None { ColorMode::Disabled } else { ColorMode::Enabled })
            .build();
        let history = MemHistory::with_config(&config);
        let mut editor = Editor::with_history(config, history)?;
        editor.set_helper(Some(Assistant { offers, colour, state: Cell::new(State::Nothing) }));
        let continuations = Continuations::default();
        keys::bind(&mut editor, continuations.clone());
        for entry in kept.entries() {
            editor.add_history_entry(entry)?;
        }
        Ok(Self { editor, kept, continuations, patience: Patience::Fresh })
    }

    /// What can be completed, to be kept up to date.
    pub(super) fn offers(&mut self) -> Option<&mut Offers<'a>> {
        self.editor.helper_mut().map(|assistant| &mut assistant.offers)
    }

    /// Reads one line, which may have line feeds in it. What was typed before a question is where it was left off.
    pub(super) fn read(&mut self) -> std::result::Result<Reading, Failure> {
        let begun = keyboard::put_aside().unwrap_or_default();
        let read = self.editor.readline_with_initial(PROMPT, (&begun, ""));
        keyboard::listen();
        let asked = std::mem::take(&mut *self.continuations.lock().unwrap_or_else(PoisonError::into_inner));
        match read {
            Ok(line) => {
                self.patience = Patience::Fresh;
                Ok(Reading::Line(continued(&line, &asked)))
            }
            Err(ReadlineError::Interrupted) => Ok(self.taken_back()),
            Err(ReadlineError::Eof) => Ok(Reading::Left),
            Err(error) => Err(Failure::temporary(format!("the terminal cannot be read: {error}"))),
        }
    }

    /// The second time on end, with nothing typed between, it is meant.
    fn taken_back(&mut self) -> Reading {
        let state = self.editor.helper().map(|assistant| assistant.state.replace(State::Nothing));
        if self.patience == Patience::Warned && state == Some(State::Nothing) {
            return Reading::Left;
        }
        self.patience = Patience::Warned;
        Reading::TakenBack
    }

    /// Keeps what was entered, unless it begins with a space. What cannot be kept can be typed again.
    pub(super) fn remember(&mut self, line: &str) {
        if self.editor.add_history_entry(line.trim_end()).unwrap_or(false) {
            let _ = self.kept.add(line.trim_end());
        }
    }
}
