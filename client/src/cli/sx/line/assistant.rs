//! What the line editor asks us while somebody types: completions, hints, how they look.

use std::borrow::Cow;
use std::cell::Cell;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::entering::is_open;
use super::offers::{Offers, command_before};
use crate::cli::sx::command::COMMANDS;
use crate::terminal::capability::Colour;

const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";
/// The prompt while a block is open, as wide as the other one.
const PROMPT_IN_BLOCK: &str = "` ";
const BLOCK_IS_OPEN: &str = "  [``` is open: Enter adds a line; three times sends]";

/// Who helps with a line.
pub(super) struct Assistant<'a> {
    pub(super) offers: Offers<'a>,
    pub(super) colour: Colour,
    /// What the line was when it was last looked at.
    pub(super) state: Cell<State>,
}

/// What is typed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Nothing,
    Something,
    OpenBlock,
}

impl Completer for Assistant<'_> {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, words) = self.offers.completions(&line[..position]);
        Ok((start, words.into_iter().map(|(display, replacement)| Pair { display, replacement }).collect()))
    }
}

/// Shown behind the line; only what completes it is taken over with the right arrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hint {
    shown: String,
    completion: Option<String>,
}

impl rustyline::hint::Hint for Hint {
    fn display(&self) -> &str {
        &self.shown
    }

    fn completion(&self) -> Option<&str> {
        self.completion.as_deref()
    }
}

impl Hinter for Assistant<'_> {
    type Hint = Hint;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<Hint> {
        let state = match line {
            "" => State::Nothing,
            line if is_open(line) => State::OpenBlock,
            _ => State::Something,
        };
        self.state.set(state);
        let for_line = || if state == State::OpenBlock { Some(remark(BLOCK_IS_OPEN)) } else { hint(line) };
        // Without dim letters a hint would look typed; in brackets it does not.
        let is_readable = |hint: &Hint| self.colour != Colour::None || hint.shown.trim_start().starts_with('[');
        for_line().filter(is_readable).filter(|_| position == line.len())
    }
}

/// The rest of a command's name, or what it takes.
fn hint(line: &str) -> Option<Hint> {
    if let Some((row, argument)) = command_before(line) {
        let is_wanted = argument.is_empty() && !row.argument.is_empty();
        return is_wanted.then(|| remark(row.argument));
    }
    let name = line.strip_prefix('/').filter(|name| !name.is_empty())?;
    let mut rows = COMMANDS.iter().filter(|row| row.names.iter().any(|known| known.starts_with(name)));
    let row = rows.next().filter(|_| rows.next().is_none())?;
    let rest = row.names.iter().find_map(|known| known.strip_prefix(name))?;
    let shown = format!("{rest} {}", row.argument);
    let completion = if rest.is_empty() { None } else { Some(rest.to_owned()) };
    Some(Hint { shown: shown.trim_end().to_owned(), completion }).filter(|hint| !hint.shown.is_empty())
}

fn remark(text: &str) -> Hint {
    Hint { shown: text.to_owned(), completion: None }
}

impl Highlighter for Assistant<'_> {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, default: bool) -> Cow<'b, str> {
        if default && self.state.get() == State::OpenBlock { PROMPT_IN_BLOCK.into() } else { prompt.into() }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        format!("{DIM}{hint}{PLAIN}").into()
    }
}

impl Validator for Assistant<'_> {}

impl Helper for Assistant<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_hinted_at_once_it_is_the_only_one() {
        let shown = |line: &str| hint(line).map(|hint| (hint.shown, hint.completion));
        assert_eq!(shown("/ap"), Some(("provals [MODE]".into(), Some("provals".into()))));
        assert_eq!(shown("/approvals"), Some((" [MODE]".into(), None)));
        assert_eq!(shown("/approvals "), Some(("[MODE]".into(), None)));
        assert_eq!(shown("/help"), None);
        for none in ["", "/", "why", "/us", "/approvals ask", "/etc/passwd"] {
            assert_eq!(shown(none), None, "{none:?}");
        }
    }
}
