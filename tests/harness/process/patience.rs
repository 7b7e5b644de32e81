//! Waiting for what another process does: by looking again, with an end.

use std::time::{Duration, Instant};

/// How long a test waits for something that should happen at once; the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// A moment on the machine's clock, for durations that a test reports or bounds generously.
#[expect(clippy::disallowed_methods, reason = "another process runs on the machine's clock, not on a test's")]
pub fn now() -> Instant {
    Instant::now()
}

/// Waits until `look` finds something.
///
/// # Panics
/// After [`PATIENCE`].
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, look).unwrap_or_else(|| panic!("{what}: not within {PATIENCE:?}"))
}

/// The same with an end that is no failure.
pub fn within<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let began = now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if began.elapsed() > patience {
            return None;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}
