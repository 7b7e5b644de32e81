//! What waits for one sink: in order, bounded, tried again more and more rarely, for a day.
//!
//! A notice that whoever listens refuses goes behind the others: it is not what is wrong with them. A new one is tried
//! soon, however long the others have waited already.

use std::collections::VecDeque;
use std::time::Duration;

use super::Notice;
use crate::clock::{Monotonic, Timestamp};

/// So many wait at most; of the least urgent, the newest gives way.
pub const LONGEST: usize = 256;
/// Whoever did not take a notice for so long is not told it any more.
pub const OLDEST: Duration = Duration::from_secs(24 * 3600);
/// Waits after failures; the last one repeats. It bounds what an outage that is over still delays.
const STEPS: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(60), Duration::from_secs(5 * 60)];

/// Notices in the order in which they were made, but for those that were refused.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Notice>,
    /// Were refused: tried again in turn when nothing else waits.
    refused: VecDeque<Notice>,
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
    pub fn push(&mut self, notice: Notice, now: Monotonic) -> Option<Notice> {
        self.waiting.push_back(notice);
        let soon = now + STEPS[0];
        self.not_before = self.not_before.map(|moment| moment.min(soon));
        if self.waiting.len() + self.refused.len() <= LONGEST {
            return None;
        }
        if let Some(refused) = self.refused.pop_front() {
            return Some(refused);
        }
        // The first may be on its way.
        let place = (1..self.waiting.len()).max_by_key(|place| self.waiting[*place].urgency)?;
        self.waiting.remove(place)
    }

    /// What is too old, taken out.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Notice> {
        let is_old = |notice: &Notice| now.since(notice.made_at) >= OLDEST;
        let mut old = Vec::new();
        for queue in [&mut self.waiting, &mut self.refused] {
            old.extend(queue.iter().filter(|notice| is_old(notice)).cloned());
            queue.retain(|notice| !is_old(notice));
        }
        old
    }

    /// What is to be done now.
    pub fn due(&self, now: Monotonic) -> Due {
        let Some(first) = self.waiting.front().or(self.refused.front()) else { return Due::Nothing };
        let left = self.not_before.map_or(Duration::ZERO, |moment| moment.since(now));
        if left.is_zero() { Due::Now(first.clone()) } else { Due::In(left) }
    }

    /// It was taken.
    pub fn delivered(&mut self, id: &str) {
        self.failures = 0;
        self.not_before = None;
        self.take(id);
    }

    /// It was not taken: when something is tried again.
    pub fn failed(&mut self, now: Monotonic) -> Duration {
        let step = STEPS[self.failures.min(STEPS.len() - 1)];
        self.failures += 1;
        self.not_before = Some(now + step);
        step
    }

    /// Whoever listens does not want this one: when something is tried again.
    pub fn refused(&mut self, id: &str, now: Monotonic) -> Duration {
        let notice = self.take(id);
        self.refused.extend(notice);
        self.failed(now)
    }

    /// All that waits, in the order in which it is tried.
    pub fn waiting(&self) -> impl Iterator<Item = &Notice> {
        self.waiting.iter().chain(&self.refused)
    }

    fn take(&mut self, id: &str) -> Option<Notice> {
        let queues = [&mut self.waiting, &mut self.refused];
        queues.into_iter().find_map(|queue| {
            let place = queue.iter().position(|notice| notice.id == id)?;
            queue.remove(place)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Monotonic = Monotonic::from_zero(Duration::from_secs(1_000));
    const SOON: Duration = STEPS[0];

    fn notice(number: usize) -> Notice {
        let made_at = Timestamp::from_unix(1_000);
        Notice { id: format!("msg_{number}"), made_at, urgency: number, body: "{}".into() }
    }

    fn holding(numbers: impl IntoIterator<Item = usize>) -> Queue {
        let mut queue = Queue::default();
        for number in numbers {
            assert_eq!(queue.push(notice(number), NOW), None);
        }
        queue
    }

    #[test]
    fn the_order_is_kept_while_the_first_is_not_taken() {
        let mut queue = Queue::default();
        assert_eq!(queue.due(NOW), Due::Nothing);
        queue.push(notice(1), NOW);
        queue.push(notice(2), NOW);
        assert_eq!(queue.due(NOW), Due::Now(notice(1)));
        queue.failed(NOW);
        assert_eq!(queue.due(NOW), Due::In(SOON));
        assert_eq!(queue.due(NOW + SOON), Due::Now(notice(1)));
        queue.delivered("msg_1");
        assert_eq!(queue.due(NOW), Due::Now(notice(2)), "a success ends the wait");
    }

    #[test]
    fn failures_are_tried_again_more_rarely_up_to_five_minutes() {
        let mut queue = Queue::default();
        let steps: Vec<u64> = (0..6).map(|_| queue.failed(NOW).as_secs()).collect();
        assert_eq!(steps, [5, 15, 60, 300, 300, 300]);
        queue.delivered("x");
        assert_eq!(queue.failed(NOW).as_secs(), 5);
    }

    #[test]
    fn a_new_one_is_tried_soon_however_long_an_outage_has_lasted() {
        let mut queue = holding([1]);
        for _ in 0..6 {
            queue.failed(NOW);
        }
        assert_eq!(queue.due(NOW), Due::In(Duration::from_secs(300)));
        queue.push(notice(2), NOW);
        assert_eq!(queue.due(NOW), Due::In(SOON));
        queue.push(notice(3), NOW + Duration::from_secs(4));
        assert_eq!(queue.due(NOW), Due::In(SOON), "and not put off by the next");
    }

    #[test]
    fn one_that_is_refused_goes_behind_the_others_and_is_tried_again() {
        let mut queue = holding([1, 2]);
        assert_eq!(queue.refused("msg_1", NOW), SOON);
        assert_eq!(queue.due(NOW + SOON), Due::Now(notice(2)));
        queue.delivered("msg_2");
        assert_eq!(queue.due(NOW), Due::Now(notice(1)));
        queue.refused("msg_1", NOW);
        queue.push(notice(3), NOW);
        assert_eq!(queue.due(NOW + SOON), Due::Now(notice(3)), "what is new goes first");
        assert_eq!(queue.waiting().count(), 2);
    }

    #[test]
    fn the_newest_of_the_least_urgent_gives_way_when_too_many_wait() {
        let mut queue = holding(0..LONGEST);
        let least_urgent = notice(LONGEST - 1);
        let urgent = Notice { urgency: 0, ..notice(LONGEST) };
        assert_eq!(queue.push(urgent.clone(), NOW), Some(least_urgent));
        assert_eq!(queue.waiting().count(), LONGEST);
        let alike = Notice { urgency: LONGEST - 2, ..notice(LONGEST + 1) };
        assert_eq!(queue.push(alike.clone(), NOW), Some(alike));
        assert_eq!(queue.due(NOW), Due::Now(notice(0)));
        assert_eq!(queue.waiting().last(), Some(&urgent));
    }

    #[test]
    fn the_first_is_never_the_one_that_gives_way_and_a_refused_one_goes_before_it() {
        let mut queue = holding([LONGEST * 2]);
        (0..LONGEST).for_each(|number| drop(queue.push(notice(number), NOW)));
        assert_eq!(queue.due(NOW), Due::Now(notice(LONGEST * 2)), "it may be on its way");
        queue.refused("msg_0", NOW);
        assert_eq!(queue.push(notice(LONGEST * 3), NOW), Some(notice(0)));
    }

    #[test]
    fn after_a_day_a_notice_is_given_up() {
        let mut queue = holding([1, 2]);
        queue.push(Notice { made_at: Timestamp::from_unix(2_000), ..notice(3) }, NOW);
        queue.refused("msg_2", NOW);
        let day = Timestamp::from_unix(1_000) + OLDEST;
        assert!(queue.expire(day - Duration::from_secs(1)).is_empty());
        assert_eq!(queue.expire(day), [notice(1), notice(2)]);
        assert_eq!(queue.waiting().count(), 1);
    }
}
