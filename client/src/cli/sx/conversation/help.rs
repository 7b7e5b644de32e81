//! What the person may type.

use super::After;
use super::voice::say;
use crate::cli::sx::command::COMMANDS;
use crate::talk::Talk;

/// `/help`.
pub(super) fn help() {
    COMMANDS.iter().for_each(|row| say(&format!("{:<26} {}", row.usage(), row.text)));
}

/// A word with a slash that is none of ours.
pub(super) fn no_such_command(name: &str, talk: &mut Talk) -> After {
    talk.warn(format!("there is no /{name}; /help says what there is"));
    After::GoOn
}
