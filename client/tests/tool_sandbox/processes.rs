//! From a command's start to the end of the last of its processes.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use scorpiox_client::clock::Clock;
use scorpiox_client::tool::sandbox::order::{Boundary, Report};
use scorpiox_client::tool::sandbox::policy::Network;
use scorpiox_client::tool::shell::invocation::{Invocation, Prepared};
use scorpiox_client::tool::shell::jobs::{Job, Jobs};
use scorpiox_client::tool::shell::running::{Ending, Running, Waited};

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
    holder.args(["--exact", "attempts::hold_a_command"]);
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

fn job(project: &Project, script: &str) -> Job {
    let running = project.start(project.boundary(), script);
    Job {
        shown: script.to_owned(),
        directory: PathBuf::new(),
        held: String::new(),
        network: Network::Refused,
        running,
        input: None,
    }
}

#[test]
fn a_command_in_the_background_is_asked_after_by_number() {
    let project = Project::sandboxed();
    let mut jobs = Jobs::default();
    let number = jobs.adopt(job(&project, "echo one; while ! test -e src/go; do sleep 0.02; done; echo two")).unwrap();
    let other = jobs.adopt(job(&project, "sleep 600")).unwrap();
    assert_eq!(jobs.list().map(|(number, _)| number).collect::<Vec<_>>(), [number, other]);
    let clock = &project.clock;
    let running = &jobs.get(number).unwrap().running;
    let mut output = String::new();
    while output != "one\n" {
        assert_eq!(running.wait(clock, Duration::from_millis(20), &|| false), Waited::TimeIsUp);
        output += &running.take_output().text();
    }
    fs::write(project.workspace().join("src/go"), "").unwrap();
    assert_eq!(running.wait(clock, Duration::from_secs(60), &|| false), Waited::Ended(exited(0)));
    assert_eq!(jobs.stop(number, clock).unwrap().text(), "two\n");
    assert!(jobs.stop(number, clock).is_none());
    jobs.stop_all(clock);
    assert_eq!(jobs.list().count(), 0);
}

#[test]
fn no_more_than_sixteen_go_on_and_what_ended_unseen_gives_up_its_place() {
    let project = Project::sandboxed();
    let mut jobs = Jobs::default();
    let first = jobs.adopt(job(&project, "while ! test -e src/go; do sleep 0.02; done")).unwrap();
    for _ in 1..16 {
        jobs.adopt(job(&project, "sleep 600")).unwrap();
    }
    assert!(!jobs.has_place());
    assert!(jobs.adopt(job(&project, "sleep 600")).is_err());
    fs::write(project.workspace().join("src/go"), "").unwrap();
    let running = &jobs.get(first).unwrap().running;
    assert_eq!(running.wait(&project.clock, Duration::from_secs(60), &|| false), Waited::Ended(exited(0)));
    assert!(jobs.has_place());
    jobs.stop_all(&project.clock);
}

#[test]
fn a_command_reads_what_is_written_to_it_later_and_an_end() {
    for isolation in ISOLATIONS {
        let project = Project::held_by(isolation);
        let (path, end) = project.launcher.scratch().open_input().unwrap();
        let invocation = Invocation::Script("read line; echo \"got $line\"; cat; echo end".into());
        let prepared = invocation.in_directory(&project.workspace(), "").unwrap();
        let prepared = Prepared { input: Some(path), ..prepared };
        let running = Running::start(&project.launcher, project.boundary(), prepared).unwrap();
        let mut job = Job {
            shown: String::new(),
            directory: PathBuf::new(),
            held: String::new(),
            network: Network::Refused,
            running,
            input: Some(end),
        };
        job.write("one\ntwo\n").unwrap();
        let refused = (0..100).find_map(|_| job.write(&"x\n".repeat(100_000)).err());
        job.end_input();
        assert!(job.write("x").unwrap_err().contains("standard input is closed"));
        let ended = project.finish(&job.running);
        assert!(refused.is_none_or(|why| why.contains("bytes were taken")));
        assert_eq!(ended.ending, exited(0));
        assert!(ended.output.starts_with("got one\ntwo\n") && ended.output.ends_with("end\n"), "{isolation:?}");
    }
}

#[test]
fn a_command_ends_when_its_time_is_up_though_nobody_looks() {
    for (project, boundary) in boundaries() {
        let mark = mark(9);
        let invocation = Invocation::Script(format!("{}\nsleep 600", daemons(&mark)));
        let prepared = invocation.in_directory(&project.workspace(), "").unwrap();
        let prepared = Prepared { timeout: Some(Duration::from_millis(1500)), ..prepared };
        let running = Running::start(&project.launcher, boundary, prepared).unwrap();
        let ended = project.finish(&running);
        assert_eq!(ended.ending, Ending::Reported(Report::TimeIsUp { after_ms: 1500 }));
        none_is_left(&project, &mark);
    }
}
