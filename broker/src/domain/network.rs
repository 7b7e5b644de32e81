//! An address or a network of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// All addresses that share their first bits: `10.0.0.0/8`, `2001:db8::/32`, or one address alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    bits: u128,
    prefix: u8,
}

/// A text that is neither an address nor a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither an address nor a network")]
pub struct MalformedNetwork;

impl Network {
    /// True if `address` belongs to it; an IPv4 address that arrives in IPv6 clothes is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        (bits(address) ^ self.bits) & mask(self.prefix) == 0
    }
}

/// Both families in one number: IPv4 as `::ffff:a.b.c.d`.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => four.to_ipv6_mapped().to_bits(),
        IpAddr::V6(six) => six.to_bits(),
    }
}

fn mask(prefix: u8) -> u128 {
    u128::MAX.checked_shl(u32::from(128 - prefix)).unwrap_or(0)
}

impl FromStr for Network {
    type Err = MalformedNetwork;

    fn from_str(text: &str) -> Result<Self, MalformedNetwork> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| MalformedNetwork)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => width,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| MalformedNetwork)?
            }
            Some(_) => return Err(MalformedNetwork),
        };
        if length > width {
            return Err(MalformedNetwork);
        }
        let prefix = 128 - (width - length);
        Ok(Self { bits: bits(address) & mask(prefix), prefix })
    }
}

impl fmt::Display for Network {
    /// As it is read; the bits beyond the prefix are gone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from_bits(self.bits);
        match address.to_ipv4_mapped() {
            Some(four) if self.prefix >= 96 => write!(f, "{four}/{}", self.prefix - 96),
            Some(_) | None => write!(f, "{address}/{}", self.prefix),
        }
    }
}

/// What counts as one visitor: whoever has one IPv6 address has its whole /64 (RFC 6177).
pub fn counted_as(peer: IpAddr) -> IpAddr {
    match canonical(peer) {
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX)).into(),
        four => four,
    }
}

/// The address without IPv6 clothes around an IPv4 one, so that one machine counts as one.
pub fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => Ipv6Addr::to_canonical(&six),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_the_addresses_that_share_its_prefix() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.3.4", "11.0.0.1"),
            ("192.168.7.9", "192.168.7.9", "192.168.7.8"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("172.16.0.0/12", "172.31.255.255", "172.32.0.0"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network:?} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{network:?} {outside}");
        }
        let everything: Network = "::/0".parse().unwrap();
        assert!(everything.contains("8.8.8.8".parse().unwrap()));
    }

    #[test]
    fn a_network_is_shown_as_it_is_read() {
        for (typed, shown) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
            ("::1", "::1/128"),
        ] {
            let network: Network = typed.parse().unwrap();
            assert_eq!(network.to_string(), shown);
            assert_eq!(shown.parse(), Ok(network));
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "::/129", "example.org", "10.0.0.0/8/8", "10.0/8"] {
            assert_eq!(text.parse::<Network>(), Err(MalformedNetwork), "{text}");
        }
    }
}
