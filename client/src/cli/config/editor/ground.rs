//! What the editor starts from: every setting as it stands, and the files that it may change.

use std::path::{Path, PathBuf};

use super::field::{Candidate, Field, Rank};
use crate::settings::catalog::Entry;
use crate::settings::key::Key;
use crate::settings::places::Level;
use crate::settings::tier::Tier;
use crate::settings::written::{Origin, Written, WrittenValue};

/// A file that can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedFile {
    /// Whose.
    pub level: Level,
    /// How strong its values are.
    pub rank: Rank,
    /// Where; it need not exist yet.
    pub path: PathBuf,
}

/// A project's file that says where secrets go, and that nobody has trusted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untrusted {
    /// Which.
    pub path: PathBuf,
    /// Its assignments that need trust, in full; nothing in them is a secret or obeyed by a terminal.
    pub assignments: Vec<String>,
}

/// Everything as it stands.
#[derive(Clone)]
pub struct Ground {
    /// Every setting, in the order in which they are shown.
    pub fields: Vec<Field>,
    /// The files that can be changed; at least one.
    pub files: Vec<EditedFile>,
    /// Set while a project's file waits for trust.
    pub untrusted: Option<Untrusted>,
    /// Stands as `~` in what is shown.
    pub home: Option<PathBuf>,
    /// What a person should know of the files.
    pub remarks: Vec<String>,
}

impl Ground {
    /// A path as people write it.
    pub fn shown_path(&self, path: &Path) -> String {
        match self.home.as_ref().and_then(|home| path.strip_prefix(home).ok()) {
            Some(rest) => format!("~/{}", rest.display()),
            None => path.display().to_string(),
        }
    }

    /// The place of a value as a sentence names it.
    pub fn shown_place(&self, origin: &Origin) -> String {
        match origin {
            Origin::File { path, line, .. } => format!("{}, line {line}", self.shown_path(path)),
            Origin::Environment => "the environment".to_owned(),
        }
    }

    /// The field of a key.
    pub fn field(&self, key: Key) -> Option<&Field> {
        self.fields.iter().find(|field| field.key() == key)
    }
}

/// Every setting with all that was written for it. `order`: the settings files, the weakest first.
pub fn fields(written: &Written, order: &[PathBuf]) -> Vec<Field> {
    let candidate = |value: &WrittenValue| Candidate {
        rank: rank_of(&value.origin, order),
        origin: value.origin.clone(),
        text: value.text.clone(),
    };
    let field =
        |key: &Key| Field { entry: Entry::of(*key), candidates: written.candidates(*key).map(candidate).collect() };
    Key::ALL.iter().map(field).collect()
}

/// How strong a file is among `order`.
pub fn rank_of_file(path: &Path, order: &[PathBuf]) -> Rank {
    let place = order.iter().position(|file| file == path);
    Rank(place.and_then(|place| u16::try_from(place).ok()).unwrap_or(0))
}

fn rank_of(origin: &Origin, order: &[PathBuf]) -> Rank {
    match origin {
        Origin::File { tier: Tier::Profile, .. } => Rank(u16::MAX - 1),
        Origin::File { path, .. } => rank_of_file(path, order),
        Origin::Environment => Rank(u16::MAX),
    }
}
