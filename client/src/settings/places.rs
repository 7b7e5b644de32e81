//! Where settings files may lie, lowest precedence first.
//!
//! | tier | file |
//! |---|---|
//! | global | `scorpiox-env.txt` beside the program |
//! | user | `~/.claude/scorpiox-env.txt` (read, never written), then ours: `$XDG_CONFIG_HOME/scorpiox/scorpiox-env.txt` |
//! | project | `.claude/`, the directory itself, `.scorpiox/`: each may hold a `scorpiox-env.txt` |
//! | profile | `scorpiox-env/NAME.txt` beside any of these; the highest one counts alone, a project's beside the user's own |

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::settings_file::{FILE_NAME, Owner, PROFILES, Place, UnknownKeys};
use super::tier::Tier;
use super::{Surroundings, project};
use crate::failure::Failure;

/// The user's folder of the product whose conventions we keep, below the home directory.
const FOREIGN_FOLDER: &str = ".claude";

/// The most profiles of one folder that are looked at.
const MOST_PROFILES: usize = 200;

/// The folder of the user tier: settings, the login of this machine, trusted projects. `None` when neither
/// `XDG_CONFIG_HOME` nor `HOME` is set.
pub fn user_directory(surroundings: &Surroundings<'_>) -> Option<PathBuf> {
    let home = || surroundings.absolute_path("HOME").map(|home| home.join(".config"));
    surroundings.absolute_path("XDG_CONFIG_HOME").or_else(home).map(|base: PathBuf| base.join("scorpiox"))
}

/// Whose settings are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The user's own, wherever a command runs.
    User,
    /// The project's.
    Project,
}

impl Level {
    /// As `--level` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Project => "project",
        }
    }
}

/// The places for the directory in which a command runs.
#[derive(Debug, Clone)]
pub struct Places {
    places: Vec<Place>,
    folder_ids: Vec<(u64, u64)>,
    project: PathBuf,
}

impl Places {
    /// Looks for the project; reads no settings yet.
    pub fn around(surroundings: &Surroundings<'_>) -> Self {
        let mut found =
            Self { places: Vec::new(), folder_ids: Vec::new(), project: project::find(&surroundings.directory) };
        if let Some(folder) = &surroundings.program_directory {
            found.add(folder, Tier::Global, Owner::Installer, UnknownKeys::Warn);
        }
        if let Some(home) = surroundings.absolute_path("HOME") {
            found.add(&home.join(FOREIGN_FOLDER), Tier::User, Owner::User, UnknownKeys::Mention);
        }
        if let Some(folder) = user_directory(surroundings) {
            found.add(&folder, Tier::User, Owner::User, UnknownKeys::Warn);
        }
        for folder in project::FOLDERS {
            let unknown_keys = if folder == FOREIGN_FOLDER { UnknownKeys::Mention } else { UnknownKeys::Warn };
            // Not `join("")`: that would put a slash at the end.
            let folder = if folder.is_empty() { found.project.clone() } else { found.project.join(folder) };
            found.add(&folder, Tier::Project, Owner::Project, unknown_keys);
        }
        found
    }

    /// A folder counts once: who works in the home directory finds the user's files there, not a project's.
    fn add(&mut self, folder: &Path, tier: Tier, owner: Owner, unknown_keys: UnknownKeys) {
        let id = folder_id(folder);
        let is_known = |place: &Place| place.folder() == folder;
        if self.places.iter().any(is_known) || id.is_some_and(|id| self.folder_ids.contains(&id)) {
            return;
        }
        self.folder_ids.extend(id);
        self.places.push(Place { path: folder.join(FILE_NAME), tier, owner, unknown_keys });
    }

    /// All of them, lowest precedence first, without profiles.
    pub fn all(&self) -> &[Place] {
        &self.places
    }

    /// Where a profile of this name may lie, highest precedence first.
    pub fn of_profile(&self, name: &str) -> impl Iterator<Item = Place> {
        self.places.iter().rev().map(move |place| place.profile(name))
    }

