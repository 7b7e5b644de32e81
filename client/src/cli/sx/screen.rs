//! An answer for a person at a terminal: text as it arrives, what the model thinks dimmed, what is waited for.

use std::io::Write;

use super::print::{Out, Printer};
use crate::conversation::event::{Event, Usage};
use crate::conversation::item::{Item, Role};
use crate::drive::{Sight, Watcher};
use crate::failure::Failure;
use crate::terminal::capability::Colour;
use crate::terminal::sanitize::Sanitizer;

/// Dim, and no longer dim: without colour too, where it can be seen it helps and elsewhere nothing is lost.
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// What a person sees of a turn.
pub(super) struct Screen<W, E> {
    out: Out<W>,
    talk: E,
    colour: Colour,
    showing: Showing,
    sanitizer: Sanitizer,
    /// The last character on the line that is being written; `None` at the beginning of one.
    last: Option<char>,
}

/// What the line that is being written belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Showing {
    Nothing,
    Answer,
    Thought,
}

impl<W: Write, E: Write> Screen<W, E> {
    pub(super) fn new(to: W, talk: E, colour: Colour) -> Self {
        let sanitizer = Sanitizer::default();
        Self { out: Out::new(to), talk, colour, showing: Showing::Nothing, sanitizer, last: None }
    }

    fn show(&mut self, part: Showing, text: &str) {
        if self.showing != part {
            self.end_part();
            self.showing = part;
            if part == Showing::Thought {
                self.style(DIM);
            }
        }
        let text = self.sanitizer.clean(text.as_bytes());
        self.last = match text.chars().last() {
            Some('\n') => None,
            Some(last) => Some(last),
            None => self.last,
        };
        self.out.write(&text);
    }

    /// Ends what is being shown, on a line of its own. What was left open by it harms nothing that follows.
    fn end_part(&mut self) {
        self.sanitizer = Sanitizer::default();
        if self.last.take().is_some() {
            self.out.write("\n");
        }
        if self.showing == Showing::Thought {
            self.style(PLAIN);
        }
        self.showing = Showing::Nothing;
    }

    fn style(&mut self, sequence: &str) {
        if self.colour != Colour::None {
            self.out.write(sequence);
        }
    }
}

impl<W: Write, E: Write> Watcher for Screen<W, E> {
    fn see(&mut self, sight: Sight<'_>) {
        match sight {
            Sight::Event(Event::Text(delta)) => self.show(Showing::Answer, delta),
            Sight::Event(Event::Summary(delta) | Event::Reasoning(delta)) => self.show(Showing::Thought, delta),
            Sight::Event(Event::Item(Item::Message(message))) if message.role == Role::Assistant => self.end_part(),
            Sight::Event(Event::Item(_) | Event::SummarySection) => self.end_part(),
            Sight::Waiting { pause, fault } => {
                self.end_part();
                let seconds = pause.as_secs_f32();
                let _ = writeln!(self.talk, "sx: {fault}; asking again in {seconds:.1} s, from the beginning");
            }
            Sight::Compacting(step) => {
                self.end_part();
                let _ = writeln!(self.talk, "sx: {step}");
            }
            Sight::Asking | Sight::Quiet | Sight::Event(_) | Sight::Calling(_) | Sight::Called(..) => {}
        }
    }
}

impl<W: Write, E: Write> Printer for Screen<W, E> {
    fn end(mut self: Box<Self>, _: Result<Usage, &Failure>) -> Result<(), Failure> {
        self.end_part();
        self.out.end()
    }
}
