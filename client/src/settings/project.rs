//! Which directory's settings files hold for the directory in which a command runs.
//!
//! The nearest one that has any, from the current directory up to the project's root: the first directory with a `.git`
//! in it. Without a `.git` above, only the current directory counts: a file that somebody left in `/tmp` or in a
//! shared parent must not decide where a key is sent.

use std::path::{Path, PathBuf};

use super::settings_file::FILE_NAME;

/// The folders of a project that may hold a settings file, lowest precedence first. The first is the place of the
/// product whose conventions we keep.
pub const FOLDERS: [&str; 3] = [".claude", "", ".scorpiox"];

/// The directory whose settings files hold: the nearest with one; where there is none, the place for one: the
/// project's root, or `directory` itself outside of a project.
pub fn find(directory: &Path) -> PathBuf {
    let mut nearest = None;
    for (depth, ancestor) in directory.ancestors().enumerate() {
        if nearest.is_none() && has_settings(ancestor) {
            nearest = Some(ancestor);
            // In the current directory they hold whether or not this is a project.
            if depth == 0 {
                break;
            }
        }
        if exists(&ancestor.join(".git")) {
            return nearest.unwrap_or(ancestor).to_owned();
        }
        if ancestor.parent().is_none() {
            return directory.to_owned();
        }
    }
    nearest.unwrap_or(directory).to_owned()
}

fn has_settings(directory: &Path) -> bool {
    FOLDERS.iter().any(|folder| exists(&directory.join(folder).join(FILE_NAME)))
}

/// A link that leads nowhere exists: it is an error of the project, not a reason to look further up.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

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
            fs::create_dir_all(self.path(directory)).unwrap();
            fs::write(self.path(directory).join(FILE_NAME), "A=1").unwrap();
        }

        fn found_from(&self, directory: &str) -> PathBuf {
            find(&self.path(directory))
        }
    }

    #[test]
    fn the_nearest_file_up_to_the_projects_root_holds() {
        let tree = Tree::new();
        fs::create_dir(tree.path("project/.git")).unwrap();
        tree.settings_in("");
        let deep = || tree.found_from("project/inner/deep");
        assert_eq!(deep(), tree.path("project"), "a file above the project is nobody's");
        tree.settings_in("project");
        assert_eq!(deep(), tree.path("project"));
        tree.settings_in("project/inner/.scorpiox");
        assert_eq!(deep(), tree.path("project/inner"));
        tree.settings_in("project/inner/deep/.claude");
        assert_eq!(deep(), tree.path("project/inner/deep"));
    }

    #[test]
    fn without_a_project_only_the_current_directory_counts() {
        let tree = Tree::new();
        tree.settings_in("project");
        assert_eq!(tree.found_from("project/inner"), tree.path("project/inner"));
        assert_eq!(tree.found_from("project"), tree.path("project"));
    }
}
