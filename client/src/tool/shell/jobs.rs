//! Commands that go on in the background, by number.

use std::collections::BTreeMap;
use std::time::Duration;

use super::capture::Output;
use super::running::{Running, Waited};
use crate::clock::Clock;

/// The most that may run at one time.
const MOST: usize = 16;

/// The commands in the background of a session. Dropping this ends them.
#[derive(Debug, Default)]
pub struct Jobs {
    running: BTreeMap<u32, Running>,
    last: u32,
}

/// What the model reads when it asks after a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// Whether it has ended; an ended one is forgotten.
    pub waited: Waited,
    /// What it has written since it was asked after.
    pub output: Output,
}

impl Jobs {
    /// Takes a command in, and says its number. When there are too many, it is handed back.
    pub fn adopt(&mut self, running: Running) -> Result<u32, Running> {
        if self.running.len() >= MOST {
            return Err(running);
        }
        self.last += 1;
        self.running.insert(self.last, running);
        Ok(self.last)
    }

    /// The numbers of those that have not been seen to end.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.running.keys().copied()
    }

    /// Waits for a command, at most so long. `None`: there is none of this number.
    pub fn poll(
        &mut self,
        number: u32,
        clock: &dyn Clock,
        at_most: Duration,
        interrupted: &dyn Fn() -> bool,
    ) -> Option<Polled> {
        let running = self.running.get(&number)?;
        let waited = running.wait(clock, at_most, interrupted);
        let polled = Polled { waited, output: running.take_output() };
        if matches!(polled.waited, Waited::Ended(_)) {
            self.running.remove(&number);
        }
        Some(polled)
    }

    /// Ends a command. `None`: there is none of this number.
    pub fn stop(&mut self, number: u32, clock: &dyn Clock) -> Option<Polled> {
        let running = self.running.remove(&number)?;
        let waited = running.stop(clock);
        Some(Polled { waited, output: running.take_output() })
    }

    /// Ends all of them: at the end of a session.
    pub fn stop_all(&mut self, clock: &dyn Clock) {
        for number in self.numbers().collect::<Vec<_>>() {
            self.stop(number, clock);
        }
    }
}
