//! What the person may type.

use super::After;
use super::voice::say;
use crate::cli::sx::command::{COMMANDS, nearest};
use crate::talk::Talk;

const WIDTH: usize = 80;
/// Where the texts begin.
const INDENT: usize = 29;

/// How a line is typed, for who has never typed one here.
const KEYS: [&str; 6] = [
    "Enter sends; a backslash at the end, Alt-Enter or Ctrl-J begin another line, and so does Enter in a ``` block",
    "Tab completes commands, what they take, and names of files (@src/ma or src/ma)",
    "Up and Ctrl-R find what was entered before, in earlier conversations too; a line that begins with a space is not kept",
    "What is pasted is one prompt and waits for Enter",
    "What is typed while an answer comes is read when it has ended",
    "Ctrl-C stops an answer, takes back a line, and twice leaves; Ctrl-D leaves; Ctrl-Z goes to the shell, fg comes back",
];

/// `/help`.
pub(super) fn help() {
    for row in COMMANDS {
        wrapped(&format!("{:<indent$} {}", row.usage(), row.text, indent = INDENT - 1), INDENT)
            .iter()
            .for_each(|line| say(line));
    }
    KEYS.iter().flat_map(|line| wrapped(line, 2)).for_each(|line| say(&line));
}

/// Lines that fit every terminal, all but the first moved in.
fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    // Spaces in a row are the space between columns.
    for word in text.split_inclusive(' ') {
        let line = lines.last_mut().expect("there is one from the beginning");
        if line.len() + word.trim_end().len() < WIDTH || line.trim().is_empty() {
            line.push_str(word);
        } else {
            lines.push(format!("{}{word}", " ".repeat(indent)));
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// A word with a slash that is none of ours.
pub(super) fn no_such_command(name: &str, talk: &mut Talk) -> After {
    let instead = nearest(name).map_or("/help says what there is".to_owned(), |near| format!("is /{near} meant?"));
    talk.warn(format!("there is no /{name}; {instead}"));
    After::GoOn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_fits_a_narrow_terminal() {
        for row in COMMANDS {
            let lines = wrapped(&format!("{:<28} {}", row.usage(), row.text), INDENT);
            assert!(lines.iter().all(|line| line.len() < WIDTH), "{lines:?}");
            assert!(lines[1..].iter().all(|line| line.starts_with(&" ".repeat(INDENT))), "{lines:?}");
        }
        assert!(KEYS.iter().flat_map(|line| wrapped(line, 2)).all(|line| line.len() < WIDTH));
    }
}
