//! Time as an argument: the only place that asks the machine what time it is.

use std::fmt;
use std::future::Future;
use std::ops::{Add, Sub};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A moment on the calendar: whole seconds since 1970 (Unix time).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From Unix seconds.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// As Unix seconds.
    pub const fn as_unix(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(span.as_secs()))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(span.as_secs()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
        match time::OffsetDateTime::from_unix_timestamp(self.0).map(|moment| moment.format(&format)) {
            Ok(Ok(text)) => f.write_str(&text),
            _ => write!(f, "unix:{}", self.0),
        }
    }
}

/// A moment on a clock that never jumps: for waits, deadlines and backoff. Comparable only within one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Monotonic(Duration);

impl Monotonic {
    /// A moment `elapsed` after the clock's own zero.
    pub const fn from_zero(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Monotonic {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

/// A wait that somebody else may drop.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What time it is. The second implementation is the tests', which moves only when told.
pub trait Clock: Send + Sync + 'static {
    /// The calendar. May jump when the machine's clock is set; [`crate::timeline`] guards against that.
    fn wall(&self) -> Timestamp;
    /// The clock that never jumps and goes on while the machine sleeps.
    fn monotonic(&self) -> Monotonic;
    /// Completes `span` from now on the monotonic clock.
    fn sleep(&self, span: Duration) -> Sleep;
}

/// A clock that several parts share.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        Timestamp(rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec)
    }

    fn monotonic(&self) -> Monotonic {
        // On Linux the boot-time clock also counts while the machine is suspended; elsewhere this is the best there is.
        #[cfg(target_os = "linux")]
        const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
        let elapsed = rustix::time::clock_gettime(CLOCK);
        let seconds = u64::try_from(elapsed.tv_sec).unwrap_or(0);
        let nanoseconds = u32::try_from(elapsed.tv_nsec).unwrap_or(0);
        Monotonic(Duration::new(seconds, nanoseconds))
    }

    fn sleep(&self, span: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(span))
    }
}
