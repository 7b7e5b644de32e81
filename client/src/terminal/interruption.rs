//! Signals to a command that holds a terminal: it is given back before anything ends or stops.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgid, getppid, getsid, kill_current_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::{emulate_default_handler, exit, raise};

use super::keyboard;

/// When Ctrl-C ends the command, as a shell would say it.
const INTERRUPTED: i32 = 130;
/// So many times the command has gone on after a stop.
static RESUMED: AtomicU32 = AtomicU32::new(0);
/// Between two looks whether the command has been stopped and goes on, and how many there are.
const LOOK: Duration = Duration::from_millis(5);
const MOST_LOOKS: u32 = 200;

/// From here on Ctrl-C sets `stop`, and ends the command when nobody has cleared it since; whatever else ends or stops
/// the command gives the terminal back first.
pub fn attend(stop: Arc<AtomicBool>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGINT if !stop.swap(true, Ordering::SeqCst) => {}
                SIGINT => {
                    keyboard::give_back();
                    exit(INTERRUPTED);
                }
                SIGTSTP => stop_for_a_while(),
                ends => {
                    keyboard::give_back();
                    let _ = emulate_default_handler(ends);
                }
            }
        }
    })?;
    Ok(())
}

/// Ctrl-Z, from somebody who has read it as a key: stops the job that the command is part of, until it is continued.
pub fn suspend() {
    let before = RESUMED.load(Ordering::SeqCst);
    if kill_current_process_group(Signal::TSTP).is_err() {
        return;
    }
    // The other thread does it: so there is one way to stop, whoever asks.
    for _ in 0..MOST_LOOKS {
        if RESUMED.load(Ordering::SeqCst) != before {
            return;
        }
        thread::sleep(LOOK);
    }
}

fn stop_for_a_while() {
    if is_job_of_a_shell() {
        keyboard::given_back_while(|| {
            // To this thread, so that nothing of it runs before the stop.
            let _ = raise(SIGSTOP);
        });
    }
    RESUMED.fetch_add(1, Ordering::SeqCst);
}

/// Whether somebody of this terminal's session can continue what is stopped: the parent of a process of the job that
/// is not of the job itself (POSIX: the group is not orphaned).
fn is_job_of_a_shell() -> bool {
    let (Ok(session), Ok(job)) = (getsid(None), getpgid(None)) else { return false };
    let mut parent = getppid();
    // A job of more generations is no job of a person.
    for _ in 0..16 {
        let Some(pid) = parent else { return false };
        if getsid(Some(pid)) != Ok(session) {
            return false;
        }
        if getpgid(Some(pid)) != Ok(job) {
            return true;
        }
        parent = parent_of(pid);
    }
    false
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name in parentheses may hold anything.
    let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
    Pid::from_raw(parent.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_the_parent_that_the_system_says() {
        assert_eq!(parent_of(rustix::process::getpid()), getppid());
    }
}
