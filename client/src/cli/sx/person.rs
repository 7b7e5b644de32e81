//! The person who decides about a tool: shown exactly what will happen, then asked.

use std::io::{self, Write as _};

use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use super::typed::NAME;
use crate::terminal::capability::Colour;
use crate::terminal::keyboard;
use crate::terminal::sanitize::{sanitized, spelled_out};
use crate::tool::approval::Person as Presence;
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

/// Who looks on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Person {
    /// A person at the terminal.
    Present {
        /// In which what they see may be shown.
        colour: Colour,
    },
    /// Nobody who could be asked. What happens is said on standard error, a line each.
    Absent,
}

impl Person {
    /// Whether there is somebody to ask.
    pub(super) fn presence(self) -> Presence {
        match self {
            Self::Present { .. } => Presence::Present,
            Self::Absent => Presence::Absent,
        }
    }

    /// Asks until there is an answer that can be understood. Nobody who says nothing has said yes.
    pub(super) fn decides(self, question: &str, choices: Choices) -> Verdict {
        let choice = match choices {
            Choices::YesNo => "yes, no",
            Choices::WithAlways => "yes, no, always",
        };
        if matches!(self, Self::Absent) {
            return Verdict::No;
        }
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
        let where_and_how = headline(place, held);
        match self {
            Self::Absent => note(&format!("{where_and_how} {}", in_one_line(script))),
            Self::Present { .. } => {
                self.line(BOLD, &where_and_how);
                spelled_out(script).lines().for_each(|line| self.line("", &format!("  {line}")));
            }
        }
    }

    /// Why the model wants more for the next command than it has otherwise: its own words, and no more than a few.
    pub(super) fn sees_reason(self, why: &str) {
        let why = if why.trim().is_empty() { "(nothing)".to_owned() } else { in_one_line(why) };
        self.line(BOLD, &format!("the model wants a network for this, and says why: {why}"));
    }

    /// What does not happen, and why.
    pub(super) fn sees_refusal(self, what: &str, why: &str) {
        match self {
            Self::Absent => note(&format!("refused: {}: {why}", in_one_line(what))),
            Self::Present { .. } => {
                spelled_out(what).lines().for_each(|line| self.line("", &format!("  {line}")));
                self.line(DIM, &format!("  [{why}]"));
            }
        }
    }

    /// What a patch would do.
    pub(super) fn sees_changes(self, lines: &[Shown]) {
        if matches!(self, Self::Absent) {
            let files = lines.iter().filter(|line| line.kind == Kind::File).map(|line| line.text.as_str());
            return note(&format!("change {}", files.collect::<Vec<_>>().join(", ")));
        }
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
        if matches!(self, Self::Absent) {
            return;
        }
        let text = sanitized(output);
        let lines: Vec<&str> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(MOST)..];
        if shown.len() < lines.len() {
            self.line(DIM, &format!("  ({} lines above are not shown)", lines.len() - shown.len()));
        }
        shown.iter().for_each(|line| self.line(DIM, &format!("  {}", cut(line))));
        self.line(DIM, &format!("  [{}]", spelled_out(ending)));
    }

    /// A line of ours.
    pub(super) fn sees(self, text: &str) {
        match self {
            Self::Absent => {}
            Self::Present { .. } => sanitized(text).lines().for_each(|line| self.line("", line)),
        }
    }

    /// Who cannot read it will not answer either.
    fn line(self, style: &str, text: &str) {
        let is_plain = style.is_empty() || !matches!(self, Self::Present { colour } if colour != Colour::None);
        let (begin, end) = if is_plain { ("", "") } else { (style, PLAIN) };
        let _ = writeln!(io::stdout(), "{begin}{text}{end}");
    }
}

/// One line: what stands below it is what runs, and nothing that the model wrote may look like that.
fn headline(place: &str, held: &str) -> String {
    format!("run in {}, {}:", in_one_line(place), in_one_line(held))
}

/// A line for who reads the log of a run.
fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{NAME}: {text}");
}

/// As much of a text as a line may hold; its line feeds are spelled out too.
fn in_one_line(text: &str) -> String {
    cut(&spelled_out(text).replace('\n', "\\n"))
}

/// As much of a line as is shown of one.
fn cut(line: &str) -> String {
    const MOST: usize = 400;
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}... ({} more bytes)", &line[..at], line.len() - at),
        None => line.to_owned(),
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
    fn a_line_is_one_line_and_not_endless() {
        assert_eq!(in_one_line("a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        let long = in_one_line(&"é".repeat(500));
        assert!(long.ends_with("é... (200 more bytes)"), "{long}");
    }

    #[test]
    fn a_headline_is_one_line_whatever_the_model_named() {
        let held = "held, as input of session 1: cat\nrun in /p:\n  ls";
        assert_eq!(headline("/p\nq", held), r"run in /p\nq, held, as input of session 1: cat\nrun in /p:\n  ls:");
    }

    #[test]
    fn a_long_line_of_output_is_cut() {
        let shown = cut(&"x".repeat(1_000_000));
        assert!(shown.ends_with("x... (999600 more bytes)") && shown.len() < 500, "{}", shown.len());
        assert_eq!(cut("a\tb"), "a\tb");
    }

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
