//! The inner stage: confines itself, starts the command, waits for its end.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions, WaitStatus, pidfd_open,
    set_dumpable_behavior, set_parent_process_death_signal, setrlimit, wait,
};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_no_new_privs};

use super::lifeline::{self, Event};
use super::{Refusal, access, calls, mounts};
use crate::tool::sandbox::grants;
use crate::tool::sandbox::order::{Boundary, Isolation, Order, Report, hear, say};
use crate::tool::sandbox::policy::{Limits, Policy};

/// Between two looks at children that ended.
const LOOK: Duration = Duration::from_millis(200);

/// Hears an order, carries it out, reports.
pub(in crate::tool::sandbox) fn run() -> Result<(), Refusal> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let lifeline = lifeline::standard_input()?;
    let order: Order = hear(&lifeline)?;
    let report = carry_out(&order, &lifeline);
    let report = report.unwrap_or_else(|refusal| Some(Report::NotStarted { why: refusal.to_string() }));
    if let Some(report) = report {
        say(&lifeline, &report)?;
    }
    Ok(())
}

fn carry_out(order: &Order, lifeline: &UnixStream) -> Result<Option<Report>, Refusal> {
    let limits = order.boundary.limits();
    if let Boundary::Sandbox { policy, isolation, blank_file, blank_directory } = &order.boundary {
        if *isolation == Isolation::Namespaces {
            mounts::arrange(policy, blank_file, blank_directory)?;
        }
        bound(limits, *isolation)?;
        confine(policy, *isolation)?;
    }
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let (program, arguments) = order.command.split_first().ok_or("there is no command")?;
    let mut command = Command::new(program);
    let input = match &order.input {
        None => Stdio::null(),
        // Opened in the sandbox: it is not a way around it.
        Some(path) => open(path).map_err(|error| format!("{}: {error}", path.display()))?.into(),
    };
    command.args(arguments).current_dir(&order.directory).stdin(input);
    let child = command.spawn().map_err(|error| format!("{program} in {}: {error}", order.directory.display()))?;
    let pid = Pid::from_raw(child.id().try_into()?).ok_or("a process without a number")?;
    watch(lifeline, pid)
}

/// Without waiting for somebody who writes: what a command reads may have been written and ended already.
fn open(path: &Path) -> rustix::io::Result<File> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file.into())
}

fn confine(policy: &Policy, isolation: Isolation) -> Result<(), Refusal> {
    set_no_new_privs(true)?;
    access::restrict(&grants::of(policy, isolation, &access::Disk), policy.network)?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    calls::restrict(policy.network)
}

fn bound(limits: Limits, isolation: Isolation) -> Result<(), Refusal> {
    let lower = |resource, value: u64| {
        let now = rustix::process::getrlimit(resource);
        let value = now.maximum.map_or(value, |maximum| maximum.min(value));
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
    };
    lower(Resource::Core, 0)?;
    lower(Resource::Fsize, limits.file_bytes)?;
    // The kernel counts by user; only in a user namespace are those the command's own.
    if isolation == Isolation::Namespaces {
        lower(Resource::Nproc, limits.processes)?;
    }
    Ok(())
}

fn watch(lifeline: &UnixStream, command: Pid) -> Result<Option<Report>, Refusal> {
    let process = pidfd_open(command, PidfdFlags::empty())?;
    loop {
        if lifeline::wait(lifeline, process.as_fd(), LOOK)? == Event::Cut {
            return Ok(None);
        }
        // The first process of a namespace is the parent of all that lost theirs.
        while let Some((ended, status)) = wait(WaitOptions::NOHANG).ok().flatten() {
            if ended == command {
                return Ok(Some(report(status)));
            }
        }
    }
}

fn report(status: WaitStatus) -> Report {
    match status.terminating_signal() {
        Some(signal) => Report::Signalled { signal },
        None => Report::Exited { code: status.exit_status().unwrap_or(-1) },
    }
}
