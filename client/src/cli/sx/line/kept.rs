//! What was entered, kept over sessions: one JSON string a line, the oldest first, the file readable by its owner alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::bounded_file::{self, Symlinks, Unread};
use crate::durable_file;
use crate::settings::Surroundings;

const NAME: &str = "history";
/// So many entries are kept.
pub(super) const MOST: usize = 1000;
/// So many bytes of them.
const MOST_BYTES: usize = 1024 * 1024;
/// What is longer is remembered until the conversation ends.
const LONGEST: usize = 32 * 1024;
const MOST_TRIES: u32 = 40;
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Where entries are kept; `None` where there is no place for them.
#[derive(Debug, Clone)]
pub(in crate::cli::sx) struct Kept(Option<PathBuf>);

impl Kept {
    /// In the user's state directory.
    pub(in crate::cli::sx) fn of(surroundings: &Surroundings<'_>) -> Self {
        let home = || surroundings.absolute_path("HOME").map(|home| home.join(".local/state"));
        let state = surroundings.absolute_path("XDG_STATE_HOME").or_else(home);
        Self(state.map(|state| state.join("scorpiox").join(NAME)))
    }

    /// Of a conversation that nothing is kept of.
    pub(in crate::cli::sx) fn nowhere() -> Self {
        Self(None)
    }

    /// All of them. What cannot be read is none.
    pub(super) fn entries(&self) -> Vec<String> {
        self.0.as_deref().and_then(|path| read(path).ok()).unwrap_or_default()
    }

    /// Adds one, and what other conversations have added since stays.
    pub(super) fn add(&self, entry: &str) -> io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        if entry.len() > LONGEST {
            return Ok(());
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let _lock = lock(&durable_file::beside(path, "lock"))?;
        let mut entries = read(path)?;
        if entries.last().is_some_and(|last| last == entry) {
            return Ok(());
        }
        entries.push(entry.to_owned());
        durable_file::replace(path, written(&entries).as_bytes(), durable_file::PRIVATE)
    }
}

fn read(path: &Path) -> io::Result<Vec<String>> {
    let content = match bounded_file::read(path, 2 * MOST_BYTES as u64, Symlinks::Refuse) {
        Ok(content) => content,
        // One that is this long is not ours.
        Err(Unread::Missing | Unread::TooLong(_)) => return Ok(Vec::new()),
        Err(unread) => return Err(io::Error::other(unread.to_string())),
    };
    let text = String::from_utf8_lossy(&content.bytes);
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Held until it is closed. Others hold it for a moment only; one that was stopped in this moment must not stop us.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(durable_file::PRIVATE).open(path)?;
    for _ in 0..MOST_TRIES {
        if file.try_lock().is_ok() {
            return Ok(file);
        }
        thread::sleep(BETWEEN_TRIES);
    }
    Err(io::Error::from(io::ErrorKind::WouldBlock))
}

/// The youngest that there is room for.
fn written(entries: &[String]) -> String {
    let lines = entries.iter().rev().take(MOST).filter_map(|entry| serde_json::to_string(entry).ok());
    let mut bytes = 0;
    let mut lines: Vec<String> = lines
        .take_while(|line| {
            bytes += line.len() + 1;
            bytes <= MOST_BYTES
        })
        .collect();
    lines.reverse();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn entries_survive_with_their_line_feeds_and_only_for_their_owner() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept(Some(dir.path().join("a/scorpiox").join(NAME)));
        assert!(kept.entries().is_empty());
        for entry in ["one", "two\nlines \"quoted\" \u{1b}", "two\nlines \"quoted\" \u{1b}", "one"] {
            kept.clone().add(entry).unwrap();
        }
        assert_eq!(kept.entries(), ["one", "two\nlines \"quoted\" \u{1b}", "one"]);
        let mode = |path: &str| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("a/scorpiox"), mode("a/scorpiox/history")), (0o700, 0o600));
    }

    #[test]
    fn the_oldest_go_first_and_what_is_no_entry_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let kept = Kept(Some(dir.path().join(NAME)));
        fs::write(dir.path().join(NAME), "\"a\"\nnonsense\n\"b\"\n\"torn").unwrap();
        assert_eq!(kept.entries(), ["a", "b"]);
        let many: Vec<String> = (0..MOST + 5).map(|number| number.to_string()).collect();
        fs::write(dir.path().join(NAME), written(&many)).unwrap();
        kept.add("last").unwrap();
        let entries = kept.entries();
        assert_eq!((entries.len(), entries[0].as_str(), entries[MOST - 1].as_str()), (MOST, "6", "last"));
        let long = vec!["x".repeat(LONGEST - 100); 40];
        assert!(written(&long).len() <= MOST_BYTES);
    }
}
