//! How a person logs in at the provider: device code or browser, then the exchange of the code for tokens.
//!
//! * `error`: what a login can end with, in words for a person.
//! * `device`: a code is typed into a page on any machine (*P 2.7*).
//! * `browser`: a browser is sent to the provider and comes back (*P 2.2*, *P 2.3*).
//! * `exchange`: the code becomes a login (*P 2.4*).
//! * `revocation`: a login is ended at the provider (*P 2.6*).

use scorpiox_wire::Secret;

mod browser;
mod device;
mod error;
mod exchange;
mod revocation;

pub use browser::{BrowserLogin, Callback};
pub use device::{DEVICE_CODE_LIFE, DeviceCode, Poll};
pub use error::LoginError;

/// What either way of logging in ends with, and what the exchange needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// May be redeemed once.
    pub code: Secret,
    /// The PKCE verifier that belongs to it.
    pub verifier: Secret,
    /// Exactly the one with which the code was obtained.
    pub redirect_uri: String,
}

#[cfg(test)]
mod tests;
