//! One at a time in a folder of settings, without a lock file that a project would have to ignore.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::failure::Failure;

/// How long a change by another process is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(10);

/// Held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock(#[expect(dead_code, reason = "closing the directory frees the lock")] File);

impl DirectoryLock {
    /// Waits until nobody else changes files in this directory.
    pub fn acquire(directory: &Path) -> Result<Self, Failure> {
        let clock = SystemClock::start();
        let broken = |error| Failure::configuration(format!("{} cannot be locked: {error}", directory.display()));
        let opened = File::open(directory).map_err(broken)?;
        loop {
            match opened.try_lock() {
                Ok(()) => return Ok(Self(opened)),
                Err(TryLockError::WouldBlock) if clock.elapsed() < PATIENCE => clock.pause(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let busy = format!("another process is changing settings in {}", directory.display());
                    return Err(Failure::temporary(busy).with_hint("try again"));
                }
                Err(TryLockError::Error(error)) => return Err(broken(error)),
            }
        }
    }
}
