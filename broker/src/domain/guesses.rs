//! How often one address may be wrong.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::clock::Monotonic;

/// Wrong codes that an address may type within [`WINDOW`]; then it waits for the window's end, also with a right one.
pub const MOST: u32 = 10;
/// From the first wrong one.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Addresses that are remembered; then the oldest go.
const MOST_ADDRESSES: usize = 10_000;

/// Counts wrong codes by address (of IPv6: by /64).
#[derive(Default)]
pub struct Guesses {
    by_place: HashMap<IpAddr, Tally>,
}

struct Tally {
    wrong: u32,
    since: Monotonic,
}

impl Guesses {
    /// Counts an attempt as wrong, unless this address must wait: then says how long. One that was right after all is
    /// taken back.
    pub fn count(&mut self, address: Option<IpAddr>, now: Monotonic) -> Result<(), Duration> {
        match self.wait(address, now) {
            Some(left) => Err(left),
            None => {
                self.note(address, now);
                Ok(())
            }
        }
    }

    /// It was right.
    pub fn take_back(&mut self, address: Option<IpAddr>) {
        if let Some(tally) = self.by_place.get_mut(&place(address)) {
            tally.wrong = tally.wrong.saturating_sub(1);
        }
    }

    fn wait(&self, address: Option<IpAddr>, now: Monotonic) -> Option<Duration> {
        let tally = self.by_place.get(&place(address))?;
        let left = WINDOW.saturating_sub(now.since(tally.since));
        (tally.wrong >= MOST && !left.is_zero()).then_some(left)
    }

    fn note(&mut self, address: Option<IpAddr>, now: Monotonic) {
        if self.by_place.len() >= MOST_ADDRESSES {
            self.by_place.retain(|_, tally| now.since(tally.since) < WINDOW);
        }
        let place = place(address);
        if self.by_place.len() >= MOST_ADDRESSES && !self.by_place.contains_key(&place) {
            let oldest = self.by_place.iter().min_by_key(|(_, tally)| tally.since).map(|(place, _)| *place);
            oldest.and_then(|oldest| self.by_place.remove(&oldest));
        }
        let tally = self.by_place.entry(place).or_insert(Tally { wrong: 0, since: now });
        if now.since(tally.since) >= WINDOW {
            *tally = Tally { wrong: 0, since: now };
        }
        tally.wrong += 1;
    }
}

/// Whoever has one address of a /64 has them all. What has no address shares one.
fn place(address: Option<IpAddr>) -> IpAddr {
    match address {
        None => IpAddr::from([0; 4]),
        Some(IpAddr::V4(address)) => IpAddr::V4(address),
        Some(IpAddr::V6(address)) => {
            let mut segments = address.segments();
            segments[4..].fill(0);
            IpAddr::from(segments)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_zero(Duration::from_secs(1_000 + seconds))
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn after_ten_wrong_codes_an_address_waits_for_the_end_of_its_quarter_of_an_hour() {
        let mut guesses = Guesses::default();
        for _ in 0..MOST {
            assert_eq!(guesses.count(ip("192.0.2.1"), at(0)), Ok(()));
        }
        assert_eq!(guesses.count(ip("192.0.2.1"), at(0)), Err(WINDOW), "also while the others are still looked at");
        guesses.take_back(ip("192.0.2.1"));
        assert_eq!(guesses.count(ip("192.0.2.1"), at(0)), Ok(()));
        assert_eq!(guesses.wait(ip("192.0.2.1"), at(60)), Some(WINDOW - Duration::from_secs(60)));
        assert_eq!(guesses.wait(ip("192.0.2.2"), at(60)), None);
        assert_eq!(guesses.wait(ip("192.0.2.1"), at(900)), None);
        guesses.note(ip("192.0.2.1"), at(900));
        assert_eq!(guesses.wait(ip("192.0.2.1"), at(901)), None, "a new window begins with one");
    }

    #[test]
    fn a_network_of_one_house_is_one_place() {
        let mut guesses = Guesses::default();
        for host in 0..MOST {
            guesses.note(ip(&format!("2001:db8:0:1::{host}")), at(0));
        }
        assert!(guesses.wait(ip("2001:db8:0:1:ffff::1"), at(1)).is_some());
        assert!(guesses.wait(ip("2001:db8:0:2::1"), at(1)).is_none());
    }

    #[test]
    fn ten_thousand_addresses_are_remembered_and_the_oldest_go() {
        let mut guesses = Guesses::default();
        for number in 0..=MOST_ADDRESSES as u32 {
            let now = at(0) + Duration::from_millis(u64::from(number));
            guesses.note(Some(IpAddr::from(number.to_be_bytes())), now);
        }
        assert_eq!(guesses.by_place.len(), MOST_ADDRESSES);
        assert!(!guesses.by_place.contains_key(&IpAddr::from([0; 4])));
    }
}
