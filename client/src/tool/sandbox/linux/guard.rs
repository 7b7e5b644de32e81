//! The outer stage: outlives everything that it starts, and ends it.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{
    DumpableBehavior, Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal, set_child_subreaper,
    set_dumpable_behavior, setsid,
};

use super::lifeline::{self, Event};
use super::{Refusal, descendants, mounts};
use crate::clock::{Clock as _, SystemClock};
use crate::tool::sandbox::order::{Boundary, Isolation, Order, Report, hear, say};

/// Between two looks at the number of processes.
const LOOK: Duration = Duration::from_millis(250);

/// Hears an order, has it carried out, reports.
pub(in crate::tool::sandbox) fn run() -> Result<(), Refusal> {
    let lifeline = lifeline::standard_input()?;
    let report = hear(&lifeline).map_err(Refusal::from).and_then(|order| carry_out(&order, &lifeline));
    let report = report.unwrap_or_else(|refusal| Some(Report::NotStarted { why: refusal.to_string() }));
    if let Some(report) = report {
        say(&lifeline, &report)?;
    }
    Ok(())
}

/// `None` when nobody waits for a report any more.
fn carry_out(order: &Order, lifeline: &UnixStream) -> Result<Option<Report>, Refusal> {
    // Away from the terminal of the person: no keys from it, no signals from its keys.
    setsid()?;
    set_child_subreaper(Some(rustix::process::getpid()))?;
    if let Boundary::Sandbox { policy, isolation: Isolation::Namespaces, .. } = &order.boundary {
        mounts::enter(policy.network)?;
    }
    let (inner, theirs) = UnixStream::pair()?;
    let child = Command::new("/proc/self/exe").arg("inner").stdin(Stdio::from(OwnedFd::from(theirs))).spawn()?;
    // Not sooner: the maps of the user namespace are written through files that a closed process cannot open.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let pid = Pid::from_raw(child.id().try_into()?).ok_or("a process without a number")?;
    let process = pidfd_open(pid, PidfdFlags::empty())?;
    say(&inner, order)?;
    let ended = watch(lifeline, &process, order);
    // In either case, and whatever went wrong. It may have ended already.
    let _ = pidfd_send_signal(&process, Signal::KILL);
    descendants::end();
    Ok(match ended? {
        End::Own => Some(last_word(&inner)),
        End::Wanted => None,
        End::TimeIsUp(after_ms) => Some(Report::TimeIsUp { after_ms }),
        End::TooManyProcesses => Some(Report::TooManyProcesses),
    })
}

/// Why it is over.
enum End {
    Own,
    Wanted,
    TimeIsUp(u64),
    TooManyProcesses,
}

fn watch(lifeline: &UnixStream, process: &OwnedFd, order: &Order) -> Result<End, Refusal> {
    let (clock, processes) = (SystemClock::start(), order.boundary.limits().processes);
    loop {
        let timeout = order.timeout_ms.map(Duration::from_millis);
        let left = timeout.map_or(LOOK, |timeout| timeout.saturating_sub(clock.elapsed()));
        match lifeline::wait(lifeline, process.as_fd(), left.min(LOOK))? {
            Event::Ended => return Ok(End::Own),
            Event::Cut => return Ok(End::Wanted),
            Event::Nothing => {}
        }
        if let (Some(after_ms), true) = (order.timeout_ms, left.is_zero()) {
            return Ok(End::TimeIsUp(after_ms));
        }
        // The kernel's own bound counts by user, and not for every user.
        if descendants::count() as u64 > processes {
            return Ok(End::TooManyProcesses);
        }
    }
}

fn last_word(inner: &UnixStream) -> Report {
    hear(inner).unwrap_or_else(|_| Report::NotStarted { why: "the sandbox was ended from outside".into() })
}
