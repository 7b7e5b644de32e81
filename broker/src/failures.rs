//! Addresses that present keys, or stand-ins, that nobody has.
//!
//! Asked only after a key was found wrong: a good key from the same address (one office, one NAT) is never held up, and a
//! flood of wrong ones costs its sender the answer and the broker less than a good one does.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Monotonic;
use crate::domain::meter::{Meter, Quota};
use crate::domain::network::counted_as;
use crate::timeline::Timeline;

/// So many addresses are remembered at once; while all of them are busy, others are not counted.
const REMEMBERED: usize = 10_000;
/// How often all of them are looked through for some that rest.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Wrong keys and stand-ins by address (of IPv6: by /64).
pub struct Failures {
    quota: Option<Quota>,
    timeline: Timeline,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    meters: HashMap<IpAddr, Meter>,
    /// When all of them were last looked through for some that rest.
    looked: Option<Monotonic>,
}

impl Failures {
    /// So many a minute; 0 counts nothing.
    pub fn per_minute(count: u32, timeline: Timeline) -> Self {
        Self { quota: NonZeroU32::new(count).map(Quota::per_minute), timeline, seen: Mutex::default() }
    }

    /// A wrong key came from there: `Err` when that address should slow down, and for how long.
    pub fn note(&self, address: Option<IpAddr>) -> Result<(), Duration> {
        let (Some(quota), Some(address)) = (self.quota, address) else { return Ok(()) };
        let now = self.timeline.monotonic();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let address = counted_as(address);
        if let Some(meter) = seen.meters.get(&address) {
            return meter.take(quota, now);
        }
        if !seen.has_room(now) {
            return Ok(());
        }
        seen.meters.entry(address).or_default().take(quota, now)
    }
}

impl Seen {
    /// While all are busy, one look a second: a flood would else pay for a look each.
    fn has_room(&mut self, now: Monotonic) -> bool {
        let is_full = |seen: &Self| seen.meters.len() >= REMEMBERED;
        if is_full(self) && self.looked.is_none_or(|looked| now.since(looked) >= BETWEEN_LOOKS) {
            self.looked = Some(now);
            self.meters.retain(|_, meter| !meter.is_rested(now));
        }
        !is_full(self)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::sync::Arc;

    use super::*;
    use crate::provider::hand_clock::HandClock;

    fn failures(count: u32) -> (Failures, Arc<HandClock>) {
        let clock = Arc::new(HandClock::default());
        (Failures::per_minute(count, Timeline::new(clock.clone())), clock)
    }

    fn four(number: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn after_its_hundredth_wrong_key_an_address_is_slowed_and_another_is_not() {
        let (failures, _) = failures(100);
        assert!((0..100).all(|_| failures.note(four(1)).is_ok()));
        assert_eq!(failures.note(four(1)), Err(Duration::from_millis(600)));
        assert_eq!(failures.note(four(2)), Ok(()));
        assert_eq!(failures.note(None), Ok(()));
    }

    #[test]
    fn a_whole_network_of_ipv6_is_one_address() {
        let (failures, _) = failures(2);
        let six = |host: u128| Some(IpAddr::from(Ipv6Addr::from_bits(0x2001_0db8 << 96 | host)));
        assert!(failures.note(six(1)).is_ok() && failures.note(six(2)).is_ok());
        assert!(failures.note(six(3)).is_err());
    }

    #[test]
    fn a_flood_from_everywhere_is_forgotten_once_it_rests_and_never_takes_more_room() {
        let (failures, clock) = failures(1);
        for number in 0..30_000 {
            let _ = failures.note(four(number));
        }
        let remembered = || failures.seen.lock().unwrap().meters.len();
        assert_eq!(remembered(), REMEMBERED);
        assert!(failures.note(four(0)).is_err(), "who is known stays known");
        clock.advance(Duration::from_secs(61));
        assert_eq!(failures.note(four(99_999)), Ok(()));
        assert_eq!(remembered(), 1);
    }

    #[test]
    fn while_all_are_busy_they_are_looked_through_once_a_second() {
        let (failures, clock) = failures(1);
        for number in 0..=REMEMBERED as u32 {
            let _ = failures.note(four(number));
        }
        let looked = || failures.seen.lock().unwrap().looked;
        let first = looked();
        clock.advance(Duration::from_millis(999));
        let _ = failures.note(four(99_999));
        assert_eq!(looked(), first);
        clock.advance(Duration::from_millis(1));
        let _ = failures.note(four(99_999));
        assert!(looked() > first);
    }
}
