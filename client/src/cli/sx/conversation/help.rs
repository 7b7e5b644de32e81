//! What the person may type.

use super::After;
use super::voice::say;
use crate::cli::sx::command::{COMMANDS, nearest};
use crate::talk::Talk;

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
    COMMANDS.iter().for_each(|row| say(&format!("{:<27} {}", row.usage(), row.text)));
    KEYS.iter().for_each(|line| say(line));
}

/// A word with a slash that is none of ours.
pub(super) fn no_such_command(name: &str, talk: &mut Talk) -> After {
    let instead = nearest(name).map_or("/help says what there is".to_owned(), |near| format!("is /{near} meant?"));
    talk.warn(format!("there is no /{name}; {instead}"));
    After::GoOn
}
