//! What waits for one sink: in order, bounded, tried again more and more rarely, for a day.

use std::collections::VecDeque;
use std::time::Duration;

use super::Notice;
use crate::clock::{Monotonic, Timestamp};

/// So many wait at most; the oldest gives way.
pub const LONGEST: usize = 256;
/// Whoever did not take a notice for so long is not told it any more.
pub const OLDEST: Duration = Duration::from_secs(24 * 3600);
/// Waits after failures; the last one repeats.
const STEPS: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];

/// Notices in the order in which they were made.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Notice>,
    failures: usize,
    not_before: Option<Monotonic>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// Deliver this.
    Now(Notice),
    /// Wait so long.
    In(Duration),
    /// Nothing waits.
    Nothing,
}

impl Queue {
    /// One more, and the one that has to give way.
    pub fn push(&mut self, notice: Notice) -> Option<Notice> {
        self.waiting.push_back(notice);
        if self.waiting.len() > LONGEST { self.waiting.pop_front() } else { None }
    }

    /// What is too old, taken out.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Notice> {
        let is_young = |notice: &Notice| now.since(notice.made_at) < OLDEST;
        let old = self.waiting.iter().take_while(|notice| !is_young(notice)).count();
        self.waiting.drain(..old).collect()
    }

    /// What is to be done now.
    pub fn due(&self, now: Monotonic) -> Due {
        let Some(first) = self.waiting.front() else { return Due::Nothing };
        let left = self.not_before.map_or(Duration::ZERO, |moment| moment.since(now));
        if left.is_zero() { Due::Now(first.clone()) } else { Due::In(left) }
    }

    /// It was taken.
    pub fn delivered(&mut self, id: &str) {
        self.failures = 0;
        self.not_before = None;
        self.waiting.retain(|notice| notice.id != id);
    }

    /// It was not taken: when it is tried again.
    pub fn failed(&mut self, now: Monotonic) -> Duration {
        let step = STEPS[self.failures.min(STEPS.len() - 1)];
        self.failures += 1;
        self.not_before = Some(now + step);
        step
    }

    /// All that waits, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = &Notice> {
        self.waiting.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Monotonic = Monotonic::from_zero(Duration::from_secs(1_000));

    fn notice(number: usize) -> Notice {
        Notice { id: format!("msg_{number}"), made_at: Timestamp::from_unix(1_000), body: "{}".into() }
    }

    #[test]
    fn the_order_is_kept_while_the_first_is_not_taken() {
        let mut queue = Queue::default();
        assert_eq!(queue.due(NOW), Due::Nothing);
        queue.push(notice(1));
        queue.push(notice(2));
        assert_eq!(queue.due(NOW), Due::Now(notice(1)));
        queue.failed(NOW);
        assert_eq!(queue.due(NOW), Due::In(Duration::from_secs(5)));
        assert_eq!(queue.due(NOW + Duration::from_secs(5)), Due::Now(notice(1)));
        queue.delivered("msg_1");
        assert_eq!(queue.due(NOW), Due::Now(notice(2)), "a success ends the wait");
    }

    #[test]
    fn failures_are_tried_again_more_rarely_up_to_an_hour() {
        let mut queue = Queue::default();
        let steps: Vec<u64> = (0..8).map(|_| queue.failed(NOW).as_secs()).collect();
        assert_eq!(steps, [5, 15, 60, 300, 900, 3600, 3600, 3600]);
        queue.delivered("x");
        assert_eq!(queue.failed(NOW).as_secs(), 5);
    }

    #[test]
    fn the_oldest_gives_way_when_too_many_wait() {
        let mut queue = Queue::default();
        for number in 0..LONGEST {
            assert_eq!(queue.push(notice(number)), None);
        }
        assert_eq!(queue.push(notice(LONGEST)), Some(notice(0)));
        assert_eq!(queue.waiting().count(), LONGEST);
    }

    #[test]
    fn after_a_day_a_notice_is_given_up() {
        let mut queue = Queue::default();
        queue.push(notice(1));
        queue.push(Notice { made_at: Timestamp::from_unix(2_000), ..notice(2) });
        let day = Timestamp::from_unix(1_000) + OLDEST;
        assert!(queue.expire(day - Duration::from_secs(1)).is_empty());
        assert_eq!(queue.expire(day), [notice(1)]);
        assert_eq!(queue.waiting().count(), 1);
    }
}
