//! Time as an argument: the only file that reads a clock.

use std::time::Duration;

/// The time of day, the time since this command began, and a way to let some of it pass.
pub trait Clock {
    /// Milliseconds since the Unix epoch, on this machine's clock.
    fn unix_ms(&self) -> i64;
    /// How long this command has run, on a clock that nobody sets.
    fn elapsed(&self) -> Duration;
    /// Waits.
    fn pause(&self, duration: Duration);
}

/// A moment on a command's own clock until which something may take.
#[derive(Clone, Copy)]
pub struct Deadline<'a> {
    clock: &'a dyn Clock,
    at: Duration,
}

impl<'a> Deadline<'a> {
    /// So long from now.
    pub fn within(duration: Duration, clock: &'a dyn Clock) -> Self {
        Self { clock, at: clock.elapsed().saturating_add(duration) }
    }

    /// How long it is until then; zero when it is over.
    pub fn left(&self) -> Duration {
        self.at.saturating_sub(self.clock.elapsed())
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    /// Begins to count: call it first in `main`.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    pub fn start() -> Self {
        Self { started: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time of day")]
    fn unix_ms(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn pause(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

#[cfg(test)]
pub(crate) mod fixed {
    use std::cell::Cell;
    use std::time::Duration;

    use super::Clock;

    /// A clock that only the test moves; a pause moves it too.
    #[derive(Debug, Default)]
    pub(crate) struct TestClock {
        pub(crate) unix_ms: Cell<i64>,
        pub(crate) elapsed: Cell<Duration>,
    }

    impl TestClock {
        pub(crate) fn at(unix_ms: i64) -> Self {
            Self { unix_ms: Cell::new(unix_ms), elapsed: Cell::default() }
        }

        pub(crate) fn advance(&self, duration: Duration) {
            self.elapsed.set(self.elapsed.get() + duration);
            self.unix_ms.set(self.unix_ms.get() + i64::try_from(duration.as_millis()).unwrap());
        }
    }

    impl Clock for TestClock {
        fn unix_ms(&self) -> i64 {
            self.unix_ms.get()
        }

        fn elapsed(&self) -> Duration {
            self.elapsed.get()
        }

        fn pause(&self, duration: Duration) {
            self.advance(duration);
        }
    }
}
