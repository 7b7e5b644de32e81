//! A command that has been started: its output as it comes, its end, and a way to end it.

use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::capture::{Capture, Output};
use super::invocation::Prepared;
use crate::clock::Clock;
use crate::tool::sandbox::launcher::{Launched, Launcher, Lifeline};
use crate::tool::sandbox::order::{Boundary, Order, Report};

/// Between two looks at whether a person wants the end.
const LOOK: Duration = Duration::from_millis(50);
/// How long the end of all its processes may take after a stop. It takes milliseconds.
const LONGEST_END: Duration = Duration::from_secs(3);
const READ_AT_ONCE: usize = 64 * 1024;

/// A command that has been started. Dropping it ends it too.
#[derive(Debug)]
pub struct Running {
    lifeline: Lifeline,
    progress: Arc<Progress>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// What the launcher reported.
    Reported(Report),
    /// It was stopped: time was up, or a person wanted it.
    Stopped,
}

/// What was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waited {
    /// It ended, and so did all its processes.
    Ended(Ending),
    /// It goes on.
    TimeIsUp,
    /// It goes on, and a person wants something.
    Interrupted,
}

#[derive(Debug, Default)]
struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    capture: Capture,
    ending: Option<Ending>,
}

impl Running {
    /// Starts it.
    pub fn start(launcher: &Launcher, boundary: Boundary, prepared: Prepared) -> io::Result<Self> {
        let Prepared { command, directory, input, timeout } = prepared;
        let timeout_ms = timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        let order = Order { command, directory, input, boundary, timeout_ms };
        let launched = launcher.launch(&order)?;
        let lifeline = launched.lifeline()?;
        let progress = Arc::new(Progress::default());
        let shared = Arc::clone(&progress);
        thread::Builder::new().name("command output".into()).spawn(move || follow(launched, &shared))?;
        Ok(Self { lifeline, progress })
    }

    /// Waits for its end, at most so long, or until `interrupted` says so.
    pub fn wait(&self, clock: &dyn Clock, at_most: Duration, interrupted: &dyn Fn() -> bool) -> Waited {
        let deadline = clock.elapsed() + at_most;
        let mut state = self.progress.lock();
        loop {
            if let Some(ending) = &state.ending {
                return Waited::Ended(ending.clone());
            }
            if interrupted() {
                return Waited::Interrupted;
            }
            let left = deadline.saturating_sub(clock.elapsed());
            if left.is_zero() {
                return Waited::TimeIsUp;
            }
            let waited = self.progress.changed.wait_timeout(state, left.min(LOOK));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends it with all its processes, and waits until they are gone. `TimeIsUp`: something is left that this user
    /// cannot end.
    pub fn stop(&self, clock: &dyn Clock) -> Waited {
        self.lifeline.cut();
        self.wait(clock, LONGEST_END, &|| false)
    }

    /// Ends it, and does not wait.
    pub fn cut(&self) {
        self.lifeline.cut();
    }

    /// How it ended, if it has.
    pub fn ending(&self) -> Option<Ending> {
        self.progress.lock().ending.clone()
    }

    /// What it has written since the last call.
    pub fn take_output(&self) -> Output {
        self.progress.lock().capture.take()
    }

    /// The last so many bytes of what it has written, to be shown meanwhile.
    pub fn latest(&self, bytes: usize) -> Vec<u8> {
        self.progress.lock().capture.latest(bytes)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.lifeline.cut();
    }
}

impl Progress {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // The state is whole between any two statements that could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads all output, then the report. Runs in its own thread, which ends with the command.
fn follow(launched: Launched, progress: &Progress) {
    let ending = match read_all(&launched, progress).and_then(|()| launched.report()) {
        Ok(report) => Ending::Reported(report),
        // Without a report: the lifeline was cut.
        Err(_) => Ending::Stopped,
    };
    progress.lock().ending = Some(ending);
    progress.changed.notify_all();
}

fn read_all(launched: &Launched, progress: &Progress) -> io::Result<()> {
    let mut output = launched.output()?;
    let mut piece = vec![0; READ_AT_ONCE];
    loop {
        let read = match output.read(&mut piece) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        progress.lock().capture.add(&piece[..read]);
        progress.changed.notify_all();
    }
}
