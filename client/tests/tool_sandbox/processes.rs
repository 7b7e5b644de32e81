//! From a command's start to the end of the last of its processes.

use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use scorpiox_client::clock::Clock;
use scorpiox_client::tool::sandbox::order::{Boundary, Report};
use scorpiox_client::tool::shell::jobs::Jobs;
use scorpiox_client::tool::shell::running::{Ending, Waited};

use crate::attempts::HELD;
use crate::project::{ISOLATIONS, Project, exited, processes_with};

/// Held in each way, and not at all.
fn boundaries() -> impl Iterator<Item = (Project, Boundary)> {
    let held = ISOLATIONS.map(Project::held_by).map(|project| {
        let boundary = project.boundary();
        (project, boundary)
    });
    let open = Project::new();
    let boundary = open.launcher.unconfined();
    held.into_iter().chain([(open, boundary)])
}

/// An argument of `sleep` that nobody else uses.
fn mark(number: u32) -> String {
    format!("7{}.{number:03}", std::process::id())
}

/// A daemon as stubborn as a script can make one: a session of its own, orphaned, deaf, with the output held open.
fn daemons(mark: &str) -> String {
    let daemon = format!("trap \"\" HUP INT TERM; sleep {mark} & sleep {mark}; sleep {mark}");
    format!("(setsid sh -c '{daemon}' &) ; setsid sh -c 'setsid sh -c \"sleep {mark}\" & wait' & sleep {mark} &")
}

#[track_caller]
fn started(mark: &str) {
    for _ in 0..1000 {
        if processes_with(&format!("sleep\0{mark}")) >= 4 {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the daemons did not start");
}

#[test]
fn an_exit_code_and_a_signal_are_told() {
    for (project, boundary) in boundaries() {
        assert_eq!(project.run_in(boundary.clone(), "exit 7").ending, exited(7));
        let killed = project.run_in(boundary.clone(), "kill -SEGV $$").ending;
        assert_eq!(killed, Ending::Reported(Report::Signalled { signal: 11 }));
        project
            .run_in(boundary, "pwd; cat; echo e >&2; echo o")
            .printed(&format!("{}\ne\no\n", project.workspace().display()));
    }
}

#[test]
fn a_program_that_is_missing_is_named() {
    for (project, boundary) in boundaries() {
        use scorpiox_client::tool::shell::invocation::Invocation;
        use scorpiox_client::tool::shell::running::Running;
        let prepared = Invocation::Direct(vec!["no-such-program".into()]).in_directory(&project.workspace(), "src");
        let running = Running::start(&project.launcher, boundary, prepared.unwrap()).unwrap();
        let Ending::Reported(Report::NotStarted { why }) = project.finish(&running).ending else { panic!() };
        assert!(why.contains("no-such-program") && why.contains("src: "), "{why}");
    }
}

#[test]
fn no_process_survives_a_command_that_ends() {
    for (number, (project, boundary)) in (0..).zip(boundaries()) {
        let mark = mark(number);
        let script = format!("{} echo done; sleep 0.3", daemons(&mark));
        project.run_in(boundary, &script).printed("done\n");
        assert_eq!(processes_with(&mark), 0);
    }
}

#[test]
fn no_process_survives_a_timeout() {
    for (number, (project, boundary)) in (10..).zip(boundaries()) {
        let mark = mark(number);
        let running =
            project.start(boundary, &format!("trap '' TERM INT HUP; {} echo on; sleep {mark}", daemons(&mark)));
        started(&mark);
        assert_eq!(running.wait(&project.clock, Duration::ZERO, &|| false), Waited::TimeIsUp);
        assert_eq!(running.stop(&project.clock), Waited::Ended(Ending::Stopped));
        assert_eq!(processes_with(&mark), 0);
        assert_eq!(running.take_output().text(), "on\n");
    }
}

#[test]
fn a_person_is_heard_while_a_command_runs() {
    let project = Project::sandboxed();
    let running = project.start(project.boundary(), "sleep 600");
    let asked = std::cell::Cell::new(0);
    let interrupted = || asked.replace(asked.get() + 1) >= 3;
    assert_eq!(running.wait(&project.clock, Duration::from_secs(600), &interrupted), Waited::Interrupted);
    assert_eq!(running.stop(&project.clock), Waited::Ended(Ending::Stopped));
}

#[test]
fn a_command_that_is_dropped_ends() {
    for (number, (project, boundary)) in (20..).zip(boundaries()) {
        let mark = mark(number);
        let running = project.start(boundary, &format!("{} sleep {mark}", daemons(&mark)));
        started(&mark);
        drop(running);
        none_is_left(&project, &mark);
    }
}

#[track_caller]
fn none_is_left(project: &Project, mark: &str) {
    let until = project.clock.elapsed() + Duration::from_secs(20);
    while processes_with(mark) > 0 {
        assert!(project.clock.elapsed() < until, "survivors");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn no_process_survives_whoever_started_it() {
    let (project, mark) = (Project::new(), mark(40));
    let mut holder = Command::new(std::env::current_exe().unwrap());
    holder.args(["--ignored", "--exact", "attempts::hold_a_command"]);
    holder.env(HELD, format!("{} sleep {mark}", daemons(&mark))).env("TMPDIR", project.path(""));
    let mut holder = holder.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    started(&mark);
    holder.kill().unwrap();
    holder.wait().unwrap();
    none_is_left(&project, &mark);
}

#[test]
fn too_many_processes_are_the_end() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let mark = mark(30);
        let script = format!("i=0; while [ $i -lt 300 ]; do sleep {mark} & i=$((i+1)); done; wait");
        let ended = project.run_in(project.boundary_of(60), &script);
        // Whoever is not root hears it from the kernel first.
        let refused = ended.output.contains("fork");
        assert!(ended.ending == Ending::Reported(Report::TooManyProcesses) || refused, "{ended:?}");
        assert_eq!(processes_with(&mark), 0);
    }
}

#[test]
fn a_command_in_the_background_is_asked_after_by_number() {
    let project = Project::sandboxed();
    let mut jobs = Jobs::default();
    let running = project.start(project.boundary(), "echo one; while ! test -e src/go; do sleep 0.02; done; echo two");
    let number = jobs.adopt(running).unwrap();
    let other = jobs.adopt(project.start(project.boundary(), "sleep 600")).unwrap();
    assert_eq!(jobs.numbers().collect::<Vec<_>>(), [number, other]);
    let clock = &project.clock;
    let mut output = String::new();
    while output != "one\n" {
        let polled = jobs.poll(number, clock, Duration::from_millis(20), &|| false).unwrap();
        assert_eq!(polled.waited, Waited::TimeIsUp);
        output += &polled.output.text();
    }
    fs::write(project.workspace().join("src/go"), "").unwrap();
    let polled = jobs.poll(number, clock, Duration::from_secs(60), &|| false).unwrap();
    assert_eq!((polled.waited, polled.output.text().as_str()), (Waited::Ended(exited(0)), "two\n"));
    assert_eq!(jobs.poll(number, clock, Duration::ZERO, &|| false), None);
    assert_eq!(jobs.stop(other, clock).unwrap().waited, Waited::Ended(Ending::Stopped));
    assert_eq!(jobs.numbers().count(), 0);
}
