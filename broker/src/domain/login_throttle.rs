//! Failed logins are slowed down, by name and by address.
//!
//! An attempt counts as failed from its beginning until it is known to have succeeded, so that many at once are not
//! cheaper than one after the other. While somebody has to wait nothing is tried: the right password is refused too,
//! and what is refused does not make the wait longer.
//!
//! From an address where the name's password was typed right a while ago, only the failures of that address count: who
//! tries a name from elsewhere does not keep its owner out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use super::credential::Name;
use crate::clock::Monotonic;

/// So many failures are free.
const FREE: u32 = 5;
/// What the next one costs; each further one doubles it …
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// … up to here.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// After so long without a failure, all is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60 * 60);
/// So long after a login an address is at home with its name.
const AT_HOME_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Most names, addresses and homes that are remembered; the one that was seen longest ago is forgotten first.
pub const MOST: usize = 10_000;

/// Somebody has to wait this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyFailures(pub Duration);

/// Who failed how often.
#[derive(Debug, Default)]
pub struct LoginThrottle {
    /// Under `None` whatever is no name at all: what strangers make up takes no memory, however long it is.
    names: Failures<Option<Name>>,
    addresses: Failures<IpAddr>,
    /// When a name last logged in from an address.
    homes: HashMap<(Name, IpAddr), Monotonic>,
}

/// An attempt that is under way.
#[derive(Debug)]
pub struct Attempt {
    name: Option<Name>,
    address: Option<IpAddr>,
    at: Monotonic,
    name_before: Option<Monotonic>,
    address_before: Option<Monotonic>,
}

