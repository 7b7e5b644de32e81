//! How what a turn changed is taken back: all of it or nothing, and never over what somebody else has changed since.

use std::collections::BTreeMap;
use std::io;

use super::Changes;
use super::listing::Kept;
use super::record::{Changed, Record, now, state_of};
use super::store::Store;
use crate::tool::patch::directory::Directory;
use crate::tool::patch::path::RelativePath;
use crate::tool::patch::{Change, Rejection};

/// What happens to files that were changed since the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicts {
    /// Nothing is taken back as long as there is one, or when nothing can be.
    Refuse,
    /// They stay as they are; the others, if any, are taken back.
    LeaveAlone,
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TakenBack {
    /// Files that are as they were before the turn, each with what was done: `A` it is there again, `M` its content or
    /// mode is the old one, `D` it is gone again.
    pub files: Vec<(char, String)>,
    /// Changed since, and left alone.
    pub left: Vec<String>,
    /// Changed by the turn, and what was in them is not known.
    pub beyond: Vec<String>,
}

/// Why the turn was not taken back.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// These were changed since the turn.
    #[error("changed since that turn: {}", .0.join(", "))]
    ChangedSince(Vec<String>),
    /// What was kept cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Nothing of what the turn changed is known.
    #[error("changed by a script, not known how: {}", .0.join(", "))]
    Beyond(Vec<String>),
    /// The files could not be changed, or not all of them.
    #[error("{0}")]
    NotDone(Rejection),
}

/// What has to be done to take a turn back.
#[derive(Debug)]
pub struct WayBack {
    changes: Vec<Change>,
    pub(super) taken: TakenBack,
}

impl WayBack {
    /// To be made, all or none.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

/// The way back from the turn.
pub(super) fn way_back(
    turn: &Record,
    files: &Directory,
    store: &Store,
    conflicts: Conflicts,
) -> Result<WayBack, Refused> {
    let (mut changes, mut taken) = (Vec::new(), TakenBack::default());
    for (path, changed) in &turn.files {
        match now(path, files) {
            Ok(now) if state_of(&now) == changed.after => {
                let after = changed.before.map(|kept| store.read(kept.content)).transpose()?;
                let mode = changed.before.map(|kept| kept.mode);
                let before = now.map(|found| found.bytes);
                changes.push(Change { path: path.clone(), before, after, moved_from: None, mode });
                taken.files.push((deed(changed), path.to_string()));
            }
            Ok(_) | Err(_) => taken.left.push(path.to_string()),
        }
    }
    if !taken.left.is_empty() && conflicts == Conflicts::Refuse {
        return Err(Refused::ChangedSince(taken.left));
    }
    taken.beyond.extend(turn.beyond.iter().cloned());
    if changes.is_empty() && conflicts == Conflicts::Refuse {
        return Err(Refused::Beyond(taken.beyond));
    }
    Ok(WayBack { changes, taken })
}

fn deed(changed: &Changed) -> char {
    match (changed.before, changed.after) {
        (Some(_), None) => 'A',
        (None, _) => 'D',
        (Some(_), Some(_)) => 'M',
    }
}

/// From how things were before the first of these turns to how they are now.
pub(super) fn changes(turns: &[Record], files: &Directory, store: &Store) -> io::Result<Changes> {
    let mut before: BTreeMap<&RelativePath, Option<Kept>> = BTreeMap::new();
    for (path, changed) in turns.iter().flat_map(|turn| &turn.files) {
        before.entry(path).or_insert(changed.before);
    }
    let mut changes = Changes::default();
    for (path, before) in before {
        let now = match now(path, files) {
            Ok(found) => found,
            Err(error) => {
                changes.beyond.push(error.to_string());
                continue;
            }
        };
        let was = before.map(|kept| kept.mode);
        let mode = was.zip(now.as_ref().map(|found| found.mode.bits())).filter(|(was, is)| was != is);
        let before = before.map(|kept| store.read(kept.content)).transpose()?;
        let now = now.map(|found| found.bytes);
        if before != now || mode.is_some() {
            changes.modes.extend(mode.map(|mode| (path.clone(), mode)));
            changes.changes.push(Change { path: path.clone(), before, after: now, moved_from: None, mode: None });
        }
    }
    changes.beyond.extend(turns.iter().flat_map(|turn| turn.beyond.iter().cloned()));
    Ok(changes)
}
