//! What may be read: everything but logins, keys and settings.

use scorpiox_client::tool::sandbox::scratch::Scratch;

use crate::project::{CANARY, ISOLATIONS, Project};

#[test]
fn no_login_key_or_setting_can_be_read() {
    let hidden = [
        "home/.config/scorpiox/codex-auth.json",
        "home/.config/scorpiox/scorpiox-env.txt",
        "home/.cache/scorpiox/a.token",
        "home/.codex/auth.json",
        "home/.ssh/id_ed25519",
        "home/keys/broker.key",
        "home/p/scorpiox-env.txt",
        "home/p/.scorpiox/scorpiox-env.txt",
    ];
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        for path in hidden {
            project.run(&format!("cat {}", project.path(path).display())).refused();
        }
        project.run("cat ./scorpiox-env.txt").refused();
        for door in ["root", "cwd"] {
            project.run(&format!("cd /; cat proc/self/{door}/$HOME/.ssh/id_ed25519")).refused();
        }
    }
}

#[test]
fn everything_else_can_be_read() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        for path in ["home/other/file", "home/p/src/x", "home/p/.git/config"] {
            project.run(&format!("cat {}", project.path(path).display())).printed(&format!("# {CANARY}\n"));
        }
        project.run("test -r /etc/passwd && ls / > /dev/null && echo yes").printed("yes\n");
    }
}

#[test]
fn a_command_sees_nothing_of_another_session() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let own = project.launcher.scratch();
        let other = Scratch::make(&project.path("")).unwrap();
        let (document, input) =
            (other.document("conversation", CANARY).unwrap(), other.input(CANARY.as_bytes()).unwrap());
        for theirs in [&document, &input] {
            project.run(&format!("cat {}", theirs.display())).refused();
        }
        project.run(&format!("echo x > {}/x", other.temporary().display())).refused();
        let mine = own.document("conversation", "mine").unwrap();
        project.run(&format!("cat {} && echo x > $TMPDIR/x && cat $TMPDIR/x", mine.display())).printed("minex\n");
        other.remove().unwrap();
    }
}

#[test]
fn no_other_name_leads_to_what_is_hidden() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        project.run("ln -s ~/.ssh/id_ed25519 src/link && cat src/link").refused();
        project.run("ln ~/.ssh/id_ed25519 src/hard && cat src/hard").refused();
        project.run("ln scorpiox-env.txt src/hard && cat src/hard").refused();
        project.run("mv scorpiox-env.txt src/moved && cat src/moved").refused();
        project.run("mv ~/.ssh src/moved && cat src/moved/id_ed25519").refused();
        project.run("cp -r ~/.codex src/ && cat src/.codex/auth.json").refused();
    }
}

#[test]
fn a_link_of_the_project_opens_nothing() {
    for isolation in ISOLATIONS {
        let project = Project::new();
        std::os::unix::fs::symlink(project.path("home/.ssh"), project.path("home/p/keys")).unwrap();
        std::os::unix::fs::symlink(project.path("home/.ssh"), project.path("home/linked")).unwrap();
        let sandbox = project.prove("home/p").unwrap();
        let project = project.with(sandbox, isolation);
        project.run("cat keys/id_ed25519").refused();
        project.run("cat ~/linked/id_ed25519").refused();
    }
}

#[test]
fn the_environment_holds_no_secret() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let ended = project.run("env; cat /proc/self/environ | tr '\\0' '\\n'; echo $TMPDIR");
        assert!(!ended.output.contains(CANARY), "{}", ended.output);
        assert!(ended.output.contains("PATH=") && ended.output.contains("scorpiox-"), "{}", ended.output);
    }
}

#[test]
fn no_terminal_of_the_person_can_be_opened() {
    let project = Project::sandboxed();
    for device in ["/dev/tty", "/dev/ptmx", "/dev/pts/0"] {
        let ended = project.run(&format!("exec 2>&1; echo x < {device}"));
        assert_ne!(ended.ending, crate::project::exited(0), "{device}");
    }
    project.run("echo x > /dev/null && head -c 3 /dev/zero | wc -c").printed("3\n");
}
