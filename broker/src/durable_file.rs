//! Small files that are on the disk whole or not at all, whenever the machine stops.
//!
//! Every write goes to `.NAME.new` beside the file, is synced, takes the file's name, and then the directory is synced.
//! What a stop leaves behind is either the old file or the new one, and perhaps a `.NAME.new` that nobody reads.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Owner only: all of these files are nobody else's business.
pub const MODE: u32 = 0o600;

/// Writes a file that must not exist yet. [`io::ErrorKind::AlreadyExists`] when it does: it is left as it is.
pub fn create_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = write_beside(path, bytes)?;
    // A link, unlike a rename, refuses to replace; an exclusive open would show a half-written file after a stop.
    let linked = fs::hard_link(&written, path).map_err(|error| about(path, error));
    fs::remove_file(&written).map_err(|error| about(&written, error))?;
    linked?;
    sync_directory_of(path)
}

/// Writes a file, in place of an earlier one if there is one.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = write_beside(path, bytes)?;
    fs::rename(&written, path).map_err(|error| about(path, error))?;
    sync_directory_of(path)
}

/// Removes what an interrupted write of this file left behind.
pub fn remove_stray(path: &Path) -> io::Result<()> {
    let stray = beside(path);
    match fs::remove_file(&stray) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(about(&stray, error)),
        _ => Ok(()),
    }
}

/// Makes the names in the file's directory durable.
pub fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = directory_of(path);
    File::open(directory).and_then(|open| open.sync_all()).map_err(|error| about(directory, error))
}

/// The same error, saying which file it is about.
pub fn about(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    remove_stray(path)?;
    let beside = beside(path);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    match write() {
        Ok(()) => Ok(beside),
        Err(error) => {
            // On a full disk the half-written file must not stay in the way; if this fails too, the next write tries again.
            let _ = fs::remove_file(&beside);
            Err(about(path, error))
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn names(directory: &Path) -> Vec<OsString> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_new_file_is_private_and_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        create_new(&path, b"one").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(names(directory.path()), ["key"]);
    }

    #[test]
    fn an_existing_file_is_not_created_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        create_new(&path, b"one").unwrap();
        assert_eq!(create_new(&path, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(directory.path()), ["key"]);
    }

    #[test]
    fn a_replaced_file_is_private_whatever_it_was_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mark");
        fs::write(&path, "old").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
    }

    #[test]
    fn what_an_interrupted_write_left_is_in_nobodys_way() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mark");
        fs::write(directory.path().join(".mark.new"), "half").unwrap();
        replace(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        fs::write(directory.path().join(".mark.new"), "half").unwrap();
        remove_stray(&path).unwrap();
        remove_stray(&path).unwrap();
        assert_eq!(names(directory.path()), ["mark"]);
    }

    #[test]
    fn a_symbolic_link_beside_the_file_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let bystander = directory.path().join("bystander");
        fs::write(&bystander, "mine").unwrap();
        std::os::unix::fs::symlink(&bystander, directory.path().join(".mark.new")).unwrap();
        replace(&directory.path().join("mark"), b"whole").unwrap();
        assert_eq!(fs::read(&bystander).unwrap(), b"mine");
    }

    #[test]
    fn a_failed_write_names_the_file_and_leaves_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mark");
        replace(&path, b"old").unwrap();
        // A directory in the way of the file beside: works for root too, unlike a missing permission.
        fs::create_dir(directory.path().join(".mark.new")).unwrap();
        let error = replace(&path, b"new").unwrap_err();
        assert!(error.to_string().contains("mark"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }
}
