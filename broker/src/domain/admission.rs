//! May this client ask now.
//!
//! Precedence: a revoked key is nobody's (the gate), then pause, the end of its time, its address, its rate.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use super::limits::{Allowance, ClientTerms};
use super::meter::{Meter, Quota};
use crate::clock::{Monotonic, Timestamp};

/// Why a client may not ask, or may not have a token, now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// An administrator paused it.
    #[error("this client is paused")]
    Paused,
    /// Its time is over.
    #[error("this client's access ended on {0}")]
    Expired(Timestamp),
    /// It may not ask from there.
    #[error("this key may not be used from {0}")]
    Elsewhere(IpAddr),
    /// It asked too often.
    #[error("this client may ask {limit} times in a minute and asked more often")]
    Requests {
        /// How often it may.
        limit: NonZeroU32,
        /// When it may again.
        wait: Duration,
    },
    /// It had too many tokens.
    #[error("this client may have a token {limit} times in an hour and had it more often")]
    Handouts {
        /// How many it may have.
        limit: NonZeroU32,
        /// When there is one again.
        wait: Duration,
    },
}

/// What one client has taken of its limits; it outlives a change of its key.
#[derive(Debug, Default)]
pub struct Meters {
    /// Requests.
    pub requests: Meter,
    /// Tokens.
    pub handouts: Meter,
    /// Lines of the audit about its refusals.
    pub denials: Meter,
}

/// May it ask, from this address and at this moment. Counts the request. `now` is asked for only where a date matters.
pub fn admit(
    terms: &ClientTerms,
    usual: &Allowance,
    meters: &Meters,
    address: Option<IpAddr>,
    now: impl FnOnce() -> Timestamp,
    monotonic: Monotonic,
) -> Result<(), Denied> {
    let limits = &terms.limits;
    still_admitted(terms, now)?;
    if let Some(address) = address.filter(|address| !limits.allow(Some(*address))) {
        return Err(Denied::Elsewhere(address));
    }
    take(&meters.requests, limits.requests(usual), monotonic).map_err(|(limit, wait)| Denied::Requests { limit, wait })
}

/// What may have changed while a request waited.
pub fn still_admitted(terms: &ClientTerms, now: impl FnOnce() -> Timestamp) -> Result<(), Denied> {
    if terms.paused_at.is_some() {
        return Err(Denied::Paused);
    }
    match terms.limits.expires_at {
        Some(end) if now() >= end => Err(Denied::Expired(end)),
        Some(_) | None => Ok(()),
    }
}

/// May it have a token. Counts it.
pub fn charge(terms: &ClientTerms, usual: &Allowance, meters: &Meters, monotonic: Monotonic) -> Result<(), Denied> {
    take(&meters.handouts, terms.limits.handouts(usual), monotonic)
        .map_err(|(limit, wait)| Denied::Handouts { limit, wait })
}

fn take(meter: &Meter, quota: Option<Quota>, monotonic: Monotonic) -> Result<(), (NonZeroU32, Duration)> {
    let Some(quota) = quota else { return Ok(()) };
    meter.take(quota, monotonic).map_err(|wait| (quota.count, wait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limits::{ClientLimits, Rate};

    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
    const ONE: NonZeroU32 = NonZeroU32::MIN;

    fn ask(terms: &ClientTerms, meters: &Meters, address: &str) -> Result<(), Denied> {
        let usual = Allowance { requests_per_minute: Some(ONE), handouts_per_hour: Some(ONE) };
        admit(terms, &usual, meters, Some(address.parse().unwrap()), || NOW, Monotonic::default())
    }

    /// Each client breaks every rule that stands below its own, too.
    #[test]
    fn pause_comes_before_expiry_before_the_address_before_the_rate() {
        let meters = Meters::default();
        let home = "10.0.0.1";
        let rated = ClientTerms::default();
        assert_eq!(ask(&rated, &meters, home), Ok(()));
        let too_often = Err(Denied::Requests { limit: ONE, wait: Duration::from_secs(60) });
        assert_eq!(ask(&rated, &meters, home), too_often);
        let limits = ClientLimits { networks: vec!["10.0.0.0/8".parse().unwrap()], ..ClientLimits::default() };
        let bound = ClientTerms { limits, ..rated };
        assert_eq!(ask(&bound, &meters, "192.0.2.1"), Err(Denied::Elsewhere("192.0.2.1".parse().unwrap())));
        assert_eq!(ask(&bound, &meters, home), too_often);
        let limits = ClientLimits { expires_at: Some(NOW), ..bound.limits.clone() };
        let expired = ClientTerms { limits, ..bound };
        assert_eq!(ask(&expired, &meters, "192.0.2.1"), Err(Denied::Expired(NOW)));
        let paused = ClientTerms { paused_at: Some(NOW), ..expired };
        assert_eq!(ask(&paused, &meters, "192.0.2.1"), Err(Denied::Paused));
    }

    #[test]
    fn a_clients_time_is_over_from_its_very_second() {
        let until = |end: Timestamp| ClientTerms {
            limits: ClientLimits { expires_at: Some(end), ..ClientLimits::default() },
            paused_at: None,
        };
        assert_eq!(still_admitted(&until(NOW + Duration::from_secs(1)), || NOW), Ok(()));
        assert_eq!(still_admitted(&until(NOW), || NOW), Err(Denied::Expired(NOW)));
    }

    #[test]
    fn its_own_rate_stands_in_for_the_usual_one() {
        let usual = Allowance { requests_per_minute: None, handouts_per_hour: Some(ONE) };
        for (rate, tokens) in [(Rate::Usual, 1), (Rate::AtMost(NonZeroU32::new(3).unwrap()), 3), (Rate::Unlimited, 99)]
        {
            let terms = ClientTerms {
                limits: ClientLimits { handouts_per_hour: rate, ..ClientLimits::default() },
                paused_at: None,
            };
            let meters = Meters::default();
            let had = (0..99).filter(|_| charge(&terms, &usual, &meters, Monotonic::default()).is_ok()).count();
            assert_eq!(had, tokens, "{rate:?}");
        }
    }
}
