//! Turns are played in a real directory, by patches and by what a script could do.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::clock::SystemClock;
use crate::tool::patch::{self, Files as _};

/// Every file below a directory: its text and mode; and every directory.
fn tree(root: &Path) -> BTreeMap<String, String> {
    let mut tree = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            let (path, metadata) = (entry.path(), entry.path().symlink_metadata().unwrap());
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if metadata.is_dir() {
                tree.insert(name, "directory".to_owned());
                open.push(path);
            } else if metadata.is_file() {
                let bytes = fs::read(&path).unwrap();
                tree.insert(name, format!("{:o} {bytes:?}", metadata.mode() & 0o777));
            }
        }
    }
    tree
}

struct Project {
    root: tempfile::TempDir,
    clock: SystemClock,
}

impl Project {
    fn new() -> Self {
        let project = Self { root: tempfile::tempdir().unwrap(), clock: SystemClock::start() };
        project.write("kept", "one\n");
        project.write("src/main.rs", "fn main() {}\n");
        project.write("bin/tool", "#!/bin/sh\n");
        project.mode("bin/tool", 0o700);
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn undo(&self) -> Undo<'_> {
        Undo::new(self.root.path(), Directory::open(self.root.path()).unwrap(), &self.clock)
    }

    /// A patch, as the conversation applies it.
    fn patch(&self, undo: &mut Undo<'_>, middle: &str) {
        let mut files = Directory::open(self.root.path()).unwrap();
        let plan = patch::read(&format!("*** Begin Patch\n{middle}\n*** End Patch"), &files).unwrap();
        undo.before_patch(&plan).unwrap();
        patch::apply(&plan, &mut files).unwrap();
    }

    /// A turn in which a script does this.
    fn script(&self, undo: &mut Undo<'_>, deeds: impl FnOnce()) {
        undo.before_script().unwrap();
        deeds();
        undo.end_turn().unwrap();
    }
}

impl Project {
    fn take_back(&self, undo: &mut Undo<'_>, conflicts: Conflicts) -> Option<Result<TakenBack, Refused>> {
        let mut files = Directory::open(self.root.path()).unwrap();
        Some(undo.way_back(conflicts)?.map(|way| {
            files.replace(way.changes()).unwrap();
            undo.went_back(way)
        }))
    }

    fn taken_back(&self, undo: &mut Undo<'_>) -> TakenBack {
        self.take_back(undo, Conflicts::Refuse).expect("there is a turn").unwrap()
    }
}

#[test]
fn what_a_patch_did_is_taken_back() {
    let project = Project::new();
    let before = tree(project.root.path());
    let mut undo = project.undo();
    let patches = "*** Add File: new/deep/file\n+x\n*** Delete File: bin/tool\n*** Update File: kept\n-one\n+two";
    project.patch(&mut undo, patches);
    project.patch(&mut undo, "*** Update File: kept\n-two\n+three\n*** Add File: bin/tool\n+other");
    undo.end_turn().unwrap();
    let taken = project.taken_back(&mut undo);
    let files = [('M', "bin/tool"), ('M', "kept"), ('D', "new/deep/file")];
    assert_eq!(taken.files, files.map(|(deed, name)| (deed, name.to_owned())));
    assert_eq!(tree(project.root.path()), before, "modes and directories too");
    assert!(project.take_back(&mut undo, Conflicts::Refuse).is_none());
}

#[test]
fn what_a_script_did_is_taken_back() {
    let project = Project::new();
    let before = tree(project.root.path());
    let mut undo = project.undo();
    project.script(&mut undo, || {
        fs::remove_dir_all(project.path("src")).unwrap();
        project.write("made/by/script", "x");
        project.mode("kept", 0o755);
        project.write("bin/tool", "#!/bin/no\n");
    });
    let deeds: Vec<char> = project.taken_back(&mut undo).files.into_iter().map(|(deed, _)| deed).collect();
    assert_eq!(deeds, ['M', 'M', 'D', 'A']);
    assert_eq!(tree(project.root.path()), before);
}

#[test]
fn turns_are_taken_back_one_after_the_other() {
    let project = Project::new();
    let mut undo = project.undo();
    let mut stages = vec![tree(project.root.path())];
    for text in ["two", "three", "four"] {
        project.script(&mut undo, || project.write("kept", text));
        undo.end_turn().unwrap();
        stages.push(tree(project.root.path()));
    }
    stages.pop();
    while let Some(stage) = stages.pop() {
        project.taken_back(&mut undo);
        assert_eq!(tree(project.root.path()), stage);
    }
}

