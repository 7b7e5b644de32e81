//! Names of files for completion: what may be read, what git ignores last.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::word::Word;

/// So many entries of a folder are looked at: some 20 ms.
const MOST_LOOKED_AT: usize = 20_000;
/// So many are offered.
const MOST_OFFERED: usize = 200;

/// Says, when somebody wants to know, what is closed.
pub(in crate::cli::sx) type Closed<'a> = Box<dyn FnOnce() -> Vec<PathBuf> + 'a>;

/// The files that can be named.
pub(super) struct Files<'a> {
    directory: PathBuf,
    home: Option<PathBuf>,
    closed: LazyCell<Vec<PathBuf>, Closed<'a>>,
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    is_ignored: bool,
    name: String,
    is_folder: bool,
}

impl<'a> Files<'a> {
    /// Those that can be named from this directory, without what is closed.
    pub(super) fn new(directory: PathBuf, home: Option<PathBuf>, closed: Closed<'a>) -> Self {
        Self { directory, home, closed: LazyCell::new(closed) }
    }

    /// What the word can become: as it is shown, and as it stands in the line.
    pub(super) fn completions(&self, word: &Word<'_>) -> Vec<(String, String)> {
        let folder = self.folder(word.folder);
        let mut entries = self.entries(&folder, word.name);
        let known = if entries.is_empty() { HashSet::new() } else { not_ignored(&folder) };
        entries.iter_mut().for_each(|entry| entry.is_ignored = !known.contains(entry.name.as_str()));
        entries.sort();
        entries.truncate(MOST_OFFERED);
        let completion = |entry: &Entry| {
            let ending = if entry.is_folder { "/" } else { "" };
            (format!("{}{ending}", entry.name), word.with(&entry.name, ending))
        };
        entries.iter().map(completion).collect()
    }

    fn folder(&self, typed: &str) -> PathBuf {
        match (typed.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.directory.join(typed),
        }
    }

    /// What begins so; a hidden name only for who has typed its dot.
    fn entries(&self, folder: &Path, beginning: &str) -> Vec<Entry> {
        let is_hidden = |name: &str| name.starts_with('.') && !beginning.starts_with('.');
        let found = fs::read_dir(folder).into_iter().flatten().take(MOST_LOOKED_AT).flatten();
        let named = found.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry)));
        let wanted = named.filter(|(name, _)| {
            name.starts_with(beginning) && !is_hidden(name) && !name.contains(|c: char| c.is_control() || c == '"')
        });
        let open = wanted.filter(|(_, entry)| !self.is_closed(&entry.path()));
        open.map(|(name, entry)| Entry { is_ignored: false, name, is_folder: entry.path().is_dir() }).collect()
    }

    fn is_closed(&self, path: &Path) -> bool {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.closed.iter().any(|closed| canonical.starts_with(closed) || path.starts_with(closed))
    }
}

/// The names in a folder that git would not ignore.
fn not_ignored(folder: &Path) -> HashSet<String> {
    let walk = WalkBuilder::new(folder).max_depth(Some(1)).hidden(false).build();
    let names = walk.take(MOST_LOOKED_AT).flatten().map(|entry| entry.file_name().to_owned());
    names.filter_map(|name: OsString| name.into_string().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(files: &Files<'_>, typed: &str) -> Vec<String> {
        files.completions(&Word::at_end(typed)).into_iter().map(|(shown, _)| shown).collect()
    }

    #[test]
    fn what_is_closed_is_not_offered_and_what_is_ignored_comes_last() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("src/keys")).unwrap();
        fs::create_dir_all(path(".git")).unwrap();
        fs::create_dir_all(path("artefacts")).unwrap();
        fs::write(path(".gitignore"), "artefacts/\n*.log\n").unwrap();
        for name in ["b.log", "c.txt", ".env", "src/main.rs", "src/old.log", "d\u{1b}[2J"] {
            fs::write(path(name), "").unwrap();
        }
        let closed = vec![path(".env"), path("src/keys").canonicalize().unwrap()];
        let files = Files::new(dir.path().to_owned(), Some(path("src")), Box::new(move || closed));
        assert_eq!(shown(&files, "look at "), ["c.txt", "src/", "artefacts/", "b.log"]);
        assert_eq!(shown(&files, "."), [".git/", ".gitignore"]);
        assert_eq!(shown(&files, "@src/"), ["main.rs", "old.log"]);
        assert_eq!(shown(&files, "~/m"), ["main.rs"]);
        assert!(shown(&files, "nowhere/x").is_empty());
    }

    #[test]
    fn a_huge_folder_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        (0..MOST_OFFERED + 50).for_each(|number| fs::write(dir.path().join(format!("f{number}")), "").unwrap());
        let files = Files::new(dir.path().to_owned(), None, Box::new(Vec::new));
        assert_eq!(shown(&files, "f").len(), MOST_OFFERED);
    }
}
