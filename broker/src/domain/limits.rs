//! How much a client may ask for, from where, and until when.

use std::net::IpAddr;
use std::num::NonZeroU32;

use super::meter::Quota;
use super::network::Network;
use crate::clock::Timestamp;

/// How often, as an administrator said it for one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rate {
    /// As often as the broker lets everybody.
    #[default]
    Usual,
    /// At most so often.
    AtMost(NonZeroU32),
    /// As often as it likes.
    Unlimited,
}

impl Rate {
    /// As a row and the contract write it: nothing is the usual rate, 0 is none.
    pub fn from_number(number: Option<u32>) -> Self {
        match number.map(NonZeroU32::new) {
            None => Self::Usual,
            Some(None) => Self::Unlimited,
            Some(Some(count)) => Self::AtMost(count),
        }
    }

    /// The inverse of [`Self::from_number`].
    pub fn to_number(self) -> Option<u32> {
        match self {
            Self::Usual => None,
            Self::Unlimited => Some(0),
            Self::AtMost(count) => Some(count.get()),
        }
    }

    fn of(self, usual: Option<NonZeroU32>) -> Option<NonZeroU32> {
        match self {
            Self::Usual => usual,
            Self::AtMost(count) => Some(count),
            Self::Unlimited => None,
        }
    }
}

/// What the broker lets every client; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    /// Token requests of one client, answered or refused.
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tokens that leave for one client. "You have it already" (304) is none.
    pub handouts_per_hour: Option<NonZeroU32>,
}

/// What an administrator said about one client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientLimits {
    /// Token requests.
    pub requests_per_minute: Rate,
    /// Tokens.
    pub handouts_per_hour: Rate,
    /// Where it may ask from; empty for anywhere.
    pub networks: Vec<Network>,
    /// From when on it gets nothing.
    pub expires_at: Option<Timestamp>,
}

impl ClientLimits {
    /// How often it may ask.
    pub fn requests(&self, usual: &Allowance) -> Option<Quota> {
        self.requests_per_minute.of(usual.requests_per_minute).map(Quota::per_minute)
    }

    /// How many tokens it may have.
    pub fn handouts(&self, usual: &Allowance) -> Option<Quota> {
        self.handouts_per_hour.of(usual.handouts_per_hour).map(Quota::per_hour)
    }

    /// Whether it may ask from here. What has no address is on this machine already.
    pub fn allow(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address else { return true };
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(address))
    }
}

/// How a client stands: its limits, and whether it is paused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientTerms {
    /// Its limits.
    pub limits: ClientLimits,
    /// Since when an administrator lets it have nothing; `None` while it may ask.
    pub paused_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_written_and_read_back_and_zero_is_no_limit() {
        let usual = NonZeroU32::new(600);
        for (number, effective) in [(None, usual), (Some(0), None), (Some(7), NonZeroU32::new(7))] {
            let rate = Rate::from_number(number);
            assert_eq!((rate.to_number(), rate.of(usual)), (number, effective));
        }
    }

    #[test]
    fn an_address_is_allowed_by_any_of_the_networks_and_everywhere_without_one() {
        let limits = |networks: &[&str]| ClientLimits {
            networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
            ..ClientLimits::default()
        };
        let office = limits(&["10.0.0.0/8", "2001:db8::/32"]);
        for (address, allowed) in
            [("10.9.8.7", true), ("::ffff:10.9.8.7", true), ("2001:db8::1", true), ("192.0.2.1", false), ("::1", false)]
        {
            assert_eq!(office.allow(Some(address.parse().unwrap())), allowed, "{address}");
            assert!(limits(&[]).allow(Some(address.parse().unwrap())));
        }
        assert!(office.allow(None));
    }
}
