//! Which `scorpiox-env.txt` holds for the directory in which a command runs.
//!
//! The nearest one wins, from the current directory up to the project's root: the first directory with a `.git`
//! in it. Without a `.git` above, only the current directory counts: a file that somebody left in `/tmp` or in a
//! shared parent must not decide where a key is sent.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::bounded_file::{self, Symlinks, Unread};
use crate::failure::Failure;

/// Name of the settings file.
pub const FILE_NAME: &str = "scorpiox-env.txt";
/// The longest settings file, in bytes.
const LONGEST_FILE: u64 = 64 * 1024;
const OTHERS_MAY_WRITE: u32 = 0o002;

/// A settings file as it was found.
#[derive(Debug)]
pub struct ProjectFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes; they may hold a secret.
    pub bytes: Zeroizing<Vec<u8>>,
}

/// Finds and reads the file that holds for `directory`; `None` when there is none.
pub fn find(directory: &Path) -> Result<Option<ProjectFile>, Failure> {
    let mut found = None;
    for (depth, ancestor) in directory.ancestors().enumerate() {
        if found.is_none() {
            found = read(&ancestor.join(FILE_NAME))?.map(|file| (depth, file));
        }
        match &found {
            // In the current directory it holds whether or not this is a project.
            Some((0, _)) => break,
            _ if ancestor.join(".git").symlink_metadata().is_ok() => break,
            _ if ancestor.parent().is_none() => return Ok(None),
            _ => {}
        }
    }
    Ok(found.map(|(_, file)| file))
}

fn read(path: &Path) -> Result<Option<ProjectFile>, Failure> {
    let broken = |error: Unread| Failure::configuration(format!("{} {error}", path.display()));
    let content = match bounded_file::read(path, LONGEST_FILE, Symlinks::Follow) {
        Err(Unread::Missing) => return Ok(None),
        read => read.map_err(broken)?,
    };
    let (me, owner) = (rustix::process::geteuid().as_raw(), content.metadata.uid());
    if me != 0 && owner != me && owner != 0 {
        let failure = Failure::configuration(format!("{} belongs to another user", path.display()));
        return Err(failure.with_hint("it is not used; remove it or make it yours"));
    }
    if content.metadata.mode() & OTHERS_MAY_WRITE != 0 {
        let failure = Failure::configuration(format!("{} can be changed by every user", path.display()));
        return Err(failure.with_hint(format!("chmod o-w {}", path.display())));
    }
    Ok(Some(ProjectFile { path: path.to_owned(), bytes: content.bytes }))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            fs::create_dir_all(tree.path("project/inner/deep")).unwrap();
            tree
        }

        fn path(&self, path: &str) -> PathBuf {
            self.0.path().join(path)
        }

        fn settings_in(&self, directory: &str) {
            fs::write(self.path(directory).join(FILE_NAME), "A=1").unwrap();
        }

        fn found_from(&self, directory: &str) -> Option<PathBuf> {
            find(&self.path(directory)).unwrap().map(|file| file.path.parent().unwrap().to_owned())
        }
    }

    #[test]
    fn the_nearest_file_up_to_the_projects_root_holds() {
        let tree = Tree::new();
        fs::create_dir(tree.path("project/.git")).unwrap();
        tree.settings_in("");
        assert_eq!(tree.found_from("project/inner/deep"), None, "a file above the project is nobody's");
        tree.settings_in("project");
        assert_eq!(tree.found_from("project/inner/deep"), Some(tree.path("project")));
        tree.settings_in("project/inner");
        assert_eq!(tree.found_from("project/inner/deep"), Some(tree.path("project/inner")));
    }

    #[test]
    fn without_a_project_only_the_current_directory_counts() {
        let tree = Tree::new();
        tree.settings_in("project");
        assert_eq!(tree.found_from("project/inner"), None);
        assert_eq!(tree.found_from("project"), Some(tree.path("project")));
    }

    #[test]
    fn a_file_that_everybody_may_change_is_refused() {
        let tree = Tree::new();
        tree.settings_in("project");
        let file = tree.path("project").join(FILE_NAME);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        let failure = find(&tree.path("project")).unwrap_err();
        assert_eq!(failure.class.exit_code(), 78);
        assert!(failure.to_string().contains("chmod o-w"));
    }
}
