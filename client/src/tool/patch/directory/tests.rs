use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::tool::patch;

struct Workspace {
    dir: TempDir,
    files: Directory,
}

impl Workspace {
    fn with(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("inside")).unwrap();
        let files_below = Directory::open(&dir.path().join("inside")).unwrap();
        let workspace = Self { dir, files: files_below };
        for (path, text) in files {
            fs::create_dir_all(workspace.path(path).parent().unwrap()).unwrap();
            fs::write(workspace.path(path), text).unwrap();
        }
        workspace
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("inside").join(path)
    }

    fn apply(&mut self, middle: &str) -> Result<String, String> {
        let plan = patch::read(&format!("*** Begin Patch\n{middle}\n*** End Patch"), &self.files);
        plan.and_then(|plan| patch::apply(&plan, &mut self.files)).map_err(|rejection| rejection.to_string())
    }

    /// All that is there, by path; directories end with `/`, links with their target.
    fn all(&self) -> Vec<(String, String)> {
        fn walk(top: &Path, directory: &Path, all: &mut Vec<(String, String)>) {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
                let kind = fs::symlink_metadata(&path).unwrap().file_type();
                if kind.is_symlink() {
                    all.push((name, fs::read_link(&path).unwrap().display().to_string()));
                } else if kind.is_dir() {
                    all.push((format!("{name}/"), String::new()));
                    walk(top, &path, all);
                } else if kind.is_file() {
                    all.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        let mut all = Vec::new();
        walk(self.dir.path(), self.dir.path(), &mut all);
        all.sort();
        all
    }

    fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.path(path)).unwrap().mode() & 0o7777
    }
}

