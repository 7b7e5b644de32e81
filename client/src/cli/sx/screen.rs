//! An answer for a person at a terminal: text as it arrives and as it is meant, what the model thinks dimmed, what is
//! waited for.
//!
//! * [`surface`]: what the terminal can show. * [`waiting`]: the line that says what is waited for.

use std::io::Write;

use self::surface::Surface;
use self::waiting::{Awaited, Waiting};
use super::print::{Out, Printer};
use super::status::Standing;
use crate::clock::Clock;
use crate::conversation::event::{Begun, Event, Usage};
use crate::drive::compacting::Compacting;
use crate::drive::{Sight, Watcher};
use crate::failure::Failure;
use crate::terminal::markdown::Markdown;
use crate::terminal::markdown::ink::Style;
use crate::terminal::sanitize::Sanitizer;

pub(super) mod surface;
mod waiting;

/// What a person sees of a turn.
pub(super) struct Screen<'a, W, E> {
    out: Out<W>,
    talk: E,
    surface: Surface,
    clock: &'a dyn Clock,
    standing: &'a mut Standing,
    showing: Showing,
    /// What was shown last.
    last: Option<Part>,
    waiting: Waiting,
}

/// What is being written.
enum Showing {
    Nothing,
    Something(Part, Sanitizer, Box<Markdown>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Answer,
    Thought,
}

impl<'a, W: Write, E: Write> Screen<'a, W, E> {
    pub(super) fn new(to: W, talk: E, surface: Surface, clock: &'a dyn Clock, standing: &'a mut Standing) -> Self {
        let waiting = Waiting::begin(clock.elapsed());
        Self { out: Out::new(to), talk, surface, clock, standing, showing: Showing::Nothing, last: None, waiting }
    }

    fn show(&mut self, part: Part, text: &str) {
        if !matches!(&self.showing, Showing::Something(shown, ..) if *shown == part) {
            self.end_part();
            if self.last.replace(part).is_some_and(|last| last != part) {
                // Without colours nothing else sets them off from each other.
                self.write("\n");
            }
            let base = if part == Part::Thought { Style::FAINT } else { Style::PLAIN };
            let markdown = Box::new(Markdown::new(self.surface.look(base)));
            self.showing = Showing::Something(part, Sanitizer::default(), markdown);
        }
        let Showing::Something(_, sanitizer, markdown) = &mut self.showing else { return };
        markdown.set_width((self.surface.columns)());
        let text = markdown.push(&sanitizer.clean(text.as_bytes()));
        self.write(&text);
    }

    /// Ends what is being shown, on a line of its own.
    fn end_part(&mut self) {
        if let Showing::Something(_, sanitizer, mut markdown) = std::mem::replace(&mut self.showing, Showing::Nothing) {
            let last = markdown.push(&sanitizer.finish());
            self.write(&(last + &markdown.finish()));
        }
    }

    fn write(&mut self, text: &str) {
        if !text.is_empty() {
            self.clear();
            self.out.write(text);
        }
    }

    /// The line that says what is waited for is there no longer.
    fn clear(&mut self) {
        let cleared = self.waiting.cleared();
        if !cleared.is_empty() {
            self.out.write(cleared);
        }
    }

    fn quiet(&mut self) {
        let free = match &self.showing {
            Showing::Nothing => true,
            Showing::Something(_, _, markdown) => markdown.is_at_line_start(),
        };
        if free {
            let line = self.waiting.quiet(self.clock.elapsed(), self.surface);
            if !line.is_empty() {
                self.out.write(&line);
            }
        }
    }

    fn event(&mut self, event: &Event) {
        self.standing.saw(event);
        let awaited = match event {
            Event::Text(delta) => {
                self.show(Part::Answer, delta);
                Awaited::Text
            }
            Event::Summary(delta) | Event::Reasoning(delta) => {
                self.show(Part::Thought, delta);
                Awaited::Thoughts
            }
            Event::SummarySection => {
                self.end_part();
                Awaited::Thoughts
            }
            Event::Item(_) => {
                self.end_part();
                Awaited::Thoughts
            }
            Event::Created | Event::Began(Begun::Reasoning) => Awaited::Thoughts,
            Event::Began(Begun::Message) => Awaited::Text,
            Event::Began(Begun::Call(name)) => Awaited::Call(name.clone()),
            // Of a long one nothing else is seen, however quickly it comes.
            Event::CallInput(_) => return self.quiet(),
            Event::Model(_) | Event::TurnState(_) | Event::Windows(_) | Event::Completed(_) | Event::Failed(_) => {
                return;
            }
        };
        self.waiting.moved(self.clock.elapsed(), awaited);
    }
}

impl<W: Write, E: Write> Watcher for Screen<'_, W, E> {
    fn see(&mut self, sight: Sight<'_>) {
        match sight {
            Sight::Quiet => self.quiet(),
            Sight::Event(event) => self.event(event),
            Sight::Asking(_) => {
                self.clear();
                self.waiting.moved(self.clock.elapsed(), Awaited::Answer);
            }
            Sight::Waiting { pause, fault } => {
                self.end_part();
                self.clear();
                let seconds = pause.as_secs_f32();
                let _ = writeln!(self.talk, "sx: {fault}; asking again in {seconds:.1} s, from the beginning");
                let now = self.clock.elapsed();
                self.waiting.moved(now, Awaited::Repeat(now + pause));
            }
            Sight::Calling(_) | Sight::Called(..) => {
                self.end_part();
                self.clear();
            }
            Sight::Compacting(step) => {
                if let Compacting::Done { after, .. } = step {
                    self.standing.shortened(after);
                }
                self.end_part();
                self.clear();
                let _ = writeln!(self.talk, "sx: {step}");
            }
        }
    }
}

impl<W: Write, E: Write> Printer for Screen<'_, W, E> {
    fn end(mut self: Box<Self>, _: Result<Usage, &Failure>) -> Result<(), Failure> {
        self.end_part();
        self.clear();
        self.out.end()
    }
}

#[cfg(test)]
mod tests;
