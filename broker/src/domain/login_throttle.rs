//! Failed logins are slowed down, by name and by address.
//!
//! An attempt counts as failed from its beginning until it is known to have succeeded, so that many at once are not
//! cheaper than one after the other. While somebody has to wait nothing is tried: the right password is refused too,
//! and what is refused does not make the wait longer.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use crate::clock::Monotonic;

/// So many failures are free.
const FREE: u32 = 5;
/// What the next one costs; each further one doubles it …
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// … up to here.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// After so long without a failure, all is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60 * 60);
/// Most names, and most addresses, that are remembered; the one that failed longest ago is forgotten first.
pub const MOST: usize = 10_000;

/// Somebody has to wait this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyFailures(pub Duration);

/// Who failed how often.
#[derive(Debug, Default)]
pub struct LoginThrottle {
    names: Failures<String>,
    addresses: Failures<IpAddr>,
}

impl LoginThrottle {
    /// An attempt begins; it counts as a failure until [`Self::succeeded`] or [`Self::not_tried`].
    pub fn begin(&mut self, name: &str, address: Option<IpAddr>, now: Monotonic) -> Result<(), TooManyFailures> {
        let waits = [self.names.wait(&name.to_owned(), now), address.and_then(|from| self.addresses.wait(&from, now))];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(TooManyFailures(wait));
        }
        self.names.fail(name.to_owned(), now);
        if let Some(address) = address {
            self.addresses.fail(address, now);
        }
        Ok(())
    }

    /// The password was right: the name is cleared; the address is not, for it may have tried others before.
    pub fn succeeded(&mut self, name: &str, address: Option<IpAddr>) {
        self.names.known.remove(name);
        self.take_back(address);
    }

    /// The attempt came to nothing for a reason of ours.
    pub fn not_tried(&mut self, name: &str, address: Option<IpAddr>) {
        self.names.take_back(&name.to_owned());
        self.take_back(address);
    }

    fn take_back(&mut self, address: Option<IpAddr>) {
        if let Some(address) = address {
            self.addresses.take_back(&address);
        }
    }
}

#[derive(Debug)]
struct Failures<K> {
    known: HashMap<K, Failed>,
}

#[derive(Debug, Clone, Copy)]
struct Failed {
    times: u32,
    last: Monotonic,
}

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self { known: HashMap::new() }
    }
}

impl<K: Eq + Hash + Clone> Failures<K> {
    /// How long it still has to wait.
    fn wait(&self, key: &K, now: Monotonic) -> Option<Duration> {
        let failed = self.known.get(key)?;
        let left = wait_after(failed.times).checked_sub(now.since(failed.last))?;
        (!left.is_zero()).then_some(left)
    }

    fn fail(&mut self, key: K, now: Monotonic) {
        if !self.known.contains_key(&key) && self.known.len() >= MOST {
            self.forget(now);
        }
        let failed = self.known.entry(key).or_insert(Failed { times: 0, last: now });
        if now.since(failed.last) > FORGOTTEN_AFTER {
            failed.times = 0;
        }
        *failed = Failed { times: failed.times.saturating_add(1), last: now };
    }

    fn take_back(&mut self, key: &K) {
        if let Some(failed) = self.known.get_mut(key) {
            failed.times = failed.times.saturating_sub(1);
        }
    }

    fn forget(&mut self, now: Monotonic) {
        self.known.retain(|_, failed| now.since(failed.last) <= FORGOTTEN_AFTER);
        if self.known.len() < MOST {
            return;
        }
        if let Some(oldest) = self.known.iter().min_by_key(|(_, failed)| failed.last).map(|(key, _)| key.clone()) {
            self.known.remove(&oldest);
        }
    }
}

fn wait_after(failures: u32) -> Duration {
    let Some(beyond) = failures.checked_sub(FREE) else { return Duration::ZERO };
    FIRST_WAIT.saturating_mul(1 << beyond.min(20)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Monotonic {
        Monotonic::from_zero(Duration::from_millis(milliseconds))
    }

    fn address(last: u32) -> Option<IpAddr> {
        Some(IpAddr::from(last.to_be_bytes()))
    }

    #[test]
    fn after_five_failures_a_second_doubling_to_fifteen_minutes() {
        let seconds = |failures| wait_after(failures).as_secs();
        let table = [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (14, 512), (15, 900), (16, 900), (u32::MAX, 900)];
        for (failures, expected) in table {
            assert_eq!(seconds(failures), expected, "{failures}");
        }
    }

    #[test]
    fn a_name_is_slowed_from_wherever_it_is_tried_and_what_is_refused_does_not_count() {
        let mut throttle = LoginThrottle::default();
        for attempt in 0..5 {
            assert_eq!(throttle.begin("anna", address(attempt), at(0)), Ok(()));
        }
        for _ in 0..3 {
            assert_eq!(throttle.begin("anna", address(9), at(400)), Err(TooManyFailures(Duration::from_millis(600))));
        }
        assert_eq!(throttle.begin("bert", address(9), at(400)), Ok(()));
        assert_eq!(throttle.begin("anna", address(9), at(1000)), Ok(()));
        assert_eq!(throttle.begin("anna", address(10), at(1000)), Err(TooManyFailures(Duration::from_secs(2))));
    }

    #[test]
    fn an_address_is_slowed_whatever_names_it_tries() {
        let mut throttle = LoginThrottle::default();
        for name in ["a", "b", "c", "d", "e"] {
            assert_eq!(throttle.begin(name, address(1), at(0)), Ok(()));
        }
        assert!(throttle.begin("f", address(1), at(0)).is_err());
        assert_eq!(throttle.begin("f", address(2), at(0)), Ok(()));
    }

    #[test]
    fn a_success_clears_the_name_and_not_the_address() {
        let mut throttle = LoginThrottle::default();
        for _ in 0..5 {
            throttle.begin("anna", address(1), at(0)).unwrap();
        }
        throttle.begin("anna", address(1), at(2000)).unwrap();
        throttle.succeeded("anna", address(1));
        assert_eq!(throttle.begin("anna", address(2), at(2000)), Ok(()));
        assert!(throttle.begin("anna", address(1), at(2000)).is_err());
    }

    #[test]
    fn what_was_not_tried_is_not_counted_and_an_hour_forgets() {
        let mut throttle = LoginThrottle::default();
        for _ in 0..20 {
            throttle.begin("anna", address(1), at(0)).unwrap();
            throttle.not_tried("anna", address(1));
        }
        for _ in 0..5 {
            throttle.begin("anna", address(1), at(0)).unwrap();
        }
        let later = 3_600_001;
        for _ in 0..5 {
            assert_eq!(throttle.begin("anna", address(1), at(later)), Ok(()));
        }
        assert!(throttle.begin("anna", address(1), at(later)).is_err());
    }

    #[test]
    fn no_more_than_ten_thousand_are_remembered_and_the_oldest_goes_first() {
        let mut throttle = LoginThrottle::default();
        for number in 0..=MOST as u32 {
            throttle.begin(&number.to_string(), address(number), at(u64::from(number))).unwrap();
        }
        assert_eq!((throttle.names.known.len(), throttle.addresses.known.len()), (MOST, MOST));
        assert!(!throttle.names.known.contains_key("0") && throttle.names.known.contains_key("1"));
    }
}
