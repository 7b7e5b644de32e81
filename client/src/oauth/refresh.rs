//! The redemption of a refresh token: one POST.
//!
//! ```json
//! {"client_id":"app_EMoamEEZ73f0CkXaXp7hrann","grant_type":"refresh_token","refresh_token":"rt_made_up_1"}
//! ```

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::CLIENT_ID;
use super::call::{Caller, NoAnswer, Payload, RawAnswer};
use super::server::OAuthServer;
use crate::http::Gate;
use crate::json_object::quoted;

/// Something that redeems refresh tokens.
pub trait Redeem {
    /// Presents it once. `armed` is passed right before the first byte leaves; if it fails nothing is sent.
    fn redeem(&self, refresh_token: &Secret, armed: Arc<dyn Gate>, within: Duration) -> Result<RawAnswer, NoAnswer>;
}

/// The login server that the environment names. Costs nothing until it is used.
pub struct AtServer<'a> {
    /// Looks up address, proxy and certificates.
    pub environment: &'a dyn Fn(&str) -> Option<OsString>,
}

impl Redeem for AtServer<'_> {
    fn redeem(&self, refresh_token: &Secret, armed: Arc<dyn Gate>, within: Duration) -> Result<RawAnswer, NoAnswer> {
        let server = OAuthServer::from_environment(self.environment).map_err(NoAnswer::NotSent)?;
        let caller = Caller { environment: self.environment, within };
        caller.post_through(armed, &server.refresh(), Payload::Json(encode(refresh_token)))
    }
}

fn encode(refresh_token: &Secret) -> Zeroizing<Vec<u8>> {
    let refresh_token = quoted(refresh_token.expose());
    let mut body = Zeroizing::new(Vec::with_capacity(128 + refresh_token.len()));
    body.extend_from_slice(br#"{"client_id":""#);
    body.extend_from_slice(CLIENT_ID.as_bytes());
    body.extend_from_slice(br#"","grant_type":"refresh_token","refresh_token":"#);
    body.extend_from_slice(refresh_token.as_bytes());
    body.push(b'}');
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_the_stock_clients() {
        let expected =
            r#"{"client_id":"app_EMoamEEZ73f0CkXaXp7hrann","grant_type":"refresh_token","refresh_token":"rt\"_1"}"#;
        assert_eq!(std::str::from_utf8(&encode(&Secret::new("rt\"_1"))).unwrap(), expected);
    }
}
