//! Files that are whole after any end of the process or the machine: written beside, synced, then renamed.
//!
//! Whoever writes here holds a lock on the file's name: the unfinished copy has one fixed name, so that what a killed
//! process left is overwritten and not collected.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Only the owner reads and writes.
pub const PRIVATE: u32 = 0o600;

/// The path with more behind its name: `auth.json` and `lock` give `auth.json.lock`.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(".");
    name.push(ending);
    name.into()
}

/// Replaces a file as a whole, or leaves it as it was.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let unfinished = beside(path, "new");
    remove_if_there(&unfinished)?;
    let written = write_new(&unfinished, bytes, mode).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // What matters is reported; what is left of the copy is overwritten next time.
        let _ = fs::remove_file(&unfinished);
    }
    written.and_then(|()| sync_directory_of(path))
}

/// Removes a file for good; it need not exist.
pub fn remove(path: &Path) -> io::Result<()> {
    remove_if_there(path)?;
    sync_directory_of(path)
}

/// Makes names in the directory of this file last.
pub fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)?;
    if mode != PRIVATE {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_with_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("auth.json");
        for (text, mode) in [("first", 0o600), ("second", 0o640)] {
            replace(&path, text.as_bytes(), mode).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_process_left_is_in_nobodys_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("auth.json");
        fs::write(dir.path().join("auth.json.new"), "half").unwrap();
        replace(&path, b"whole", PRIVATE).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_save_that_fails_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("auth.json");
        replace(&path, b"old", PRIVATE).unwrap();
        // A directory in the copy's place: neither removed nor overwritten.
        fs::create_dir(dir.path().join("auth.json.new")).unwrap();
        assert!(replace(&path, b"new", PRIVATE).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }
}
