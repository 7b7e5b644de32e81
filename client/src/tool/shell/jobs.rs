//! Commands that go on in the background, by number.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::capture::Output;
use super::running::Running;
use crate::clock::Clock;
use crate::tool::sandbox::policy::Network;
use crate::tool::sandbox::scratch::InputEnd;

/// The most that may run at one time.
pub const MOST: usize = 16;

/// The commands in the background of a session. Dropping this ends them.
#[derive(Debug, Default)]
pub struct Jobs {
    jobs: BTreeMap<u32, Job>,
    last: u32,
}

/// A command in the background.
#[derive(Debug)]
pub struct Job {
    /// As the person was shown it.
    pub shown: String,
    /// Where it began.
    pub directory: PathBuf,
    /// What holds it, in words.
    pub held: String,
    /// Whether it has a network.
    pub network: Network,
    /// It.
    pub running: Running,
    /// The other end of its standard input, when that is open.
    pub input: Option<InputEnd>,
}

impl Jobs {
    /// Whether another one has a place. What has ended and nobody asked after gives up its own.
    pub fn has_place(&mut self) -> bool {
        if self.jobs.len() >= MOST {
            self.jobs.retain(|_, job| job.running.ending().is_none());
        }
        self.jobs.len() < MOST
    }

    /// Takes a command in, and says its number. When there are too many, it is handed back.
    pub fn adopt(&mut self, job: Job) -> Result<u32, Job> {
        if !self.has_place() {
            return Err(job);
        }
        self.last += 1;
        self.jobs.insert(self.last, job);
        Ok(self.last)
    }

    /// Those that have not been seen to end, each with what the person was shown.
    pub fn list(&self) -> impl Iterator<Item = (u32, &str)> {
        self.jobs.iter().map(|(number, job)| (*number, job.shown.as_str()))
    }

    /// The command of this number.
    pub fn get(&self, number: u32) -> Option<&Job> {
        self.jobs.get(&number)
    }

    /// The command of this number, to write to it.
    pub fn get_mut(&mut self, number: u32) -> Option<&mut Job> {
        self.jobs.get_mut(&number)
    }

    /// Ends a command and forgets it; what it had still to say. `None`: there is none of this number.
    pub fn stop(&mut self, number: u32, clock: &dyn Clock) -> Option<Output> {
        let running = self.jobs.remove(&number)?.running;
        running.stop(clock);
        Some(running.take_output())
    }

    /// Ends all of them: at the end of a session.
    pub fn stop_all(&mut self, clock: &dyn Clock) {
        // All at once, then each is waited for.
        self.jobs.values().for_each(|job| job.running.cut());
        for number in self.jobs.keys().copied().collect::<Vec<_>>() {
            self.stop(number, clock);
        }
    }
}

impl Job {
    /// Writes to its standard input; never waits. The error is for the model.
    pub fn write(&mut self, text: &str) -> Result<(), String> {
        let written = self.input.as_mut().and_then(|input| input.write(text.as_bytes()));
        match written.ok_or("its standard input is closed; start it again with tty to write to it")? {
            Ok(taken) if taken == text.len() => Ok(()),
            Ok(taken) => Err(format!("it does not read: {taken} of {} bytes were taken", text.len())),
            Err(error) => Err(format!("it cannot be written to: {error}")),
        }
    }

    /// It reads the end of its input.
    pub fn end_input(&mut self) {
        self.input.iter_mut().for_each(InputEnd::end);
    }
}
