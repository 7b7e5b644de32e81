//! Other processes, above all the one that holds the token.

use std::process::{Command, Stdio};

use crate::project::{CANARY, ISOLATIONS, Project, exited};

#[test]
fn other_processes_cannot_be_looked_into_or_ended() {
    let mut neighbour = Command::new("sleep");
    neighbour.arg("60").env("SECRET", CANARY).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut neighbour = neighbour.spawn().unwrap();
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        for process in [neighbour.id(), std::process::id()] {
            project.run(&format!("cat /proc/{process}/environ")).refused();
            project.run(&format!("head -c 1 /proc/{process}/mem")).refused();
            project.run(&format!("readlink /proc/{process}/fd/1 || cat /proc/{process}/fd/1")).refused();
        }
        project.run(&format!("kill -9 {}", neighbour.id())).refused();
        assert_eq!(neighbour.try_wait().unwrap(), None);
    }
    neighbour.kill().unwrap();
    neighbour.wait().unwrap();
}

#[test]
fn the_launcher_cannot_be_looked_into_or_ended() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        project.run("cat /proc/$PPID/environ").refused();
        project.run("head -c 1 /proc/$PPID/mem").refused();
        let ended = project.run("kill -9 $PPID; kill -TERM $PPID; sleep 0.1; echo on");
        assert!(!ended.output.contains(CANARY), "{ended:?}");
    }
}

#[test]
fn nothing_can_be_made_of_other_rights() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        project
            .run("grep -E '^(CapEff|CapPrm|NoNewPrivs)' /proc/self/status | tr -s '\\t ' ' '")
            .printed("CapPrm: 0000000000000000\nCapEff: 0000000000000000\nNoNewPrivs: 1\n");
        let ended = project.run("unshare -U -r true");
        assert!(ended.ending != exited(0) && !ended.output.contains("not found"), "{ended:?}");
        assert_ne!(project.run("umount ./scorpiox-env.txt || umount .git").ending, exited(0));
    }
}
