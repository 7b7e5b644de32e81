//! What each turn changed below the workspace, so that it can be shown and taken back.
//!
//! A patch says what it changes; a script does not. So before a turn's first script all files of the project are looked
//! at, and what is not known yet is copied; after the turn they are looked at again. Files that git ignores, `.git`, links
//! and files with several names are not covered, and neither is a project beyond the [`listing`]'s bounds.
//!
//! * [`store`]: contents, kept outside the workspace. * [`listing`]: all files of a project, and what was in them.
//! * [`record`]: what one turn changed. * [`back`]: how it is taken back.

mod back;
mod listing;
mod record;
mod store;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

pub use self::back::{Conflicts, Refused, TakenBack, WayBack};
pub use self::listing::TooLarge;
use self::listing::{Known, Listing};
use self::record::Record;
use self::store::Store;
use super::patch::directory::Directory;
use super::patch::show::Modes;
use super::patch::{Change, Plan, Rejection};
use crate::clock::Clock;

/// So many turns can be taken back, one after the other.
const MOST_TURNS: usize = 10;

/// What the turns of a conversation changed.
pub struct Undo<'a> {
    workspace: PathBuf,
    files: Directory,
    clock: &'a dyn Clock,
    store: Option<Store>,
    known: Known,
    coverage: Coverage,
    turn: Record,
    /// How the project stood before the first script of this turn.
    before_scripts: Option<Listing>,
    turns: Vec<Record>,
}

/// Which changes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coverage {
    All,
    /// Not those of scripts: the project is too large, or it is none.
    Patches,
    /// Nobody could take anything back.
    Nothing,
}

/// Which changes are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Those of the last turn that changed anything.
    LastTurn,
    /// Those of all turns that are known.
    All,
}

/// What changed, and what cannot be told of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// From how it was to how it is now.
    pub changes: Vec<Change>,
    /// Those of them that have other permission bits than before.
    pub modes: Modes,
    /// These changed too, but what was in them is not known.
    pub beyond: Vec<String>,
}

impl<'a> Undo<'a> {
    /// Nothing has changed yet. `files` are those of the workspace.
    pub fn new(workspace: &Path, files: Directory, clock: &'a dyn Clock) -> Self {
        Self {
            workspace: workspace.to_owned(),
            files,
            clock,
            store: None,
            known: Known::default(),
            coverage: Coverage::All,
            turn: Record::default(),
            before_scripts: None,
            turns: Vec::new(),
        }
    }

    /// From here on only patches can be taken back: what scripts could change is more than a project.
    pub fn leave_scripts_alone(&mut self) {
        self.coverage = Coverage::Patches;
    }

    /// From here on nothing is kept: there is nobody who could take it back.
    pub fn cover_nothing(&mut self) {
        self.coverage = Coverage::Nothing;
    }

    /// From here on nothing has changed yet.
    pub fn forget(&mut self) {
        self.turns.clear();
        self.turn = Record::default();
        self.before_scripts = None;
        self.known = Known::default();
        self.store = None;
    }

    /// A patch will be applied. What it changes is kept first.
    pub fn before_patch(&mut self, plan: &Plan) -> io::Result<()> {
        if self.coverage == Coverage::Nothing {
            return Ok(());
        }
        let store = opened(&mut self.store)?;
        plan.changes.iter().try_for_each(|change| self.turn.will_change(change, &self.files, store))
    }

    /// A script will run; the first one of a turn finds the project looked at. The error is said once: from then on
    /// scripts are not followed.
    pub fn before_script(&mut self) -> Result<(), TooLarge> {
        if self.coverage != Coverage::All || self.before_scripts.is_some() {
            return Ok(());
        }
        let looked = opened(&mut self.store)
            .map_err(|error| TooLarge::Unkept(error.to_string()))
            .and_then(|store| Listing::take(&self.workspace, &self.files, &mut self.known, store, self.clock));
        match looked {
            Ok(listing) => self.before_scripts = Some(listing),
            Err(why) => {
                self.coverage = Coverage::Patches;
                return Err(why);
            }
        }
        Ok(())
    }

    /// The turn is over, however it ended. The error: what its scripts changed is not known.
    pub fn end_turn(&mut self) -> Result<(), TooLarge> {
        let mut turn = std::mem::take(&mut self.turn);
        let mut looked = Ok(());
        if let (Some(before), Some(store)) = (self.before_scripts.take(), &self.store) {
            match Listing::take(&self.workspace, &self.files, &mut self.known, store, self.clock) {
                Ok(after) => turn.take_difference(&before, &after),
                Err(why) => {
                    self.coverage = Coverage::Patches;
                    looked = Err(why);
                }
            }
        }
        turn.settle(&self.files);
        if !turn.is_empty() {
            self.turns.push(turn);
            let too_many = self.turns.len().saturating_sub(MOST_TURNS);
            self.turns.drain(..too_many);
        }
        self.forget_the_unneeded();
        looked
    }

    /// Removes the contents that no turn and no later look needs.
    fn forget_the_unneeded(&mut self) {
        if self.coverage != Coverage::All {
            self.known = Known::default();
        }
        let Some(store) = &self.store else { return };
        let records = self.turns.iter().chain([&self.turn]).flat_map(Record::contents);
        let listed = self.before_scripts.iter().flat_map(Listing::contents);
        store.keep_only(&records.chain(listed).chain(self.known.contents()).collect());
    }

    /// What changed, as it stands now.
    pub fn changes(&self, span: Span) -> io::Result<Changes> {
        let turns = match span {
            Span::LastTurn => &self.turns[self.turns.len().saturating_sub(1)..],
            Span::All => &self.turns,
        };
        match &self.store {
            Some(store) => back::changes(turns, &self.files, store),
            None => Ok(Changes::default()),
        }
    }

    /// How the last turn that changed anything can be taken back. `None`: there is no such turn.
    pub fn way_back(&self, conflicts: Conflicts) -> Option<Result<WayBack, Refused>> {
        Some(back::way_back(self.turns.last()?, &self.files, self.store.as_ref()?, conflicts))
    }

    /// Its changes, if any, were made: that turn is no more.
    pub fn went_back(&mut self, way: WayBack) -> TakenBack {
        let turn = self.turns.pop();
        // Where nothing is taken back, its directories stay too.
        if let Some(turn) = turn.filter(|_| !way.changes().is_empty()) {
            // The innermost first; what has something in it stays.
            turn.directories.iter().rev().for_each(|directory| self.files.remove_empty(directory));
        }
        self.forget_the_unneeded();
        way.taken
    }
}

/// Made when it is needed for the first time: most conversations change nothing.
fn opened(store: &mut Option<Store>) -> io::Result<&Store> {
    if store.is_none() {
        *store = Some(Store::make(&std::env::temp_dir())?);
    }
    Ok(store.as_ref().expect("it was just made when it was not there"))
}

fn as_io(rejection: Rejection) -> io::Error {
    io::Error::other(rejection.to_string())
}
