//! The broker's calendar: the machine's, guarded against being set (matrix R19).
//!
//! Between two looks the calendar may differ from the monotonic clock by a little, and is followed. A jump is not: a
//! clock that was set an hour ahead must neither renew nor expire a thousand tokens. The jump is remembered and
//! reported; the provider's own `Date`, an administrator's reload, or a restart decides who was right. What cannot be
//! taken back waits until one of the first two has spoken: a machine may boot with any date.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Monotonic, SharedClock, Sleep, Timestamp};

/// Up to here a difference is drift, beyond it a jump.
const DRIFT_SECONDS: i64 = 60;
/// A provider's `Date` may be off by the answer's way and its own clock.
const WITNESS_SECONDS: i64 = 300;

/// A calendar that many parts share. Cheap to clone.
#[derive(Clone)]
pub struct Timeline {
    clock: SharedClock,
    /// Calendar minus monotonic clock, in seconds.
    offset: Arc<AtomicI64>,
    /// Whether anybody but the machine has said what time it is.
    confirmed: Arc<AtomicBool>,
}

impl Timeline {
    /// Begins with the machine's calendar as it is.
    pub fn new(clock: SharedClock) -> Self {
        let offset = clock.wall().as_unix() - elapsed(clock.as_ref());
        Self { clock, offset: Arc::new(AtomicI64::new(offset)), confirmed: Arc::default() }
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        let own = self.own();
        let wall = self.clock.wall();
        let drift = wall.as_unix() - own.as_unix();
        if drift == 0 {
            return own;
        }
        if drift.abs() <= DRIFT_SECONDS {
            self.follow(wall);
            return wall;
        }
        own
    }

    /// What time it is, once the provider or an administrator has told it since the start; `None` before.
    pub fn confirmed_now(&self) -> Option<Timestamp> {
        self.confirmed.load(Ordering::Relaxed).then(|| self.now())
    }

    /// By how many seconds the machine's calendar jumped away, while it is not believed.
    pub fn stepped(&self) -> Option<i64> {
        let drift = self.clock.wall().as_unix() - self.own().as_unix();
        (drift.abs() > DRIFT_SECONDS).then_some(drift)
    }

    /// A provider said what time it is, over a verified connection. It decides when the machine's calendar jumped, and
    /// overrules both when neither is near it.
    pub fn witness(&self, date: Timestamp) {
        let near = |moment: Timestamp| (moment.as_unix() - date.as_unix()).abs() <= WITNESS_SECONDS;
        if !near(self.now()) {
            let wall = self.clock.wall();
            self.follow(if near(wall) { wall } else { date });
        }
        self.confirmed.store(true, Ordering::Relaxed);
    }

    /// Believes the machine's calendar again: an administrator said so.
    pub fn accept_wall(&self) {
        self.follow(self.clock.wall());
        self.confirmed.store(true, Ordering::Relaxed);
    }

    /// The clock that never jumps.
    pub fn monotonic(&self) -> Monotonic {
        self.clock.monotonic()
    }

    /// Completes after `span`.
    pub fn sleep(&self, span: Duration) -> Sleep {
        self.clock.sleep(span)
    }

    fn own(&self) -> Timestamp {
        Timestamp::from_unix(elapsed(self.clock.as_ref()) + self.offset.load(Ordering::Relaxed))
    }

    fn follow(&self, moment: Timestamp) {
        self.offset.store(moment.as_unix() - elapsed(self.clock.as_ref()), Ordering::Relaxed);
    }
}

fn elapsed(clock: &dyn Clock) -> i64 {
    i64::try_from(clock.monotonic().since(Monotonic::default()).as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Hands(Mutex<(i64, u64)>);

    impl Hands {
        fn pass(&self, seconds: u64) {
            let mut hands = self.0.lock().unwrap();
            hands.0 += seconds as i64;
            hands.1 += seconds;
        }

        fn set_wall(&self, seconds: i64) {
            self.0.lock().unwrap().0 = seconds;
        }
    }

    impl Clock for Hands {
        fn wall(&self) -> Timestamp {
            Timestamp::from_unix(self.0.lock().unwrap().0)
        }

        fn monotonic(&self) -> Monotonic {
            Monotonic::from_zero(Duration::from_secs(self.0.lock().unwrap().1))
        }

        fn sleep(&self, _: Duration) -> Sleep {
            Box::pin(std::future::pending())
        }
    }

    const START: i64 = 1_000_000_000;
    const YEAR: i64 = 365 * 24 * 3600;

    fn begun() -> (Arc<Hands>, Timeline) {
        let hands = Arc::new(Hands::default());
        hands.set_wall(START);
        let timeline = Timeline::new(Arc::clone(&hands) as SharedClock);
        (hands, timeline)
    }

    #[test]
    fn a_jump_of_an_hour_or_a_year_is_reported_and_not_believed() {
        for jump in [3600, -3600, YEAR, -YEAR] {
            let (hands, timeline) = begun();
            hands.pass(100);
            hands.set_wall(START + 100 + jump);
            assert_eq!(timeline.now().as_unix(), START + 100);
            assert_eq!(timeline.stepped(), Some(jump));
            hands.pass(50);
            assert_eq!(timeline.now().as_unix(), START + 150);
        }
    }

    #[test]
    fn drift_is_followed() {
        let (hands, timeline) = begun();
        for second in 1..=100 {
            hands.pass(1);
            hands.set_wall(START + second * 31);
            assert_eq!(timeline.now().as_unix(), START + second * 31);
        }
        assert_eq!(timeline.stepped(), None);
    }

    #[test]
    fn the_providers_date_decides_after_a_jump() {
        let (hands, timeline) = begun();
        hands.set_wall(START + YEAR);
        timeline.witness(Timestamp::from_unix(START + 20));
        assert_eq!(timeline.now().as_unix(), START, "it was the machine that jumped");
        timeline.witness(Timestamp::from_unix(START + YEAR - 20));
        assert_eq!(timeline.now().as_unix(), START + YEAR, "it was us who were behind");
        assert_eq!(timeline.stepped(), None);
    }

    #[test]
    fn a_broker_that_was_started_with_a_wrong_calendar_learns_the_time_from_the_provider() {
        let (_, timeline) = begun();
        timeline.witness(Timestamp::from_unix(START + YEAR));
        assert_eq!(timeline.now().as_unix(), START + YEAR);
    }

    #[test]
    fn the_date_with_which_a_machine_booted_is_not_confirmed_until_somebody_else_has_told_the_time() {
        let (_, timeline) = begun();
        assert_eq!(timeline.confirmed_now(), None);
        timeline.witness(Timestamp::from_unix(START - 20 * YEAR));
        assert_eq!(timeline.confirmed_now(), Some(Timestamp::from_unix(START - 20 * YEAR)));
        let (_, timeline) = begun();
        timeline.witness(Timestamp::from_unix(START + 1));
        assert_eq!(timeline.confirmed_now(), Some(Timestamp::from_unix(START)));
        let (_, timeline) = begun();
        timeline.accept_wall();
        assert_eq!(timeline.confirmed_now(), Some(Timestamp::from_unix(START)));
    }

    #[test]
    fn an_administrator_may_accept_the_machines_calendar() {
        let (hands, timeline) = begun();
        hands.set_wall(START + YEAR);
        timeline.accept_wall();
        assert_eq!(timeline.now().as_unix(), START + YEAR);
    }
}
