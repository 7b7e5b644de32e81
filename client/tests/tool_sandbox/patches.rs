//! A patch is performed by a child that is held like a command.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use scorpiox_client::tool::patch::confined::Confined;
use scorpiox_client::tool::patch::directory::Directory;
use scorpiox_client::tool::patch::{self, Plan};

use crate::project::{ISOLATIONS, Project};

fn planned(files: &Directory, middle: &str) -> Plan {
    patch::read(&format!("*** Begin Patch\n{middle}\n*** End Patch"), files).unwrap()
}

fn apply(project: &Project, plan: &Plan) -> Result<String, String> {
    let (place, boundary) = (project.workspace(), project.sandbox().boundary_of_patches());
    let files = Directory::open(&place).unwrap();
    let mut confined = Confined::new(&files, &place, &project.launcher, boundary);
    patch::apply(plan, &mut confined).map_err(|rejection| rejection.to_string())
}

#[test]
fn files_change_all_of_them_and_the_model_is_told_the_same() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let place = project.workspace();
        fs::create_dir_all(place.join(".git/hooks")).unwrap();
        fs::write(place.join("top"), "a\r\n").unwrap();
        fs::write(place.join("src/old"), "b\n").unwrap();
        fs::set_permissions(place.join("src/old"), fs::Permissions::from_mode(0o750)).unwrap();
        let middle = "*** Update File: top\n-a\n+c\n*** Update File: src/old\n*** Move to: new/deep/name\n-b\n+d\n\
                      *** Add File: beside\n+e";
        let plan = planned(&Directory::open(&place).unwrap(), middle);
        let told = "Success. Updated the following files:\nM top\nM new/deep/name\nA beside\n";
        assert_eq!(apply(&project, &plan), Ok(told.to_owned()), "{isolation:?}");
        assert_eq!(fs::read(place.join("top")).unwrap(), b"c\r\n");
        assert_eq!(fs::read(place.join("beside")).unwrap(), b"e\n");
        let moved = place.join("new/deep/name");
        assert_eq!(fs::read(&moved).unwrap(), b"d\n");
        assert_eq!(fs::metadata(&moved).unwrap().permissions().mode() & 0o777, 0o750);
        assert!(!place.join("src/old").exists());
    }
}

#[test]
fn what_changed_since_it_was_read_is_refused_in_the_same_words_and_nothing_changes() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let place = project.workspace();
        fs::write(place.join("src/a"), "a\n").unwrap();
        fs::write(place.join("src/b"), "b\n").unwrap();
        let middle = "*** Update File: src/a\n-a\n+c\n*** Update File: src/b\n-b\n+c";
        let plan = planned(&Directory::open(&place).unwrap(), middle);
        fs::write(place.join("src/b"), "other\n").unwrap();
        let refused = apply(&project, &plan);
        assert_eq!(refused, Err("src/b was changed by somebody else meanwhile; read it again".to_owned()));
        assert_eq!(fs::read(place.join("src/a")).unwrap(), b"a\n");
        assert_eq!(fs::read_dir(place.join("src")).unwrap().count(), 3, "nothing is left over");
    }
}

#[test]
fn nothing_outside_of_the_workspace_changes_whatever_the_plan_and_the_links_say() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let place = project.workspace();
        let outside = project.path("home/outside");
        fs::create_dir(&outside).unwrap();
        fs::create_dir(place.join("src/sub")).unwrap();
        let plan = planned(&Directory::open(&place).unwrap(), "*** Add File: src/sub/new\n+x");
        fs::remove_dir(place.join("src/sub")).unwrap();
        symlink(&outside, place.join("src/sub")).unwrap();
        let refused = apply(&project, &plan).unwrap_err();
        assert!(refused.contains("symbolic link"), "{refused}");
        // The same plan in another directory: the child is held there, whatever it is told.
        let files = Directory::open(&outside).unwrap();
        let plan = planned(&files, "*** Add File: new\n+x");
        let boundary = project.sandbox().boundary_of_patches();
        let mut confined = Confined::new(&files, &outside, &project.launcher, boundary);
        assert!(patch::apply(&plan, &mut confined).is_err());
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }
}
