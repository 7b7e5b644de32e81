//! What one address, connection and request may cost.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::config;
use crate::config::network::{Network, canonical, counted_as};

/// The bounds of one listener.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Largest request line with headers, in bytes.
    pub header_bytes: usize,
    /// Largest body, in bytes.
    pub body_bytes: usize,
    /// From the first byte of a request's headers to the last; for a new connection from its start.
    pub header_timeout: Duration,
    /// For a TLS handshake.
    pub handshake_timeout: Duration,
    /// Between two requests.
    pub keep_alive: Duration,
    /// From a request's headers to its answer.
    pub request_timeout: Duration,
    /// For the client to accept an answer.
    pub write_timeout: Duration,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
}

impl From<&config::Limits> for Bounds {
    fn from(limits: &config::Limits) -> Self {
        Self {
            header_bytes: limits.header_bytes,
            body_bytes: limits.body_bytes,
            header_timeout: limits.header_timeout,
            handshake_timeout: limits.handshake_timeout,
            keep_alive: limits.keep_alive,
            request_timeout: limits.request_timeout,
            write_timeout: limits.write_timeout,
            trusted_proxies: limits.trusted_proxies.clone(),
        }
    }
}

impl Bounds {
    /// The bounds of the administration socket: whoever may open it may also import a large file and wait for a login.
    pub fn of_administration(limits: &config::Limits) -> Self {
        Self {
            body_bytes: limits.body_bytes.max(1 << 20),
            request_timeout: limits.request_timeout.max(Duration::from_secs(60)),
            trusted_proxies: Vec::new(),
            ..Self::from(limits)
        }
    }
}

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Of one address.
    pub per_address: u32,
    /// In all.
    pub total: u32,
    /// Loopback has no cap of its own, and a reserve beyond the total, so that health checks on the machine get through.
    pub loopback_exempt: bool,
}

impl Caps {
    /// Connections that loopback may hold beyond the total.
    fn reserve(self) -> u32 {
        if self.loopback_exempt { (self.total / 16).max(16) } else { 0 }
    }

    /// The most connections there can ever be.
    pub(super) fn most(self) -> u32 {
        self.total.saturating_add(self.reserve())
    }
}

impl From<&config::Limits> for Caps {
    fn from(limits: &config::Limits) -> Self {
        Self {
            per_address: limits.connections_per_address,
            total: limits.connections,
            loopback_exempt: limits.loopback_exempt,
        }
    }
}

/// Counts the open connections of a listener, by address.
pub(super) struct Occupancy {
    caps: Caps,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    total: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// A place that one connection holds until this is dropped.
pub(super) struct Place {
    occupancy: Arc<Occupancy>,
    counted: Option<IpAddr>,
}

impl Occupancy {
    pub(super) fn new(caps: Caps) -> Arc<Self> {
        Arc::new(Self { caps, held: Mutex::default() })
    }

    /// A place for a connection from `peer`, or `None` when its share, or everything, is taken.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let exempt = self.caps.loopback_exempt && canonical(peer).is_loopback();
        let mut held = self.held.lock().expect("counting does not panic");
        let most = if exempt { self.caps.most() } else { self.caps.total };
        if held.total >= most {
            return None;
        }
        let counted = (!exempt).then(|| counted_as(peer));
        if let Some(address) = counted {
            let share = held.by_address.entry(address).or_default();
            if *share >= self.caps.per_address {
                return None;
            }
            *share += 1;
        }
        held.total += 1;
        Some(Place { occupancy: Arc::clone(self), counted })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.occupancy.held.lock().expect("counting does not panic");
        held.total -= 1;
        if let Some(address) = self.counted
            && let Some(share) = held.by_address.get_mut(&address)
        {
            *share -= 1;
            if *share == 0 {
                held.by_address.remove(&address);
            }
        }
    }
}

/// Lets the process open a file for each of `connections` and what it needs besides; answers how many it may open now.
///
/// The usual soft limit of 1,024 would otherwise be met before the cap on connections, and by the database too.
pub(super) fn raise_open_files(connections: u32) -> io::Result<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let wanted = u64::from(connections) + 512;
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    if current >= wanted {
        return Ok(current);
    }
    let raised = limit.maximum.unwrap_or(u64::MAX).min(wanted);
    setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum })?;
    Ok(raised)
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
