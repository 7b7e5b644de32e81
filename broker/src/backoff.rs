//! How long to wait after failures that did no harm: exponential, spread, and at least as long as the provider asked.

use std::time::Duration;

use crate::clock::Monotonic;

const FIRST: Duration = Duration::from_secs(5);
/// The longest wait, also when a provider's `Retry-After` asks for more (matrix P2).
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Failures in a row and when the next attempt may be made, on the clock that never jumps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
    until: Option<Monotonic>,
}

impl Backoff {
    /// A failure. `spread` (0 to 255) decides where in ±20 % the wait falls, so that credentials that failed together
    /// do not try again together.
    pub fn fail(&mut self, retry_after: Option<Duration>, spread: u8, now: Monotonic) {
        let step = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        let spread = step.mul_f64(0.8 + 0.4 * f64::from(spread) / 255.0);
        let wait = spread.max(retry_after.unwrap_or_default()).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        self.until = Some(now + wait);
    }

    /// Waits at least this long, whether it was a failure or not.
    pub fn hold(&mut self, span: Duration, now: Monotonic) {
        self.until = self.until.max(Some(now + span));
    }

    /// It worked: the next failure begins anew.
    pub fn succeed(&mut self) {
        *self = Self::default();
    }

    /// How much longer to wait; `None` when an attempt may be made.
    pub fn remaining(&self, now: Monotonic) -> Option<Duration> {
        let left = self.until?.since(now);
        (!left.is_zero()).then_some(left)
    }

    /// True after a failure and before the next success.
    pub fn is_failing(&self) -> bool {
        self.failures > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Monotonic = Monotonic::from_zero(Duration::from_secs(1000));
    const MIDDLE: u8 = 128;

    fn waits(count: usize) -> Vec<u64> {
        let mut backoff = Backoff::default();
        (0..count)
            .map(|_| {
                backoff.fail(None, MIDDLE, NOW);
                backoff.remaining(NOW).unwrap().as_secs()
            })
            .collect()
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour() {
        assert_eq!(waits(10), [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_quarter_of_an_hour_and_never_shortens() {
        for (asked, expected) in [(1, 5), (100, 100), (900, 900), (86_400, 900)] {
            let mut backoff = Backoff::default();
            backoff.fail(Some(Duration::from_secs(asked)), MIDDLE, NOW);
            assert_eq!(backoff.remaining(NOW).unwrap().as_secs(), expected, "{asked}");
        }
    }

    #[test]
    fn the_spread_is_a_fifth_to_either_side() {
        for (spread, expected) in [(0, 4), (255, 6)] {
            let mut backoff = Backoff::default();
            backoff.fail(None, spread, NOW);
            assert_eq!(backoff.remaining(NOW).unwrap().as_secs(), expected);
        }
    }

    #[test]
    fn a_hold_prolongs_a_wait_and_never_shortens_it() {
        let mut backoff = Backoff::default();
        backoff.hold(Duration::from_secs(120), NOW);
        assert_eq!(backoff.remaining(NOW), Some(Duration::from_secs(120)));
        backoff.hold(Duration::from_secs(60), NOW);
        assert_eq!(backoff.remaining(NOW), Some(Duration::from_secs(120)));
        assert!(!backoff.is_failing());
    }

    #[test]
    fn a_success_forgets_the_failures() {
        let mut backoff = Backoff::default();
        backoff.fail(None, MIDDLE, NOW);
        backoff.succeed();
        assert_eq!(backoff, Backoff::default());
    }
}
