//! A clock that moves only when told: the provider's true time, the machine's calendar, and the monotonic clock apart.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use scorpiox_broker::clock::{Clock, Monotonic, Sleep, Timestamp};

/// What the provider's calendar says when a world begins (Unix seconds).
pub const BEGINNING: i64 = 1_790_000_000;

/// A clock that is moved by hand. Cheap to clone; all clones are one clock.
#[derive(Debug, Clone, Default)]
pub struct SimClock(Arc<Mutex<Hands>>);

#[derive(Debug, Default)]
struct Hands {
    /// Since the beginning of the world.
    elapsed: Duration,
    /// When the machine was started: the monotonic clock's zero.
    booted: Duration,
    /// How far the machine's calendar is wrong.
    wall_error: i64,
    sleepers: BTreeMap<(Duration, u64), Waker>,
    next_sleeper: u64,
}

impl SimClock {
    /// The true time, which the provider has (Unix seconds).
    pub fn truth(&self) -> i64 {
        BEGINNING + i64::try_from(self.hands().elapsed.as_secs()).expect("no world lives that long")
    }

    /// How long the world has existed.
    pub fn elapsed(&self) -> Duration {
        self.hands().elapsed
    }

    /// Time passes for everybody. Sleepers whose time has come wake, earliest first.
    pub fn advance(&self, span: Duration) {
        let due = {
            let mut hands = self.hands();
            hands.elapsed += span;
            let now = hands.elapsed;
            let later = hands.sleepers.split_off(&(now, u64::MAX));
            std::mem::replace(&mut hands.sleepers, later)
        };
        for waker in due.into_values() {
            waker.wake();
        }
    }

    /// How long until the first sleeper wakes; `None` when nobody sleeps.
    pub fn until_next_sleeper(&self) -> Option<Duration> {
        let hands = self.hands();
        let ((deadline, _), _) = hands.sleepers.first_key_value()?;
        Some(deadline.saturating_sub(hands.elapsed))
    }

    /// Somebody sets the machine's calendar, so many seconds away from the truth.
    pub fn set_wall_error(&self, seconds: i64) {
        self.hands().wall_error = seconds;
    }

    /// How many seconds the machine's calendar is ahead of the truth.
    pub fn wall_error(&self) -> i64 {
        self.hands().wall_error
    }

    /// The machine starts again: its monotonic clock begins at zero.
    pub fn reboot(&self) {
        let mut hands = self.hands();
        hands.booted = hands.elapsed;
        hands.sleepers.clear();
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix(self.truth() + self.wall_error())
    }

    fn monotonic(&self) -> Monotonic {
        let hands = self.hands();
        // Never zero: a start takes a moment.
        Monotonic::from_zero(hands.elapsed - hands.booted + Duration::from_secs(1))
    }

    fn sleep(&self, span: Duration) -> Sleep {
        let mut sleeper = Sleeper { clock: self.clone(), key: None, span };
        Box::pin(poll_fn(move |cx| sleeper.poll(cx.waker())))
    }
}

/// Sleeps from its first poll on, and is forgotten when dropped.
struct Sleeper {
    clock: SimClock,
    key: Option<(Duration, u64)>,
    span: Duration,
}

impl Sleeper {
    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        let mut hands = self.clock.hands();
        let key = *self.key.get_or_insert_with(|| {
            hands.next_sleeper += 1;
            (hands.elapsed + self.span, hands.next_sleeper)
        });
        if key.0 <= hands.elapsed {
            return Poll::Ready(());
        }
        hands.sleepers.insert(key, waker.clone());
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.hands().sleepers.remove(&key);
        }
    }
}
