//! So many in a span of time, and no more: the generic cell rate algorithm, in one atomic number.
//!
//! The number is the moment at which all that was taken would have come at an even pace. It may run ahead of the clock
//! by one span: so many may come at once, and then as many as the rate allows. Nothing has to be forgotten or swept.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Monotonic;

/// So many in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many.
    pub count: NonZeroU32,
    /// In which span.
    pub span: Duration,
}

impl Quota {
    /// So many in a minute.
    pub const fn per_minute(count: NonZeroU32) -> Self {
        Self { count, span: Duration::from_secs(60) }
    }

    /// So many in an hour.
    pub const fn per_hour(count: NonZeroU32) -> Self {
        Self { count, span: Duration::from_secs(60 * 60) }
    }

    /// Between two that come at an even pace.
    fn interval(self) -> u64 {
        nanoseconds(self.span) / u64::from(self.count.get())
    }
}

/// What was taken so far.
#[derive(Debug, Default)]
pub struct Meter(AtomicU64);

impl Meter {
    /// Takes one; or tells after which time there is one again, and takes nothing.
    pub fn take(&self, quota: Quota, now: Monotonic) -> Result<(), Duration> {
        let now = nanoseconds(now.since(Monotonic::default()));
        let latest = now.saturating_add(nanoseconds(quota.span));
        let mut wait = Duration::ZERO;
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |even| {
            let next = even.max(now).saturating_add(quota.interval());
            wait = Duration::from_nanos(next.saturating_sub(latest));
            wait.is_zero().then_some(next)
        });
        taken.map(drop).map_err(|_| wait)
    }

    /// Whether nothing is left of what was taken.
    pub fn is_rested(&self, now: Monotonic) -> bool {
        self.0.load(Ordering::Relaxed) <= nanoseconds(now.since(Monotonic::default()))
    }
}

/// Five hundred years fit.
fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Monotonic {
        Monotonic::from_zero(Duration::from_millis(milliseconds))
    }

    fn quota(count: u32) -> Quota {
        Quota::per_minute(NonZeroU32::new(count).unwrap())
    }

    #[test]
    fn the_whole_quota_may_come_at_once_and_then_one_for_each_interval() {
        let meter = Meter::default();
        for _ in 0..60 {
            assert_eq!(meter.take(quota(60), at(5_000)), Ok(()));
        }
        assert_eq!(meter.take(quota(60), at(5_000)), Err(Duration::from_secs(1)));
        assert_eq!(meter.take(quota(60), at(5_400)), Err(Duration::from_millis(600)), "what is refused costs nothing");
        assert_eq!(meter.take(quota(60), at(6_000)), Ok(()));
        assert_eq!(meter.take(quota(60), at(6_000)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn after_a_rest_there_is_a_whole_quota_and_not_more() {
        let meter = Meter::default();
        while meter.take(quota(60), at(0)).is_ok() {}
        assert!(!meter.is_rested(at(59_999)) && meter.is_rested(at(60_000)));
        let taken = (0..200).filter(|_| meter.take(quota(60), at(10_000_000)).is_ok()).count();
        assert_eq!(taken, 60);
    }

    #[test]
    fn in_no_hour_do_more_than_two_quotas_come_and_at_an_even_pace_none_is_refused() {
        let (greedy, even) = (Meter::default(), Meter::default());
        let hour = Quota::per_hour(NonZeroU32::new(600).unwrap());
        let greedily = (0..3_600_000).step_by(250).filter(|now| greedy.take(hour, at(*now)).is_ok()).count();
        assert_eq!(greedily, 600 + 599);
        assert!((0..3_600_000_u64).step_by(6_000).all(|now| even.take(hour, at(now)).is_ok()));
    }

    #[test]
    fn many_at_once_take_no_more_than_one_after_the_other() {
        let meter = Meter::default();
        let taken: usize = std::thread::scope(|scope| {
            let crowd: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..1_000).filter(|_| meter.take(quota(100), at(1)).is_ok()).count()))
                .collect();
            crowd.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(taken, 100);
    }
}