#[test]
fn a_file_that_was_changed_since_keeps_everything_as_it_is() {
    let project = Project::new();
    let mut undo = project.undo();
    project.patch(&mut undo, "*** Update File: kept\n-one\n+two\n*** Delete File: src/main.rs");
    undo.end_turn().unwrap();
    project.write("kept", "by hand\n");
    let now = tree(project.root.path());
    let refused = project.take_back(&mut undo, Conflicts::Refuse).unwrap().unwrap_err();
    assert_eq!(refused.to_string(), "changed since that turn: kept");
    assert_eq!(tree(project.root.path()), now);
    let taken = project.take_back(&mut undo, Conflicts::LeaveAlone).unwrap().unwrap();
    assert_eq!((taken.files, taken.left), (vec![('A', "src/main.rs".to_owned())], vec!["kept".to_owned()]));
    assert_eq!(fs::read_to_string(project.path("kept")).unwrap(), "by hand\n");
}

#[test]
fn what_is_not_covered_is_named() {
    let project = Project::new();
    symlink("kept", project.path("link")).unwrap();
    project.write("target/.keep", "");
    project.write(".gitignore", "target\n");
    let mut undo = project.undo();
    project.script(&mut undo, || {
        fs::remove_file(project.path("link")).unwrap();
        symlink("bin", project.path("link")).unwrap();
        fs::hard_link(project.path("kept"), project.path("second-name")).unwrap();
        project.write("target/built", "x");
    });
    let changes = undo.changes(Span::LastTurn).unwrap();
    assert!(changes.beyond.contains(&"link".to_owned()), "{changes:?}");
    assert!(changes.beyond.contains(&"second-name".to_owned()), "{changes:?}");
    assert!(!format!("{changes:?}").contains("target/"), "git ignores it");
}

#[test]
fn a_content_is_only_the_persons_to_read() {
    let project = Project::new();
    let mut undo = project.undo();
    project.script(&mut undo, || project.write("kept", "two"));
    let store = undo.store.as_ref().unwrap().folder();
    for entry in fs::read_dir(&store).unwrap().map(Result::unwrap) {
        assert_eq!(entry.metadata().unwrap().mode() & 0o077, 0);
    }
    drop(undo);
    assert!(!store.exists(), "it ends with the conversation");
}

