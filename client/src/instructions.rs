//! What the person and a project ask of every conversation: `AGENTS.md` files.
//!
//! * [`search`]: where they may lie. * [`reading`]: one of them, bounded, through no link that leads elsewhere.
//! * [`context`]: how the model is told of them, and of where it works.
//!
//! Whoever writes a repository writes its instructions. They are text for the model and nothing else: no setting, no
//! command, no approval and no boundary of the sandbox is read from them.

pub mod context;
mod reading;
mod search;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use self::reading::Head;
use self::search::Candidate;
use crate::settings::Surroundings;
use crate::talk::Talk;

/// The name of each of the files.
pub const FILE_NAME: &str = "AGENTS.md";
/// What all of them together may hold, in bytes.
pub const MOST: usize = 32 * 1024;

/// Whose word they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The person's own, for every project.
    Person,
    /// Whoever writes the project.
    Project,
}

/// One file of instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Whose word it is.
    pub author: Author,
    /// Which file, for people and for the model: below the project, or a whole path.
    pub name: String,
    /// What it says.
    pub text: String,
    /// Whether that is all.
    pub extent: Extent,
}

/// How much of a file is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its beginning.
    Cut,
}

/// All that hold for a directory: the person's own, then the project's, nearest last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instructions {
    found: Vec<Instruction>,
}

impl Instructions {
    /// Reads them. What is `hidden` from the model's commands is not told to it this way either. What is not read, or
    /// not to its end, is said.
    pub fn gather(surroundings: &Surroundings<'_>, hidden: &[PathBuf], talk: &mut Talk) -> Self {
        let mut left = MOST;
        let mut found = Vec::new();
        // Who is read first is cut last: the person, then the nearest.
        for candidate in search::by_weight(surroundings) {
            match reading::head(&candidate, hidden, left) {
                Ok(None) => {}
                Ok(Some(head)) => {
                    // What was cut has used up the room, were it only for half a character.
                    left = if head.left_out > 0 { 0 } else { left - head.bytes };
                    say_what_is_left_out(&candidate, &head, talk);
                    found.extend(instruction(candidate, head));
                }
                Err(why) => talk.warn(format!("instructions: {} is not read: {why}", candidate.name)),
            }
        }
        let persons = found.iter().take_while(|found| found.author == Author::Person).count();
        found[persons..].reverse();
        Self { found }
    }

    /// In the order in which they are told.
    pub fn all(&self) -> &[Instruction] {
        &self.found
    }

    /// One line for the person; `None` when there are none.
    pub fn line(&self) -> Option<String> {
        let names: Vec<&str> = self.found.iter().map(|found| found.name.as_str()).collect();
        (!names.is_empty()).then(|| format!("instructions: {}", names.join(", ")))
    }
}

fn instruction(candidate: Candidate, head: Head) -> Option<Instruction> {
    let extent = if head.left_out == 0 { Extent::Whole } else { Extent::Cut };
    let Candidate { author, name, .. } = candidate;
    (!head.text.trim().is_empty()).then_some(Instruction { author, name, text: head.text, extent })
}

fn say_what_is_left_out(candidate: &Candidate, head: &Head, talk: &mut Talk) {
    let (name, most) = (&candidate.name, MOST / 1024);
    match (head.left_out, head.bytes) {
        (0, _) => {}
        (_, 0) => talk.warn(format!("instructions: {name} is left out: all files together may have {most} KiB")),
        (_, bytes) => talk.warn(format!(
            "instructions: the model is told only the first {bytes} bytes of {name}: all files together may have {most} KiB"
        )),
    }
}
