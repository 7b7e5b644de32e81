//! How an answer is printed for programs: whole, or as events; for a person see `screen`.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::char_boundary::last_boundary;
use crate::cli::escape::escaped_json;
use crate::conversation::event::{Completed, Event, Usage, Window};
use crate::conversation::item::{Content, Given, Item, Output, Role};
use crate::drive::compacting::Compacting;
use crate::drive::{Attempt, Sight, Watcher};
use crate::failure::{Failure, visible};
use crate::terminal::sanitize::sanitized_whole;

const SCHEMA: u32 = 1;
/// What is printed of a tool's answer, in bytes.
const LONGEST_OUTPUT: usize = 16 * 1024;
/// How the events are documented in the help.
pub(super) const EVENTS: &str = r#"--json prints one event per line. Members and kinds are added but never change within a "schema":
  {"type":"begin","schema":1,"model":"gpt-5.5","session":"..."}
  {"type":"asking","again":false}                if again: what came since the last one of these counts no more
  {"type":"windows","windows":[{...}]}           how much the plan allows: minutes, used_percent, resets_at (Unix s)
  {"type":"thought","delta":"..."}               the next piece of a summary of what the model thinks
  {"type":"reasoning","summary":["..."]}         the summary, whole
  {"type":"text","delta":"..."}                  the next piece of the answer
  {"type":"message","text":"...","phase":null}   a message of the model, whole; "commentary" is no answer
  {"type":"usage","usage":{...}}                 what this answer has cost; members as in "end"
  {"type":"waiting","seconds":0.2,"why":"..."}   the model is asked again after that
  {"type":"compacting","tokens":190000}          the conversation is too long: the model writes a summary of it
  {"type":"compacted","tokens":9000}             that stands in its place
  {"type":"not_compacted","why":"..."}           nothing does
  {"type":"call","id":"...","name":"...","arguments":"..."}  a tool begins; a freeform one has "input" instead
  {"type":"output","id":"...","text":"...","cut":false}      what the model is told; cut beyond 16 KiB
  {"type":"end","usage":{...}}                   the answer is complete: input_tokens, cached_tokens,
                                                 output_tokens, reasoning_tokens, total_tokens
  {"type":"failed","message":"...","exit_code":75}
"#;
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
    /// So many of them stood when the model was asked what it is asked now.
    asked_at: usize,
}

impl<W: Write> Whole<W> {
    pub(super) fn new(to: W) -> Self {
        Self { out: Out::new(to), answer: Vec::new(), asked_at: 0 }
    }
}

impl<W: Write> Watcher for Whole<W> {
    fn see(&mut self, sight: Sight<'_>) {
        match sight {
            Sight::Asking(Attempt::First) => self.asked_at = self.answer.len(),
            Sight::Asking(Attempt::Again) => self.answer.truncate(self.asked_at),
            // What stood before a call was no answer yet.
            Sight::Calling(_) => self.answer.clear(),
            Sight::Event(Event::Item(item)) => self.answer.extend(answer(item)),
            Sight::Quiet | Sight::Event(_) | Sight::Waiting { .. } | Sight::Compacting(_) | Sight::Called(..) => {}
        }
    }
}

impl<W: Write> Printer for Whole<W> {
    fn end(mut self: Box<Self>, outcome: Result<Usage, &Failure>) -> Result<(), Failure> {
        if outcome.is_ok() {
            let text = sanitized_whole(&self.answer.join("\n"));
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
            Sight::Asking(attempt) => self.line(&json!({"type": "asking", "again": attempt == Attempt::Again})),
            Sight::Event(event) => {
                if let Some(line) = line_of(event) {
                    self.line(&line);
                }
            }
            Sight::Calling(call) => self.line(&match &call.given {
                Given::Arguments(arguments) => {
                    json!({"type": "call", "id": call.call_id, "name": call.name, "arguments": arguments})
                }
                Given::Freeform(input) => {
                    json!({"type": "call", "id": call.call_id, "name": call.name, "input": input})
                }
            }),
            Sight::Called(call, output) => {
                let text = text_of(output);
                let shown = &text[..last_boundary(&text, LONGEST_OUTPUT)];
                let cut = shown.len() < text.len();
                self.line(&json!({"type": "output", "id": call.call_id, "text": shown, "cut": cut}));
            }
            Sight::Waiting { pause, fault } => {
                let (seconds, why) = (pause.as_secs_f64(), fault.to_string());
                self.line(&json!({"type": "waiting", "seconds": seconds, "why": why}));
            }
            Sight::Compacting(step) => self.line(&compacting(&step)),
            Sight::Quiet => {}
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

/// What is printed of what arrives; what only a screen needs is not.
fn line_of(event: &Event) -> Option<Value> {
    match event {
        Event::Text(delta) => Some(json!({"type": "text", "delta": delta})),
        Event::Summary(delta) => Some(json!({"type": "thought", "delta": delta})),
        Event::Item(Item::Message(message)) if message.role == Role::Assistant => {
            Some(json!({"type": "message", "text": message.text(), "phase": message.phase}))
        }
        Event::Item(Item::Reasoning(reasoning)) if !reasoning.summary.is_empty() => {
            let texts: Vec<_> = reasoning.summary.iter().filter_map(|part| part["text"].as_str()).collect();
            Some(json!({"type": "reasoning", "summary": texts}))
        }
        Event::Windows(windows) => {
            let window = |window: &Window| {
                let used_percent = f64::from(window.used_per_mille) / 10.0;
                json!({"minutes": window.minutes, "used_percent": used_percent, "resets_at": window.resets_at})
            };
            Some(json!({"type": "windows", "windows": windows.iter().map(window).collect::<Vec<_>>()}))
        }
        Event::Completed(Completed { usage: Some(usage), .. }) => Some(json!({"type": "usage", "usage": usage})),
        Event::Created
        | Event::Began(_)
        | Event::SummarySection
        | Event::Reasoning(_)
        | Event::CallInput(_)
        | Event::Item(_)
        | Event::Model(_)
        | Event::TurnState(_)
        | Event::Completed(_)
        | Event::Failed(_) => None,
    }
}

/// The text of a tool's answer; an image is only named.
fn text_of(output: &Output) -> String {
    let part = |part: &Content| match part {
        Content::InputText { text } | Content::OutputText { text } | Content::Refusal { refusal: text } => text.clone(),
        Content::InputImage { .. } => "[image]".to_owned(),
    };
    match output {
        Output::Text(text) => text.clone(),
        Output::Parts(parts) => parts.iter().map(part).collect::<Vec<_>>().join("\n"),
    }
}

fn answer(item: &Item) -> Option<String> {
    match item {
        Item::Message(message) if message.role == Role::Assistant && !message.is_commentary() => Some(message.text()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
