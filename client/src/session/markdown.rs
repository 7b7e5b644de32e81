//! A conversation as a Markdown document. Pure.
//!
//! Whatever was said, it cannot break out of its place: a block of code has a longer fence than anything in it, what the
//! person said is a quotation, and what the model leaves open is closed.

use serde_json::Value;

use super::entry::{Entry, Line, Session};
use crate::conversation::item::{Call, Content, Given, Item, Message, Output, Reasoning, Role};
use crate::drive::record::Ending;

/// A document while the lines of a transcript are read.
#[derive(Debug, Default)]
pub struct Document {
    text: String,
    turn: InTurn,
}

/// Whether the last turn has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum InTurn {
    #[default]
    No,
    Yes,
}

impl Document {
    /// The next entry.
    pub fn take(&mut self, line: &Line) {
        match &line.entry {
            Entry::Session(session) => self.begin(session, &line.at),
            Entry::Turn { model, effort, prompt } => {
                self.cut_off();
                self.turn = InTurn::Yes;
                let effort = effort.as_ref().map(|effort| format!(", effort {effort}")).unwrap_or_default();
                self.paragraph(&format!("## {}, {}{}", plain(&line.at), plain(model), plain(&effort)));
                prompt.iter().for_each(|item| self.item(item));
            }
            Entry::Items { items, .. } => items.iter().for_each(|item| self.item(item)),
            Entry::Output { item } => self.item(item),
            Entry::TurnEnd { how } => {
                self.turn = InTurn::No;
                match how {
                    Ending::Finished => {}
                    Ending::Stopped => self.paragraph("*Stopped by the person.*"),
                    Ending::Failed => self.paragraph("*Failed.*"),
                }
            }
            Entry::Compacted { items, .. } => {
                self.paragraph("*Compacted: from here on the model was told only this of what stands above.*");
                items.iter().for_each(|item| self.item(item));
                self.paragraph("*End of what the model was told.*");
            }
            Entry::ImagesRefused | Entry::Unknown => {}
        }
    }

    /// The document.
    pub fn finish(mut self) -> String {
        self.cut_off();
        self.text
    }

    /// The document of a conversation that goes on, perhaps in the middle of a turn.
    pub fn so_far(self) -> String {
        self.text
    }

    fn begin(&mut self, session: &Session, at: &str) {
        self.paragraph(&format!("# Conversation {}", plain(&session.id)));
        let begun = format!("Begun {} in {}, sx {}.", plain(at), code(&session.directory), plain(&session.client));
        self.paragraph(&begun);
        if let Some(original) = &session.copy_of {
            self.paragraph(&format!("A copy of {}.", plain(original)));
        }
    }

    fn cut_off(&mut self) {
        if std::mem::take(&mut self.turn) == InTurn::Yes {
            self.paragraph("*Cut off by the end of the program.*");
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Message(message) => self.message(message),
            Item::Reasoning(reasoning) => self.thought(reasoning),
            Item::FunctionCall(_) | Item::CustomToolCall(_) => item.as_call().iter().for_each(|call| self.call(call)),
            Item::FunctionCallOutput(output) | Item::CustomToolCallOutput(output) => {
                self.paragraph("Output:");
                self.paragraph(&fenced("", &told(&output.output)));
            }
        }
    }

    fn message(&mut self, message: &Message) {
        let text = parts(&message.content);
        match message.role {
            Role::Assistant => self.paragraph(&closed(&text)),
            Role::User => {
                self.paragraph("**Person:**");
                self.paragraph(&quoted(&text));
            }
            Role::Developer => {
                self.paragraph("*Note to the model:*");
                self.paragraph(&quoted(&text));
            }
        }
    }

    fn thought(&mut self, reasoning: &Reasoning) {
        let texts: Vec<&str> = reasoning.summary.iter().filter_map(|part| part["text"].as_str()).collect();
        if !texts.is_empty() {
            self.paragraph("*Thought:*");
            self.paragraph(&quoted(&texts.join("\n\n")));
        }
    }

    fn call(&mut self, call: &Call) {
        self.paragraph(&format!("Tool {}:", code(&call.name)));
        let block = match &call.given {
            Given::Freeform(text) => fenced("", text),
            Given::Arguments(arguments) => match script(arguments) {
                Some(script) => fenced("sh", &script),
                None => fenced("json", arguments),
            },
        };
        self.paragraph(&block);
    }

    fn paragraph(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text.trim_end_matches('\n'));
        self.text.push('\n');
    }
}

/// Items that belong together, as part of a document.
pub fn of(items: &[Item]) -> String {
    let mut document = Document::default();
    items.iter().for_each(|item| document.item(item));
    document.finish()
}

/// A call whose one argument is a script.
fn script(arguments: &str) -> Option<String> {
    let Ok(Value::Object(members)) = serde_json::from_str(arguments) else { return None };
    let script = members.get("command").and_then(Value::as_str)?;
    (members.len() == 1).then(|| script.to_owned())
}

fn told(output: &Output) -> String {
    match output {
        Output::Text(text) => text.clone(),
        Output::Parts(content) => parts(content),
    }
}

fn parts(content: &[Content]) -> String {
    let parts: Vec<String> = content.iter().map(part).collect();
    parts.join("\n")
}

fn part(part: &Content) -> String {
    match part {
        Content::InputText { text } | Content::OutputText { text } | Content::Refusal { refusal: text } => text.clone(),
        Content::InputImage { image_url, .. } => format!("(an image, {} bytes as text)", image_url.len()),
    }
}

fn quoted(text: &str) -> String {
    text.split('\n').map(|line| format!("> {line}\n")).collect()
}

/// A block of code, whatever stands in it.
fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text, '`').max(2) + 1);
    let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}")
}

/// Code within a line.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    let room = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{room}{text}{room}{fence}")
}

/// One line of text.
fn plain(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0) / of.len_utf8()
}

/// The same with an end to a block of code that has none.
fn closed(text: &str) -> String {
    let mut open: Option<(char, usize)> = None;
    for line in text.lines() {
        let Some((mark, length, rest)) = fence(line) else { continue };
        open = match open {
            None if mark == '`' && rest.contains('`') => None,
            None => Some((mark, length)),
            Some((other, least)) if mark == other && length >= least && rest.trim().is_empty() => None,
            Some(open) => Some(open),
        };
    }
    match open {
        None => text.to_owned(),
        Some((mark, length)) => format!("{}\n{}", text.trim_end_matches('\n'), mark.to_string().repeat(length)),
    }
}

/// A line that begins or ends a block of code: its mark, how often, and what stands behind.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let text = line.trim_start_matches(' ');
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let rest = text.trim_start_matches(mark);
    let length = text.len() - rest.len();
    (length >= 3 && line.len() - text.len() <= 3).then_some((mark, length, rest))
}

#[cfg(test)]
mod tests;
