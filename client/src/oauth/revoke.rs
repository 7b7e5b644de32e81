//! The end of a login at the server. It may end other logins of the same account too: the server decides that.

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::CLIENT_ID;
use super::answer::described;
use super::call::{Caller, Payload};
use super::server::OAuthServer;
use crate::failure::Failure;
use crate::json_object::Object;

/// Revokes a refresh token and with it its login.
pub fn revoke(server: &OAuthServer, caller: &Caller<'_>, refresh_token: &Secret) -> Result<(), Failure> {
    let answer = caller.post(&server.revoke(), Payload::Json(encode(refresh_token))).map_err(|no| no.into_failure())?;
    match answer.status {
        200..=299 => Ok(()),
        _ => Err(Failure::temporary(format!("the login server did not revoke the login ({})", described(&answer)))),
    }
}

fn encode(refresh_token: &Secret) -> Zeroizing<Vec<u8>> {
    let mut body = Object::default();
    body.set_text("token", refresh_token.expose());
    body.set_text("token_type_hint", "refresh_token");
    body.set_text("client_id", CLIENT_ID);
    Zeroizing::new(body.render(0).as_bytes().to_vec())
}
