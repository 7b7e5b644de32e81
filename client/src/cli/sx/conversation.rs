//! A conversation at the terminal: a line is read, something is done, and so on until the person leaves.
//!
//! * [`opening`]: what it begins with. * [`voice`]: what is said to the person. * [`greeting`]: what is said first.
//! * [`turn`]: a prompt and its answer. * [`obey`]: a command of the person, each in a file of its own: [`help`],
//!   [`model`], [`approvals`], [`usage`], [`image`], [`anew`], [`resume`].

use std::sync::atomic::{AtomicBool, Ordering};

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

pub(super) use self::opening::converse;
use super::attach::picture::Attached;
use super::command::{Line, read};
use super::context::Context;
use super::manner::Wish;
use super::workshop::Workshop;
use crate::cli::backend::Scene;
use crate::clock::Clock;
use crate::conversation::history::History;
use crate::drive::Driver;
use crate::failure::Failure;
use crate::model::catalog::Catalog;
use crate::session::recorder::Keeper;
use crate::talk::Talk;
use crate::terminal::capability::Colour;

mod anew;
mod approvals;
mod greeting;
mod help;
mod image;
mod model;
mod obey;
mod opening;
mod resume;
mod turn;
mod usage;
mod voice;

const PROMPT: &str = "> ";

/// What lasts from one line to the next.
struct Conversation<'a> {
    scene: &'a Scene<'a>,
    catalog: Option<Catalog>,
    wish: Wish,
    driver: Driver<'a>,
    history: History,
    keeper: Keeper<'a>,
    /// For the next prompt.
    images: Vec<Attached>,
    tools: Option<Workshop<'a>>,
    /// What stands in front of it, when there are tools.
    context: Option<Context>,
    clock: &'a dyn Clock,
    colour: Colour,
    verbose: bool,
}

/// Whether the conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    GoOn,
    Leave,
}

impl Conversation<'_> {
    fn go_on(&mut self, stop: &AtomicBool, talk: &mut Talk) -> Result<(), Failure> {
        let broken = |error: ReadlineError| Failure::temporary(format!("the terminal cannot be read: {error}"));
        let mut editor = DefaultEditor::new().map_err(broken)?;
        loop {
            let line = match editor.readline(PROMPT) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => continue,
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(broken(error)),
            };
            stop.store(false, Ordering::Relaxed);
            let after = match read(&line) {
                Line::Empty => After::GoOn,
                Line::Command(command) => obey::obey(self, command, talk),
                Line::Unknown(name) => help::no_such_command(name, talk),
                Line::Prompt(prompt) => turn::answer(self, prompt, talk),
            };
            // What cannot be remembered can be typed again.
            let _ = editor.add_history_entry(line.trim());
            voice::tell(talk, self.verbose);
            if after == After::Leave {
                return Ok(());
            }
        }
    }
}
