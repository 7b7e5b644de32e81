//! What the server's connections share with each other and with the test that owns it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::listen::ConnectionFault;
use crate::clock::Clock;
use crate::log::{EntryId, Fate};
use crate::oracle::Oracle;
use crate::settings::Settings;

/// The shared state.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) clock: Clock,
    oracle: Mutex<Oracle>,
    changed: Condvar,
    held: Mutex<VecDeque<oneshot::Sender<()>>>,
    connections: AtomicU64,
    connection_faults: Mutex<VecDeque<ConnectionFault>>,
    seed: u64,
}

impl Shared {
    pub(super) fn new(settings: Settings, seed: u64) -> Self {
        Self {
            clock: Clock::default(),
            oracle: Mutex::new(Oracle::new(settings, seed)),
            changed: Condvar::new(),
            held: Mutex::default(),
            connections: AtomicU64::new(0),
            connection_faults: Mutex::default(),
            seed,
        }
    }

    pub(super) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        lock(&self.oracle)
    }

    /// Changes the state and wakes whoever waits for that.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut Oracle) -> T) -> T {
        let result = change(&mut self.oracle());
        self.changed.notify_all();
        result
    }

    pub(super) fn finish(&self, id: EntryId, fate: Fate) {
        let now = self.clock.now();
        self.with(|oracle| oracle.finish(id, fate, now));
    }

    /// False when `patience` ran out first.
    pub(super) fn wait_until(&self, patience: Duration, condition: impl Fn(&Oracle) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.oracle(), patience, |oracle| !condition(oracle));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Completes when released.
    pub(super) async fn hold(&self) {
        let (release, released) = oneshot::channel();
        lock(&self.held).push_back(release);
        self.with(|_| ());
        // Dropping the other end releases too.
        let _ = released.await;
    }

    pub(super) fn held(&self) -> usize {
        lock(&self.held).iter().filter(|release| !release.is_closed()).count()
    }

    pub(super) fn release(&self, count: usize) -> usize {
        let mut held = lock(&self.held);
        // Those whose client has gone away no longer wait.
        held.retain(|release| !release.is_closed());
        let count = count.min(held.len());
        for release in held.drain(..count) {
            // Gone this very moment: then nobody waits.
            let _ = release.send(());
        }
        count
    }

    /// Counts a connection and says how it is to fare.
    pub(super) fn accept(&self) -> Option<ConnectionFault> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        lock(&self.connection_faults).pop_front()
    }

    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub(super) fn fault_connections(&self, fault: ConnectionFault, times: u32) {
        lock(&self.connection_faults).extend((0..times).map(|_| fault));
    }

    /// Back to the beginning: no logins, faults, log or clock offset; the settings stay.
    pub(super) fn reset(&self) {
        self.with(|oracle| *oracle = Oracle::new(oracle.settings().clone(), self.seed));
        self.clock.set_offset_s(0);
        lock(&self.connection_faults).clear();
        self.release(usize::MAX);
    }
}

/// A panic elsewhere leaves the state usable for the assertions that follow.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
