//! A person's own functions run in the sandbox like anything else.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use scorpiox_client::talk::Talk;
use scorpiox_client::tool::function::directory::Functions;
use scorpiox_client::tool::sandbox::policy::Access;
use scorpiox_client::tool::shell::invocation::Invocation;
use scorpiox_client::tool::shell::running::Running;

use crate::project::{Ended, ISOLATIONS, Project, exited};

const FOLDER: &str = "home/.config/scorpiox/functions";
const DESCRIPTION: &str = r#"{"description": "d", "parameters": {"type": "object",
    "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false}}"#;

fn call(project: &Project, program: &str, arguments: &str) -> Ended {
    let folder = project.path(FOLDER);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("f.json"), DESCRIPTION).unwrap();
    fs::write(folder.join("f"), format!("#!/bin/sh\n{program}\n")).unwrap();
    fs::set_permissions(folder.join("f"), fs::Permissions::from_mode(0o755)).unwrap();
    let functions = Functions::read(&folder, &[], &mut Talk::default());
    let function = functions.named("f").unwrap();
    let command = vec![function.program.to_str().unwrap().to_owned()];
    let mut prepared = Invocation::Direct(command).in_directory(&project.workspace(), "").unwrap();
    prepared.input = Some(project.launcher.scratch().input(function.arguments(arguments).unwrap().as_bytes()).unwrap());
    let boundary = project.sandbox().boundary_around(functions.folder(), Access::Write, function.network);
    project.finish(&Running::start(&project.launcher, boundary, prepared).unwrap())
}

#[test]
fn a_function_reads_its_arguments_and_answers() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let workspace = project.workspace();
        let expected = format!("{{\"a\":\"b c\"}} {}\n", workspace.display());
        call(&project, "echo \"$(cat) $PWD\"", r#"{ "a": "b c" }"#).printed(&expected);
        assert_eq!(call(&project, "exit 3", r#"{"a": ""}"#).ending, exited(3));
    }
}

#[test]
fn a_function_is_held_like_a_command() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        call(&project, "cat ~/.config/scorpiox/codex-auth.json", r#"{"a": ""}"#).refused();
        call(&project, "echo x > ~/.config/scorpiox/functions/f", r#"{"a": ""}"#).refused();
        call(&project, "echo x > ~/new", r#"{"a": ""}"#).refused();
        project.run("cat ~/.config/scorpiox/functions/f").refused();
    }
}
