//! The person who decides about a tool: shown exactly what will happen, then asked.

use std::io::{self, Write as _};

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::terminal::capability::Colour;
use crate::terminal::keyboard;
use crate::terminal::sanitize::{sanitized, spelled_out};
use crate::tool::patch::show::{Kind, Shown};

const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// What the person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Yes, this once.
    Yes,
    /// No.
    No,
    /// Yes, and the same for the rest of the session.
    Always,
    /// No, and stop the turn.
    Stop,
}

/// What may be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choices {
    /// Yes or no.
    YesNo,
    /// Yes, no, or always.
    WithAlways,
}

/// A person at the terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) colour: Colour,
}

impl Person {
    /// Asks until there is an answer that can be understood. Nobody who says nothing has said yes.
    pub(super) fn decides(self, question: &str, choices: Choices) -> Verdict {
        let choice = match choices {
            Choices::YesNo => "yes, no",
            Choices::WithAlways => "yes, no, always",
        };
        let Ok(mut editor) = DefaultEditor::new() else { return Verdict::No };
        loop {
            // What was typed before the question was seen is no answer to it.
            if keyboard::put_away().is_err() {
                return Verdict::No;
            }
            let answer = editor.readline(&format!("{question} ({choice}) "));
            keyboard::listen();
            match answer {
                Ok(answer) => {
                    if let Some(verdict) = verdict(&answer, choices) {
                        return verdict;
                    }
                }
                Err(ReadlineError::Interrupted) => return Verdict::Stop,
                Err(ReadlineError::Eof) => return Verdict::No,
                // There is no terminal any more.
                Err(_) => return Verdict::Stop,
            }
        }
    }

    /// A command, spelled out: what is not visible in it is made visible.
    pub(super) fn sees_command(self, script: &str, place: &str, held: &str) {
        self.line(BOLD, &format!("run in {}, {}:", spelled_out(place), spelled_out(held)));
        spelled_out(script).lines().for_each(|line| self.line("", &format!("  {line}")));
    }

    /// What a patch would do.
    pub(super) fn sees_changes(self, lines: &[Shown]) {
        for Shown { kind, text } in lines {
            let style = match kind {
                Kind::File => BOLD,
                Kind::Goes => RED,
                Kind::Comes => GREEN,
                Kind::Gap => DIM,
                Kind::Stays => "",
            };
            self.line(style, &format!("{}{text}", kind.mark()));
        }
    }

    /// The end of what a command printed, and how it went.
    pub(super) fn sees_result(self, output: &str, ending: &str) {
        const MOST: usize = 8;
        let text = sanitized(output);
        let lines: Vec<&str> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(MOST)..];
        if shown.len() < lines.len() {
            self.line(DIM, &format!("  ({} lines above are not shown)", lines.len() - shown.len()));
        }
        shown.iter().for_each(|line| self.line(DIM, &format!("  {line}")));
        self.line(DIM, &format!("  [{}]", spelled_out(ending)));
    }

    /// A line of ours.
    pub(super) fn sees(self, text: &str) {
        sanitized(text).lines().for_each(|line| self.line("", line));
    }

    /// Who cannot read it will not answer either.
    fn line(self, style: &str, text: &str) {
        let (begin, end) = if self.colour == Colour::None || style.is_empty() { ("", "") } else { (style, PLAIN) };
        let _ = writeln!(io::stdout(), "{begin}{text}{end}");
    }
}

fn verdict(answer: &str, choices: Choices) -> Option<Verdict> {
    match (answer.trim().to_lowercase().as_str(), choices) {
        ("y" | "yes", _) => Some(Verdict::Yes),
        ("n" | "no", _) => Some(Verdict::No),
        ("a" | "always", Choices::WithAlways) => Some(Verdict::Always),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_word_is_an_answer() {
        let with_always = |answer| verdict(answer, Choices::WithAlways);
        assert_eq!([with_always("y"), with_always(" YES ")], [Some(Verdict::Yes); 2]);
        assert_eq!([with_always("n"), with_always("No")], [Some(Verdict::No); 2]);
        assert_eq!(with_always("a"), Some(Verdict::Always));
        assert_eq!(verdict("always", Choices::YesNo), None);
        for unclear in ["", "yes please", "ja", "1", "q"] {
            assert_eq!(with_always(unclear), None, "{unclear:?}");
        }
    }
}
