//! Which core a thread runs on: a server and its load generator that chase each other over the cores measure the
//! kernel's scheduler.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Servers and the load generator each have one, where there are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Core {
    Load,
    Server,
}

/// Runs `work` on this core, with every thread and process that it starts, and goes back to where this thread was.
pub(crate) fn on<T>(core: Core, work: impl FnOnce() -> T) -> T {
    let before = sched_getaffinity(None).expect("a thread may ask where it runs");
    let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|number| before.is_set(*number)).collect();
    if let [first, .., last] = allowed[..] {
        let mut one = CpuSet::new();
        one.set(if core == Core::Load { first } else { last });
        sched_setaffinity(None, &one).expect("a thread may stay where it is allowed to be");
    }
    let done = work();
    sched_setaffinity(None, &before).expect("a thread may go back to where it was");
    done
}
