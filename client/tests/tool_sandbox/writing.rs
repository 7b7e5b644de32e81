//! What may be changed: the workspace without its repository and settings, and a temporary directory.

use std::fs;

use scorpiox_client::tool::sandbox::order::Isolation;
use scorpiox_client::tool::sandbox::policy::{Access, Network};

use crate::project::{CANARY, ISOLATIONS, Project};

#[test]
fn the_workspace_and_the_temporary_directory_can_be_written() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        project
            .run("mkdir src/d && echo a > src/d/f && mv src/d/f src/g && chmod +x src/g && cat src/g")
            .printed("a\n");
        project.run("f=$(mktemp) && echo b > $f && cat $f && rm $f").printed("b\n");
        assert_eq!(fs::read_to_string(project.path("home/p/src/g")).unwrap(), "a\n");
    }
}

#[test]
fn nothing_outside_can_be_changed() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let other = project.path("home/other/file");
        let other = other.display();
        project.run(&format!("echo x > {other}")).refused();
        project.run("echo x > ~/new").refused();
        project.run("echo x > /tmp/scorpiox-test-outside").refused();
        project.run("mkdir ~/new").refused();
        project.run(&format!("rm {other}")).refused();
        project.run(&format!("ln -s {other} src/link && echo x > src/link")).refused();
        project.run(&format!("ln {other} src/hard && echo x > src/hard")).refused();
        project.run(&format!("mv {other} src/")).refused();
        project.run(&format!("cp src/x src/y && mv src/y {other}")).refused();
        project.run(&format!("truncate -s 0 {other}")).refused();
        assert_eq!(fs::read_to_string(project.path("home/other/file")).unwrap(), format!("# {CANARY}\n"));
    }
}

#[test]
fn with_namespaces_not_even_a_mode_or_a_time_outside_can_be_changed() {
    let project = Project::held_by(Isolation::Namespaces);
    for path in ["home/other/file", "home/.ssh/id_ed25519"] {
        let path = project.path(path);
        project.run(&format!("chmod 777 {}", path.display())).refused();
        project.run(&format!("touch -d 2001-01-01 {}", path.display())).refused();
    }
}

#[test]
fn what_git_runs_later_cannot_be_changed() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        for script in [
            "echo evil > .git/hooks/pre-commit",
            "echo evil > .git/hooks/post-merge",
            "echo evil >> .git/config",
            "echo src > .git/commondir",
            "rm -rf .git/hooks",
            "mv .git src/git",
            "mv .git/hooks src/hooks",
            "ln -sf ../../src/x .git/hooks/pre-push",
            "ln .git/hooks/pre-commit src/hook && echo evil > src/hook",
            "ln .git/config src/config && echo evil > src/config",
        ] {
            project.run(script).refused();
        }
        assert_eq!(fs::read_to_string(project.path("home/p/.git/hooks/pre-commit")).unwrap(), format!("# {CANARY}\n"));
        assert!(!project.path("home/p/.git/commondir").exists());
    }
}

#[test]
fn a_repository_inside_cannot_be_led_elsewhere() {
    for isolation in ISOLATIONS {
        let project = Project::new();
        for directory in ["home/p/vendor/a", "home/p/vendor/b/.git/hooks"] {
            fs::create_dir_all(project.path(directory)).unwrap();
        }
        fs::write(project.path("home/p/vendor/a/.git"), "gitdir: ../../.git/modules/a\n").unwrap();
        let sandbox = project.prove("home/p").unwrap();
        let project = project.with(sandbox, isolation);
        project.run("echo gitdir: ../../src > vendor/a/.git").refused();
        project.run("rm vendor/a/.git").refused();
        project.run("echo evil > vendor/b/.git/hooks/pre-commit").refused();
        project.run("mv vendor/a x").refused();
        project.run("mv vendor x").refused();
        project.run("cat vendor/a/.git").printed("gitdir: ../../.git/modules/a\n");
    }
}

#[test]
fn our_own_files_cannot_be_changed() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        for script in [
            "echo CODEX_REMOTE_URL=https://evil.example/codex > scorpiox-env.txt",
            "rm scorpiox-env.txt",
            "mv src/x scorpiox-env.txt",
            "echo x > .scorpiox/scorpiox-env.txt",
            "mkdir .scorpiox/scorpiox-env",
            "mv .scorpiox src/s",
        ] {
            project.run(script).refused();
        }
        assert!(fs::read_to_string(project.path("home/p/scorpiox-env.txt")).unwrap().starts_with("TOKEN_HTTP"));
    }
}

#[test]
fn shared_memory_is_a_commands_own() {
    let project = Project::held_by(Isolation::Namespaces);
    project.run("ls /dev/shm | wc -l && echo a > /dev/shm/x && cat /dev/shm/x").printed("0\na\n");
    project.run("cat /dev/shm/x").refused();
    Project::held_by(Isolation::Landlock).run("echo a > /dev/shm/x").refused();
}

#[test]
fn a_read_only_workspace_is_read_only() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let boundary = || project.sandbox().boundary(Access::Read, Network::Refused);
        project.run_in(boundary(), "cat src/x").printed(&format!("# {CANARY}\n"));
        project.run_in(boundary(), "echo x > src/x").refused();
        project.run_in(boundary(), "rm src/x").refused();
    }
}

#[test]
fn the_top_of_the_workspace_is_writable_with_namespaces() {
    let project = Project::held_by(Isolation::Namespaces);
    project.run("echo a > new && cat new && rm new").printed("a\n");
    // What this costs without them is said where the isolation is chosen.
    Project::held_by(Isolation::Landlock).run("echo a > new").refused();
}