#[test]
fn files_come_change_move_and_go_with_their_modes() {
    let mut workspace = Workspace::with(&[("run.sh", "a\n"), ("private", "x\n"), ("old", "y\n")]);
    for (path, mode) in [("run.sh", 0o4755), ("private", 0o600)] {
        fs::set_permissions(workspace.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    let middle = "*** Update File: run.sh\n-a\n+b\n*** Update File: private\n*** Move to: d/e/private\n*** Add File: d/new\n+z\n*** Delete File: old";
    workspace.apply(middle).unwrap();
    let names: Vec<String> = workspace.all().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["inside/", "inside/d/", "inside/d/e/", "inside/d/e/private", "inside/d/new", "inside/run.sh"]);
    assert_eq!(fs::read_to_string(workspace.path("run.sh")).unwrap(), "b\n");
    assert_eq!((workspace.mode("run.sh"), workspace.mode("d/e/private")), (0o755, 0o600));
    assert_eq!(workspace.mode("d/new") & 0o600, 0o600);
    assert_eq!(workspace.mode("d/new") & 0o111, 0);
}

#[test]
fn nothing_is_reached_through_a_link() {
    let mut workspace = Workspace::with(&[("real/file", "x\n"), ("../outside", "x\n"), ("../secret/file", "x\n")]);
    symlink("../outside", workspace.path("link")).unwrap();
    symlink("nowhere", workspace.path("dangling")).unwrap();
    symlink("../secret", workspace.path("dir")).unwrap();
    symlink("real", workspace.path("near")).unwrap();
    fs::hard_link(workspace.path("../outside"), workspace.path("hard")).unwrap();
    let before = workspace.all();
    let cases = [
        ("*** Update File: link\n-x\n+y", "is a symbolic link"),
        ("*** Add File: link\n+y", "is a symbolic link"),
        ("*** Delete File: link", "is a symbolic link"),
        ("*** Add File: dangling\n+y", "is a symbolic link"),
        ("*** Update File: real/file\n*** Move to: dangling", "is a symbolic link"),
        ("*** Update File: dir/file\n-x\n+y", "symbolic link or no directory"),
        ("*** Add File: dir/new\n+y", "symbolic link or no directory"),
        ("*** Add File: dir/a/b/new\n+y", "symbolic link or no directory"),
        ("*** Update File: near/file\n-x\n+y", "symbolic link or no directory"),
        ("*** Add File: real/file/x\n+y", "symbolic link or no directory"),
        ("*** Update File: hard\n-x\n+y", "several names"),
        ("*** Add File: hard\n+y", "several names"),
        ("*** Delete File: hard", "several names"),
        ("*** Update File: real\n-x\n+y", "is no regular file"),
        ("*** Delete File: real", "is no regular file"),
        ("*** Add File: real\n+y", "is no regular file"),
    ];
    for (middle, says) in cases {
        let said = workspace.apply(middle).unwrap_err();
        assert!(said.contains(says), "{middle:?}: {said}");
        assert_eq!(workspace.all(), before, "{middle:?}");
    }
}

#[test]
fn a_fifo_is_refused_at_once() {
    let mut workspace = Workspace::with(&[]);
    assert!(rustix::fs::mkfifoat(rustix::fs::CWD, workspace.path("fifo"), rustix::fs::Mode::RWXU).is_ok());
    assert!(workspace.apply("*** Update File: fifo\n-x").unwrap_err().contains("is no regular file"));
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let mut workspace = Workspace::with(&[]);
    File::create(workspace.path("long")).unwrap().set_len(LONGEST_FILE + 1).unwrap();
    assert!(workspace.apply("*** Delete File: long").unwrap_err().contains("is longer than"));
}

#[test]
fn what_cannot_be_made_ready_changes_nothing() {
    let mut workspace = Workspace::with(&[("a", "x\n"), ("b", "x\n")]);
    let before = workspace.all();
    // A name that is longer than file systems take is found out while things are made ready.
    let long = "n".repeat(300);
    let said = workspace.apply(&format!("*** Update File: a\n-x\n+y\n*** Add File: d/e/{long}\n+x")).unwrap_err();
    assert!(said.contains("cannot be"), "{said}");
    assert_eq!(workspace.all(), before);
}

#[test]
fn a_file_that_was_changed_after_the_plan_is_not_overwritten() {
    let mut workspace = Workspace::with(&[("a", "x\n"), ("b", "x\n")]);
    let text =
        "*** Begin Patch\n*** Update File: a\n-x\n+y\n*** Update File: b\n-x\n+y\n*** Add File: c/d\n+y\n*** End Patch";
    let plan = patch::read(text, &workspace.files).unwrap();
    for (path, text) in [("b", "mine\n"), ("c/d", "mine\n")] {
        fs::create_dir_all(workspace.path(path).parent().unwrap()).unwrap();
        fs::write(workspace.path(path), text).unwrap();
        let before = workspace.all();
        let said = patch::apply(&plan, &mut workspace.files).unwrap_err().to_string();
        assert!(said.contains("changed by somebody else"), "{said}");
        assert_eq!(workspace.all(), before);
        fs::write(workspace.path("b"), "x\n").unwrap();
    }
}

#[test]
fn an_exchange_that_fails_in_the_middle_is_taken_back() {
    let mut workspace = Workspace::with(&[("a", "x\n"), ("b", "x\n"), ("gone", "x\n")]);
    let text = "*** Begin Patch\n*** Update File: a\n-x\n+y\n*** Delete File: b\n*** Add File: c\n+y\n*** Add File: d/e\n+y\n*** End Patch";
    let plan = patch::read(text, &workspace.files).unwrap();
    let before = workspace.all();
    let replacement = Replacement::of(&workspace.files, &plan.changes).unwrap();
    // Somebody is faster with the last one.
    fs::write(workspace.path("d/e"), "mine\n").unwrap();
    let said = replacement.perform().unwrap_err().to_string();
    assert!(said.starts_with("d/e cannot be replaced"), "{said}");
    assert_eq!(fs::read_to_string(workspace.path("d/e")).unwrap(), "mine\n");
    fs::remove_dir_all(workspace.path("d")).unwrap();
    assert_eq!(workspace.all(), before);
    workspace.apply("*** Delete File: gone").unwrap();
}

#[test]
fn a_file_that_may_not_be_written_stays() {
    if rustix::process::geteuid().is_root() {
        // Root may write everything.
        return;
    }
    let mut workspace = Workspace::with(&[("a", "x\n")]);
    fs::set_permissions(workspace.path("a"), fs::Permissions::from_mode(0o444)).unwrap();
    assert!(workspace.apply("*** Update File: a\n-x\n+y").unwrap_err().contains("cannot be written"));
}
