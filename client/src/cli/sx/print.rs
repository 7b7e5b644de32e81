//! How an answer is printed for programs: whole, or as events; for a person see `screen`.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::escape::escaped_json;
use crate::conversation::event::{Event, Usage};
use crate::conversation::item::{Item, Role};
use crate::drive::compacting::Compacting;
use crate::drive::{Sight, Watcher};
use crate::failure::{Failure, visible};

const SCHEMA: u32 = 1;
/// A message of this phase tells what the model is doing, and is no part of the answer.
const COMMENTARY: &str = "commentary";

/// Prints, and says how it went. What cannot be written is remembered: a reader that has gone needs no answer.
pub(super) struct Out<W> {
    to: W,
    written: io::Result<()>,
}

impl<W: Write> Out<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, written: Ok(()) }
    }

    pub(super) fn write(&mut self, text: &str) {
        if self.written.is_ok() {
            self.written = self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush());
        }
    }

    pub(super) fn end(self) -> Result<(), Failure> {
        match self.written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => {
                written.map_err(|error| Failure::temporary(format!("the answer cannot be written to stdout: {error}")))
            }
        }
    }
}

/// A printer of answers.
pub(super) trait Printer: Watcher {
    /// The answer is complete, or will never be.
    fn end(self: Box<Self>, outcome: Result<Usage, &Failure>) -> Result<(), Failure>;
}

/// For a pipe or a file: the whole answer or nothing.
pub(super) struct Whole<W> {
    out: Out<W>,
    answer: Vec<String>,
}

impl<W: Write> Whole<W> {
    pub(super) fn new(to: W) -> Self {
        Self { out: Out::new(to), answer: Vec::new() }
    }
}

impl<W: Write> Watcher for Whole<W> {
    fn see(&mut self, sight: Sight<'_>) {
        match sight {
            Sight::Asking => self.answer.clear(),
            Sight::Event(Event::Item(item)) => self.answer.extend(answer(item)),
            Sight::Quiet
            | Sight::Event(_)
            | Sight::Waiting { .. }
            | Sight::Compacting(_)
            | Sight::Calling(_)
            | Sight::Called(..) => {}
        }
    }
}

impl<W: Write> Printer for Whole<W> {
    fn end(mut self: Box<Self>, outcome: Result<Usage, &Failure>) -> Result<(), Failure> {
        if outcome.is_ok() {
            let text: String = self.answer.join("\n").chars().filter(|c| may_be_shown(*c)).collect();
            let line_end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
            self.out.write(&format!("{text}{line_end}"));
        }
        self.out.end()
    }
}

/// For a program: one JSON line per event.
pub(super) struct Events<W> {
    out: Out<W>,
}

impl<W: Write> Events<W> {
    pub(super) fn new(to: W, model: &str, session_id: &str) -> Self {
        let mut events = Self { out: Out::new(to) };
        events.line(&json!({"type": "begin", "schema": SCHEMA, "model": model, "session": session_id}));
        events
    }

    fn line(&mut self, event: &Value) {
        self.out.write(&format!("{}\n", escaped_json(&event.to_string())));
    }
}

impl<W: Write> Watcher for Events<W> {
    fn see(&mut self, sight: Sight<'_>) {
        match sight {
            Sight::Asking => self.line(&json!({"type": "asking"})),
            Sight::Event(Event::Text(delta)) => self.line(&json!({"type": "text", "delta": delta})),
            Sight::Event(Event::Item(Item::Message(message))) if message.role == Role::Assistant => {
                self.line(&json!({"type": "message", "text": message.text(), "phase": message.phase}));
            }
            Sight::Waiting { pause, fault } => {
                let (seconds, why) = (pause.as_secs_f64(), fault.to_string());
                self.line(&json!({"type": "waiting", "seconds": seconds, "why": why}));
            }
            Sight::Compacting(step) => self.line(&compacting(&step)),
            Sight::Quiet | Sight::Event(_) | Sight::Calling(_) | Sight::Called(..) => {}
        }
    }
}

impl<W: Write> Printer for Events<W> {
    fn end(mut self: Box<Self>, outcome: Result<Usage, &Failure>) -> Result<(), Failure> {
        self.line(&match outcome {
            Ok(usage) => json!({"type": "end", "usage": usage}),
            Err(failure) => {
                let (message, exit_code) = (visible(&failure.to_string()), failure.class.exit_code());
                json!({"type": "failed", "message": message, "exit_code": exit_code})
            }
        });
        self.out.end()
    }
}

fn compacting(step: &Compacting<'_>) -> Value {
    match step {
        Compacting::Begun { tokens, .. } => json!({"type": "compacting", "tokens": tokens}),
        Compacting::Done { after, .. } => json!({"type": "compacted", "tokens": after}),
        Compacting::GivenUp(_) | Compacting::InVain { .. } => json!({"type": "not_compacted", "why": step.to_string()}),
    }
}

fn answer(item: &Item) -> Option<String> {
    match item {
        Item::Message(message) if message.role == Role::Assistant && message.phase.as_deref() != Some(COMMENTARY) => {
            Some(message.text())
        }
        _ => None,
    }
}

/// Text keeps its lines and tabs; nothing of it moves the cursor, changes the direction of writing or asks the terminal
/// for anything.
fn may_be_shown(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}');
    matches!(c, '\n' | '\t') || !(c.is_control() || turns)
}

#[cfg(test)]
mod tests;