    /// The file that changes go to; it need not exist. Of a project's files the highest that exists, so that what is
    /// written holds, and never the one of the product whose conventions we keep.
    pub fn to_change(&self, level: Level) -> Result<&Place, Failure> {
        let tier = match level {
            Level::User => Tier::User,
            Level::Project => Tier::Project,
        };
        let ours = || self.places.iter().filter(|place| place.tier == tier && place.unknown_keys == UnknownKeys::Warn);
        let existing = ours().rfind(|place| place.path.symlink_metadata().is_ok());
        existing.or(ours().next()).ok_or_else(|| match level {
            Level::User => Failure::configuration("there is no place for settings").with_hint("set HOME"),
            Level::Project => Failure::configuration("this directory holds the user's own settings, not a project's"),
        })
    }

    /// All profiles, switched on or not, lowest folder first.
    pub fn profiles(&self) -> Vec<Place> {
        let mut found = Vec::new();
        for place in &self.places {
            let entries = place.folder().join(PROFILES).read_dir().into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            let mut names: Vec<_> = names.filter_map(|name| Some(name.strip_suffix(".txt")?.to_owned())).collect();
            names.sort();
            found.extend(names.iter().take(MOST_PROFILES).map(|name| place.profile(name)));
        }
        found
    }

    /// The directory whose settings files are the project's.
    pub fn project(&self) -> &Path {
        &self.project
    }
}

/// The same for all names of a directory; `None` when there is none.
fn folder_id(folder: &Path) -> Option<(u64, u64)> {
    folder.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;

    use super::*;

    fn places(directory: &Path, environment: &[(&str, &Path)]) -> Places {
        let lookup =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let surroundings = Surroundings {
            environment: &lookup,
            directory: directory.to_owned(),
            program_directory: Some("/opt/scorpiox/bin".into()),
        };
        Places::around(&surroundings)
    }

    fn paths(places: &Places) -> Vec<(Tier, String)> {
        places.all().iter().map(|place| (place.tier, place.path.display().to_string())).collect()
    }

    #[test]
    fn the_cascade_has_its_order() {
        let found = places(Path::new("/nowhere/p"), &[("HOME", Path::new("/home/a"))]);
        let expected = [
            (Tier::Global, "/opt/scorpiox/bin/scorpiox-env.txt"),
            (Tier::User, "/home/a/.claude/scorpiox-env.txt"),
            (Tier::User, "/home/a/.config/scorpiox/scorpiox-env.txt"),
            (Tier::Project, "/nowhere/p/.claude/scorpiox-env.txt"),
            (Tier::Project, "/nowhere/p/scorpiox-env.txt"),
            (Tier::Project, "/nowhere/p/.scorpiox/scorpiox-env.txt"),
        ];
        assert_eq!(paths(&found), expected.map(|(tier, path)| (tier, path.to_owned())));
        let profiles: Vec<_> = found.of_profile("work").map(|place| place.path).collect();
        assert_eq!(profiles[0], Path::new("/nowhere/p/.scorpiox/scorpiox-env/work.txt"));
        assert_eq!(profiles[5], Path::new("/opt/scorpiox/bin/scorpiox-env/work.txt"));
    }

    #[test]
    fn the_users_own_files_are_no_project_even_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (home, link) = (dir.path().join("home"), dir.path().join("link"));
        fs::create_dir_all(home.join(".claude")).unwrap();
        std::os::unix::fs::symlink(&home, &link).unwrap();
        for variable in [&home, &link] {
            let found = places(&home, &[("HOME", variable), ("XDG_CONFIG_HOME", Path::new("/x"))]);
            let of_project: Vec<_> = found.all().iter().filter(|place| place.tier == Tier::Project).collect();
            assert_eq!(of_project.len(), 2, "{of_project:?}");
            assert!(of_project.iter().all(|place| !place.path.starts_with(home.join(".claude"))));
        }
    }
}