impl LoginThrottle {
    /// An attempt begins; it counts as a failure until [`Self::succeeded`] or [`Self::not_tried`].
    pub fn begin(&mut self, name: &str, address: Option<IpAddr>, now: Monotonic) -> Result<Attempt, TooManyFailures> {
        let name = Name::parse(name).ok();
        let of_name = if self.is_home(name.as_ref(), address, now) { None } else { self.names.wait(&name, now) };
        let waits = [of_name, address.and_then(|from| self.addresses.wait(&from, now))];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(TooManyFailures(wait));
        }
        let name_before = self.names.fail(name.clone(), now);
        let address_before = address.and_then(|address| self.addresses.fail(address, now));
        Ok(Attempt { name, address, at: now, name_before, address_before })
    }

    /// The password was right: the name is cleared; the address is not, for it may have tried others before.
    pub fn succeeded(&mut self, attempt: Attempt) {
        self.names.known.remove(&attempt.name);
        self.take_back_address(&attempt);
        if let (Some(name), Some(address)) = (attempt.name, attempt.address) {
            if self.homes.len() >= MOST {
                let oldest = self.homes.iter().min_by_key(|(_, at)| **at).map(|(home, _)| home.clone());
                oldest.and_then(|home| self.homes.remove(&home));
            }
            self.homes.insert((name, address), attempt.at);
        }
    }

    /// The attempt came to nothing for a reason of ours.
    pub fn not_tried(&mut self, attempt: &Attempt) {
        self.names.take_back(&attempt.name, attempt.at, attempt.name_before);
        self.take_back_address(attempt);
    }

    fn is_home(&self, name: Option<&Name>, address: Option<IpAddr>, now: Monotonic) -> bool {
        let Some(home) = name.cloned().zip(address) else { return false };
        self.homes.get(&home).is_some_and(|at| now.since(*at) <= AT_HOME_FOR)
    }

    fn take_back_address(&mut self, attempt: &Attempt) {
        if let Some(address) = attempt.address {
            self.addresses.take_back(&address, attempt.at, attempt.address_before);
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

    /// When it failed before, if that is still remembered.
    fn fail(&mut self, key: K, now: Monotonic) -> Option<Monotonic> {
        if !self.known.contains_key(&key) && self.known.len() >= MOST {
            self.forget(now);
        }
        let before = self.known.get(&key).map(|failed| failed.last);
        let failed = self.known.entry(key).or_insert(Failed { times: 0, last: now });
        if now.since(failed.last) > FORGOTTEN_AFTER {
            failed.times = 0;
        }
        *failed = Failed { times: failed.times.saturating_add(1), last: now };
        before
    }

    /// The attempt of that moment was no failure: neither its count nor its moment stays.
    fn take_back(&mut self, key: &K, at: Monotonic, before: Option<Monotonic>) {
        let Some(failed) = self.known.get_mut(key) else { return };
        failed.times = failed.times.saturating_sub(1);
        if failed.last == at {
            failed.last = before.unwrap_or(at);
        }
        if failed.times == 0 {
            self.known.remove(key);
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

    fn refused(throttle: &mut LoginThrottle, name: &str, from: Option<IpAddr>, now: Monotonic) -> Option<Duration> {
        throttle.begin(name, from, now).err().map(|TooManyFailures(wait)| wait)
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
            assert!(throttle.begin("anna", address(attempt), at(0)).is_ok());
        }
        for _ in 0..3 {
            assert_eq!(refused(&mut throttle, "anna", address(9), at(400)), Some(Duration::from_millis(600)));
        }
        assert!(throttle.begin("bert", address(9), at(400)).is_ok());
        assert!(throttle.begin("anna", address(9), at(1000)).is_ok());
        assert_eq!(refused(&mut throttle, "anna", address(10), at(1000)), Some(Duration::from_secs(2)));
    }

    #[test]
    fn an_address_is_slowed_whatever_names_it_tries() {
        let mut throttle = LoginThrottle::default();
        for name in ["a", "b", "c", "d", "e"] {
            assert!(throttle.begin(name, address(1), at(0)).is_ok());
        }
        assert!(throttle.begin("f", address(1), at(0)).is_err());
        assert!(throttle.begin("f", address(2), at(0)).is_ok());
    }

    #[test]
    fn a_success_clears_the_name_and_not_the_address() {
        let mut throttle = LoginThrottle::default();
        for _ in 0..5 {
            throttle.begin("anna", address(1), at(0)).unwrap();
        }
        let attempt = throttle.begin("anna", address(1), at(2000)).unwrap();
        throttle.succeeded(attempt);
        assert!(throttle.begin("anna", address(2), at(2000)).is_ok());
        assert!(throttle.begin("bert", address(1), at(2000)).is_ok());
        assert_eq!(refused(&mut throttle, "bert", address(1), at(2000)), Some(Duration::from_secs(2)));
    }

    #[test]
    fn what_was_not_tried_is_not_counted_and_an_hour_forgets() {
        let mut throttle = LoginThrottle::default();
        for _ in 0..20 {
            let attempt = throttle.begin("anna", address(1), at(0)).unwrap();
            throttle.not_tried(&attempt);
        }
        for _ in 0..5 {
            throttle.begin("anna", address(1), at(0)).unwrap();
        }
        let later = 3_600_001;
        for _ in 0..5 {
            assert!(throttle.begin("anna", address(1), at(later)).is_ok());
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
        let is_known = |name| throttle.names.known.contains_key(&Name::parse(name).ok());
        assert!(!is_known("0") && is_known("1"));
    }

    #[test]
    fn what_can_be_nobodys_name_is_counted_as_one_and_takes_no_memory() {
        let mut throttle = LoginThrottle::default();
        for number in 0..5 {
            let made_up = format!("{number}{}", "x".repeat(1 << 20));
            assert!(throttle.begin(&made_up, address(number), at(0)).is_ok());
        }
        assert_eq!(throttle.names.known.len(), 1);
        assert!(refused(&mut throttle, "no name at all", address(9), at(0)).is_some());
    }

    #[test]
    fn what_was_not_tried_leaves_nothing_behind() {
        let mut throttle = LoginThrottle::default();
        let attempt = throttle.begin("anna", address(1), at(0)).unwrap();
        throttle.not_tried(&attempt);
        assert!(throttle.names.known.is_empty() && throttle.addresses.known.is_empty());
    }

    #[test]
    fn a_login_does_not_begin_the_wait_of_its_address_anew() {
        let mut throttle = LoginThrottle::default();
        let mut now = 0;
        for number in 0..15 {
            let name = format!("nobody{number}");
            while throttle.begin(&name, address(1), at(now)).is_err() {
                now += 1000;
            }
        }
        now += 900_000;
        let attempt = throttle.begin("anna", address(1), at(now)).unwrap();
        throttle.succeeded(attempt);
        assert_eq!(refused(&mut throttle, "anna", address(1), at(now)), None);
    }

    #[test]
    fn who_logged_in_lately_is_not_kept_out_by_failures_from_elsewhere() {
        let mut throttle = LoginThrottle::default();
        let attempt = throttle.begin("anna", address(1), at(0)).unwrap();
        throttle.succeeded(attempt);
        let mut try_from_elsewhere = |now| while throttle.begin("anna", address(2), at(now)).is_ok() {};
        try_from_elsewhere(1000);
        assert!(refused(&mut throttle, "anna", address(3), at(1000)).is_some());
        // Its own failures count, as from any address.
        for _ in 0..5 {
            assert_eq!(refused(&mut throttle, "anna", address(1), at(1000)), None);
        }
        assert!(refused(&mut throttle, "anna", address(1), at(1000)).is_some());
        let month = 30 * 24 * 60 * 60 * 1000;
        let mut throttle_later = |now| while throttle.begin("anna", address(2), at(now)).is_ok() {};
        throttle_later(month + 1);
        assert!(
            refused(&mut throttle, "anna", address(1), at(month + 1)).is_some(),
            "after a month it is like any other"
        );
    }
}
