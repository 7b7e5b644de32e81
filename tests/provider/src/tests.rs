//! The provider's own tests: the core alone, then each fault and flow through a plain TCP client.

mod client;
mod core;
mod faults;
mod flows;
mod overlap;
mod tls;
