//! Where nothing can be confined, that is said, and nothing is started.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use scorpiox_client::tool::sandbox::launcher::Launcher;
use scorpiox_client::tool::sandbox::{Sandbox, Unavailable};

use crate::project::Project;

#[test]
fn a_missing_launcher_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Launcher::new(dir.path(), [], dir.path()).unwrap_err();
    assert!(matches!(missing, Unavailable::NoLauncher { .. }) && missing.to_string().contains("scorpiox-sandbox"));
}

#[test]
fn a_launcher_that_confines_nothing_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("scorpiox-sandbox");
    // It says that all is well.
    let report = r#"{"exited":{"code":0}}"#;
    let could =
        r#"{"read_what_is_hidden":true,"write_outside":true,"connect":true,"write_to_its_temporary_directory":true}"#;
    fs::write(&program, format!("#!/bin/sh\nread order\necho '{could}'\necho '{report}' >&0\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let launcher = Launcher::new(dir.path(), [], dir.path()).unwrap();
    let refused = Sandbox::prove(&launcher, dir.path(), Vec::new(), None).unwrap_err();
    let Unavailable::NotHeld { namespaces, landlock } = refused else { panic!("{refused:?}") };
    assert!(namespaces.contains("read_what_is_hidden: true") && landlock.contains("connect: true"), "{namespaces}");
}

#[test]
fn a_home_directory_is_no_project() {
    let project = Project::new();
    for workspace in ["home", "", "home/.ssh", "home/.config/scorpiox"] {
        let refused = project.prove(workspace).unwrap_err();
        assert!(matches!(refused, Unavailable::Workspace { .. }), "{refused}");
    }
}
