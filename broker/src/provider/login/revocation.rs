//! A login is ended at the provider (*P 2.6*, RFC 7009).

use scorpiox_wire::Secret;
use serde_json::Value;
use zeroize::Zeroizing;

use super::LoginError;
use crate::provider::CodexProvider;
use crate::provider::dial::Payload;

impl CodexProvider {
    /// Ends the login that this refresh token belongs to. Not for a login that somebody may still want.
    pub async fn revoke(&self, refresh_token: &Secret) -> Result<(), LoginError> {
        let payload = Payload::Json(encode(&self.server.client_id, refresh_token));
        let answer = self.dialer.call(&self.server.revoke, &self.agent, payload).await?;
        if (200..=299).contains(&answer.status) { Ok(()) } else { Err(LoginError::of_refusal(&answer)) }
    }
}

fn encode(client_id: &str, refresh_token: &Secret) -> Zeroizing<Vec<u8>> {
    let text = |text: &str| Zeroizing::new(Value::from(text).to_string());
    let (token, client_id) = (text(refresh_token.expose()), text(client_id));
    // Room for all of it: a text that grew would leave copies behind.
    let mut body = Zeroizing::new(Vec::with_capacity(64 + token.len() + client_id.len()));
    for part in [r#"{"token":"#, &token, r#","token_type_hint":"refresh_token","client_id":"#, &client_id, "}"] {
        body.extend_from_slice(part.as_bytes());
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revocation_is_this_json() {
        let body = encode("app_test", &Secret::new("rt_\"1"));
        let expected = r#"{"token":"rt_\"1","token_type_hint":"refresh_token","client_id":"app_test"}"#;
        assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
    }
}
