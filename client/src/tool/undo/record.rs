//! What one turn changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::as_io;
use super::listing::{Kept, Listing};
use super::store::{ContentId, Store};
use crate::tool::patch::Change;
use crate::tool::patch::directory::{Directory, Found};
use crate::tool::patch::path::RelativePath;

/// What one turn changed, by path.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) files: BTreeMap<RelativePath, Changed>,
    /// Changed too, but what was in them is not known.
    pub(super) beyond: BTreeSet<String>,
    /// Made by the turn.
    pub(super) directories: BTreeSet<RelativePath>,
}

/// A file before and after a turn; `None` where there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) before: Option<Kept>,
    pub(super) after: Option<Kept>,
}

impl Record {
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.beyond.is_empty()
    }

    /// This file will be changed. Only the first change of a turn knows what was there before.
    pub(super) fn will_change(&mut self, change: &Change, files: &Directory, store: &Store) -> io::Result<()> {
        if self.files.contains_key(&change.path) {
            return Ok(());
        }
        let before = match now(&change.path, files)? {
            Some(found) => Some(Kept { content: store.keep(&found.bytes)?, mode: found.mode.bits() }),
            None => None,
        };
        if before.is_none() {
            self.will_make_directories(&change.path, files);
        }
        self.files.insert(change.path.clone(), Changed { before, after: None });
        Ok(())
    }

    /// What scripts did between two looks at the project.
    pub(super) fn take_difference(&mut self, before: &Listing, after: &Listing) {
        let paths: BTreeSet<&RelativePath> = before.files.keys().chain(after.files.keys()).collect();
        for path in paths {
            let (then, now) = (before.files.get(path).copied(), after.files.get(path).copied());
            // What was in it before the turn is known from a patch that came before the script, or from here.
            let was_no_file = then.is_none() && before.others.contains_key(&path.to_string());
            if then != now && !was_no_file {
                self.files.entry(path.clone()).or_insert(Changed { before: then, after: now });
            }
        }
        let others: BTreeSet<&String> = before.others.keys().chain(after.others.keys()).collect();
        let changed = others.into_iter().filter(|name| before.others.get(*name) != after.others.get(*name));
        self.beyond.extend(changed.cloned());
        self.directories.extend(after.directories.difference(&before.directories).cloned());
    }

    /// The turn is over: what stands there now is what it left. What is as it was before has not changed.
    pub(super) fn settle(&mut self, files: &Directory) {
        let beyond = &mut self.beyond;
        self.files.retain(|path, changed| match now(path, files) {
            Ok(found) => {
                changed.after = state_of(&found);
                changed.before != changed.after
            }
            // It is a link by now, or has a second name: it must not keep the others from being taken back.
            Err(_) => {
                beyond.insert(path.to_string());
                false
            }
        });
    }

    /// What must be kept for the way back.
    pub(super) fn contents(&self) -> impl Iterator<Item = ContentId> {
        self.files.values().filter_map(|changed| changed.before).map(|kept| kept.content)
    }

    fn will_make_directories(&mut self, path: &RelativePath, files: &Directory) {
        let path = path.to_string();
        let parents = path.match_indices('/').filter_map(|(at, _)| RelativePath::parse(&path[..at]).ok());
        self.directories.extend(parents.filter(|parent| !files.has_directory(parent)));
    }
}

/// What stands there now. An error: something that is no file of the usual kind.
pub(super) fn now(path: &RelativePath, files: &Directory) -> io::Result<Option<Found>> {
    files.find(path).map_err(as_io)
}

pub(super) fn state_of(found: &Option<Found>) -> Option<Kept> {
    found.as_ref().map(|found| Kept { content: ContentId::of(&found.bytes), mode: found.mode.bits() })
}