/// As somebody whom the mode of a file binds: on a thread of its own, since root's word is for all of a process.
fn without_roots_rights(deed: impl FnOnce() + Send + 'static) {
    let played = std::thread::spawn(move || {
        if rustix::process::geteuid().is_root() {
            let nobody = rustix::process::Uid::from_raw(65534);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        deed();
    });
    played.join().unwrap();
}

#[test]
fn a_file_that_a_turn_made_read_only_can_be_taken_back() {
    without_roots_rights(|| {
        let project = Project::new();
        let before = tree(project.root.path());
        let mut undo = project.undo();
        project.script(&mut undo, || {
            project.write("kept", "two");
            project.mode("kept", 0o444);
        });
        project.taken_back(&mut undo);
        assert_eq!(tree(project.root.path()), before);
    });
}

#[test]
fn a_file_that_a_script_made_a_link_or_named_twice_does_not_keep_the_others() {
    let project = Project::new();
    let mut undo = project.undo();
    project.patch(&mut undo, "*** Update File: kept\n-one\n+two\n*** Update File: bin/tool\n-#!/bin/sh\n+#!/bin/no");
    project.script(&mut undo, || {
        fs::hard_link(project.path("kept"), project.path("second-name")).unwrap();
        fs::remove_file(project.path("src/main.rs")).unwrap();
        symlink("../kept", project.path("src/main.rs")).unwrap();
    });
    let taken = project.taken_back(&mut undo);
    assert_eq!(taken.files, [('M', "bin/tool".to_owned())]);
    assert_eq!(taken.beyond, ["kept", "second-name", "src/main.rs"]);
}

#[test]
fn a_change_of_mode_is_a_change() {
    let project = Project::new();
    project.mode("kept", 0o644);
    let mut undo = project.undo();
    project.script(&mut undo, || project.mode("kept", 0o755));
    let changes = undo.changes(Span::LastTurn).unwrap();
    let path = changes.changes.first().expect("it is shown").path.clone();
    assert_eq!((path.to_string(), changes.modes[&path]), ("kept".to_owned(), (0o644, 0o755)));
}

#[test]
fn what_no_turn_needs_is_not_kept() {
    let project = Project::new();
    let mut undo = project.undo();
    let contents = |undo: &Undo<'_>| fs::read_dir(undo.store.as_ref().unwrap().folder()).unwrap().count();
    for turn in 0..3 * MOST_TURNS {
        project.patch(&mut undo, &format!("*** Add File: new\n+{turn}"));
        undo.end_turn().unwrap();
        fs::write(project.path("new"), format!("by hand {turn}")).unwrap();
    }
    assert_eq!(contents(&undo), MOST_TURNS);
    while undo.way_back(Conflicts::LeaveAlone).is_some() {
        project.take_back(&mut undo, Conflicts::LeaveAlone).unwrap().unwrap();
    }
    assert_eq!(contents(&undo), 0);
}

#[test]
fn directories_count_too() {
    let project = Project::new();
    for directory in 0..20_001 {
        fs::create_dir(project.path(&directory.to_string())).unwrap();
    }
    assert_eq!(project.undo().before_script(), Err(TooLarge::Files));
}

#[test]
fn where_nothing_is_covered_nothing_is_copied() {
    let project = Project::new();
    let mut undo = project.undo();
    undo.cover_nothing();
    project.patch(&mut undo, "*** Update File: kept\n-one\n+two");
    project.script(&mut undo, || project.write("kept", "three"));
    assert!(undo.store.is_none());
    assert!(project.take_back(&mut undo, Conflicts::LeaveAlone).is_none());
}

#[test]
fn a_turn_of_which_nothing_can_be_taken_back_goes_only_by_force() {
    let project = Project::new();
    symlink("kept", project.path("link")).unwrap();
    let mut undo = project.undo();
    project.script(&mut undo, || project.write("kept", "two"));
    project.script(&mut undo, || {
        fs::create_dir(project.path("made")).unwrap();
        fs::remove_file(project.path("link")).unwrap();
    });
    let refused = project.take_back(&mut undo, Conflicts::Refuse).unwrap().unwrap_err();
    assert_eq!(refused.to_string(), "changed by a script, not known how: link");
    let taken = project.take_back(&mut undo, Conflicts::LeaveAlone).unwrap().unwrap();
    assert_eq!((taken.files, taken.beyond), (vec![], vec!["link".to_owned()]));
    assert!(project.path("made").exists(), "nothing was taken back");
    assert_eq!(project.taken_back(&mut undo).files, [('M', "kept".to_owned())]);
}

#[test]
fn a_turn_that_changes_nothing_is_no_turn() {
    let project = Project::new();
    let mut undo = project.undo();
    project.patch(&mut undo, "*** Update File: kept\n-one\n+two");
    undo.end_turn().unwrap();
    project.script(&mut undo, || {
        project.write("kept", "other");
        project.write("kept", "two\n");
    });
    assert_eq!(project.taken_back(&mut undo).files, [('M', "kept".to_owned())]);
    assert_eq!(fs::read_to_string(project.path("kept")).unwrap(), "one\n");
}

#[test]
fn the_whole_conversation_is_one_difference() {
    let project = Project::new();
    let mut undo = project.undo();
    for text in ["two\n", "three\n"] {
        project.script(&mut undo, || project.write("kept", text));
    }
    let before = |span| undo.changes(span).unwrap().changes[0].before.clone().unwrap();
    assert_eq!(before(Span::LastTurn), b"two\n");
    assert_eq!(before(Span::All), b"one\n");
}

#[test]
fn a_project_with_too_many_files_is_said_once() {
    let project = Project::new();
    for directory in 0..21 {
        for file in 0..1000 {
            project.write(&format!("{directory}/{file}"), "");
        }
    }
    let mut undo = project.undo();
    assert_eq!(undo.before_script(), Err(TooLarge::Files));
    assert_eq!(undo.before_script(), Ok(()));
    project.patch(&mut undo, "*** Update File: kept\n-one\n+two");
    undo.end_turn().unwrap();
    project.taken_back(&mut undo);
    assert_eq!(fs::read_to_string(project.path("kept")).unwrap(), "one\n", "patches are covered all the same");
}

/// Something that a script does to one of a few files.
fn play(project: &Project, (name, deed): (usize, usize)) {
    let name = ["a", "b/c", "b/d", "kept", "src/main.rs"][name];
    let path = project.path(name);
    match deed {
        0..4 => project.write(name, ["", "x", "y\n", "x\ny\n"][deed]),
        4 => drop(fs::remove_file(&path)),
        5 if path.exists() => project.mode(name, 0o755),
        6 if path.exists() => project.mode(name, 0o600),
        7 => {
            let _ = fs::remove_file(&path);
            let _ = fs::remove_dir(path.parent().unwrap());
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_the_turns_did_taking_them_back_gives_the_same_files(
        turns in prop::collection::vec(prop::collection::vec((0..5_usize, 0..8_usize), 1..6), 1..4),
    ) {
        let project = Project::new();
        let files = |project: &Project| {
            let mut tree = tree(project.root.path());
            tree.retain(|_, what| what != "directory");
            tree
        };
        let mut undo = project.undo();
        let mut stages = Vec::new();
        for deeds in &turns {
            let before = files(&project);
            project.script(&mut undo, || deeds.iter().for_each(|deed| play(&project, *deed)));
            if files(&project) != before {
                stages.push(before);
            }
        }
        while let Some(stage) = stages.pop() {
            project.taken_back(&mut undo);
            prop_assert_eq!(files(&project), stage);
        }
        prop_assert!(project.take_back(&mut undo, Conflicts::Refuse).is_none());
    }
}
