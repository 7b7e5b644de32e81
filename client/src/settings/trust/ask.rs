//! Asking a person at a terminal whether a project's file is to be trusted.

use std::io::{self, BufRead, IsTerminal, Write};

use super::Claim;
use crate::failure::{Failure, visible_in_full};
use crate::settings::catalog::Entry;
use crate::settings::written::WrittenValue;

/// Stands for a value that is never shown.
pub const MASK: &str = "(secret, not shown)";
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 64;

/// What a person must see before the answer: each setting in its line, secrets masked, nothing that a terminal obeys.
fn lines(claim: &Claim<'_>) -> Vec<String> {
    let line = |value: &&WrittenValue| format!("    {}={}", value.key.as_str(), shown(value));
    claim.values.iter().map(line).collect()
}

/// A value as it may be shown: whole, but nothing that a terminal obeys, and no secret.
pub fn shown(value: &WrittenValue) -> String {
    if Entry::of(value.key).is_secret() { MASK.to_owned() } else { visible_in_full(&value.text) }
}

/// Whether there is a person to ask.
pub fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks where stdin and stderr are a terminal; anywhere else the answer is no. `was_trusted`: with other content.
pub fn on_terminal(claim: &Claim<'_>, was_trusted: bool) -> Result<bool, Failure> {
    if !is_possible() {
        return Ok(false);
    }
    let question = format!("{}\nTrust it? Only if you know who wrote it. [y/N] ", description(claim, was_trusted));
    ask(&question, &mut io::stdin().lock(), &mut io::stderr().lock())
}

/// What would be trusted.
pub fn description(claim: &Claim<'_>, was_trusted: bool) -> String {
    let path = visible_in_full(&claim.file.path.display().to_string());
    let changed = if was_trusted { " has changed since it was trusted; it" } else { "" };
    format!("{path}{changed} says where secrets go or what is run:\n{}", lines(claim).join("\n"))
}

/// Puts a question; only `y` or `yes` is one.
pub fn ask(question: &str, input: &mut dyn BufRead, output: &mut dyn Write) -> Result<bool, Failure> {
    let broken = |error: io::Error| Failure::configuration(format!("the question cannot be asked: {error}"));
    output.write_all(question.as_bytes()).and_then(|()| output.flush()).map_err(broken)?;
    let mut answer = String::new();
    io::Read::take(input, LONGEST_ANSWER).read_line(&mut answer).map_err(broken)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for (answer, expected) in [("y\n", true), ("YES\n", true), ("\n", false), ("", false), ("yess\n", false)] {
            let mut asked = Vec::new();
            assert_eq!(ask("Trust? ", &mut answer.as_bytes(), &mut asked).unwrap(), expected, "{answer:?}");
            assert_eq!(asked, b"Trust? ");
        }
    }
}
