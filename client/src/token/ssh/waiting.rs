//! The only place where the client waits asynchronously: ssh libraries want it. One thread, made for one connection.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::trouble::{Stage, Trouble};
use crate::clock::Deadline;

/// An agent is on this machine: who has to be asked longer is asking a person.
const LONGEST_AGENT: Duration = Duration::from_secs(2);

/// A runtime of one thread, and until when it may be used.
pub struct Waiting<'a> {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    deadline: Deadline<'a>,
}

impl<'a> Waiting<'a> {
    /// Until the deadline.
    pub fn until(deadline: Deadline<'a>) -> Result<Self, Trouble> {
        let no_runtime = |error: io::Error| Trouble::Unreachable(format!("no runtime: {error}"));
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(no_runtime)?;
        Ok(Self { runtime: Some(runtime), deadline })
    }

    /// Waits for something, at most until the deadline.
    pub fn wait<T>(&self, stage: Stage, what: impl Future<Output = T>) -> Result<T, Trouble> {
        self.wait_at_most(self.deadline.left(), what).ok_or(Trouble::TooSlow(stage))
    }

    /// Waits for the agent. `None` when it takes too long.
    pub fn wait_for_agent<T>(&self, what: impl Future<Output = T>) -> Option<T> {
        self.wait_at_most(self.deadline.left().min(LONGEST_AGENT), what)
    }

    fn wait_at_most<T>(&self, longest: Duration, what: impl Future<Output = T>) -> Option<T> {
        let runtime = self.runtime.as_ref().expect("it is there until it is dropped");
        runtime.block_on(async { timeout(longest, what).await }).ok()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // A name that is still being looked up, on a thread of its own, is not waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
