//! Where instructions may lie: beside the person's own settings, and in the directories of the project.
//!
//! A project's directories are those from its root, the nearest directory with a `.git`, down to the working directory.
//! Without a `.git` only the working directory counts, and from within the home directory nothing above it ever does.
//! Neither does a root that belongs to another user: what somebody left in a shared parent is not the project's.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::{Author, FILE_NAME};
use crate::settings::{Surroundings, user_directory};

/// A place where instructions may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) author: Author,
    pub(super) path: PathBuf,
    /// For people and for the model.
    pub(super) name: String,
    /// The project's root; the person's own file may be a link to anywhere.
    pub(super) root: Option<PathBuf>,
}

/// All places, the one that weighs most first: the person's own, then the nearest.
pub(super) fn by_weight(surroundings: &Surroundings<'_>) -> Vec<Candidate> {
    let home = surroundings.absolute_path("HOME");
    let own = user_directory(surroundings).map(|folder| {
        let path = folder.join(FILE_NAME);
        Candidate { author: Author::Person, name: below_home(&path, home.as_deref()), path, root: None }
    });
    let directories = of_project(&surroundings.directory, home.as_deref(), geteuid().as_raw());
    let root = directories.last().cloned().unwrap_or_default();
    let of_project = directories.into_iter().map(|directory| {
        let path = directory.join(FILE_NAME);
        let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        Candidate { author: Author::Project, name: crate::failure::visible(&name), path, root: Some(root.clone()) }
    });
    let is_own = own.as_ref().and_then(|own| own.path.canonicalize().ok());
    let of_project: Vec<_> =
        of_project.filter(|found| is_own.is_none() || found.path.canonicalize().ok() != is_own).collect();
    own.into_iter().chain(of_project).collect()
}

/// The nearest first, the root last; all of it this user's.
pub(super) fn of_project(directory: &Path, home: Option<&Path>, user: u32) -> Vec<PathBuf> {
    let mut passed = Vec::new();
    for ancestor in directory.ancestors() {
        passed.push(ancestor.to_owned());
        if let Ok(git) = ancestor.join(".git").symlink_metadata() {
            let is_own = git.uid() == user && ancestor.metadata().is_ok_and(|root| root.uid() == user);
            if is_own {
                return passed;
            }
            break;
        }
        if home.is_some_and(|home| is_same(home, ancestor)) {
            break;
        }
    }
    passed.truncate(1);
    passed
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn below_home(path: &Path, home: Option<&Path>) -> String {
    let below = home.and_then(|home| path.strip_prefix(home).ok());
    let name = below.map_or_else(|| path.display().to_string(), |below| format!("~/{}", below.display()));
    crate::failure::visible(&name)
}
