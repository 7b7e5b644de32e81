//! What an access token says of itself. Nobody here checks its signature: a hint, not a proof.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use zeroize::Zeroizing;

/// The claims that matter to us, unverified.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UnverifiedClaims {
    /// When it ends, Unix seconds.
    pub expires_at: Option<i64>,
    /// The ChatGPT account (workspace).
    pub account_id: Option<String>,
}

impl UnverifiedClaims {
    /// Reads the middle part of a JWT; a token that is none makes no claims.
    pub fn of(token: &str) -> Self {
        Self::parse(token).unwrap_or_default()
    }

    fn parse(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?.trim_end_matches('=');
        let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload).ok()?);
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        let account_id = &claims["https://api.openai.com/auth"]["chatgpt_account_id"];
        Some(Self {
            expires_at: claims["exp"].as_i64().filter(|seconds| *seconds > 0),
            account_id: account_id.as_str().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn expiry_and_account_are_read() {
        let token = jwt(r#"{"exp":1700000900,"https://api.openai.com/auth":{"chatgpt_account_id":"a1"}}"#);
        let expected = UnverifiedClaims { expires_at: Some(1_700_000_900), account_id: Some("a1".into()) };
        assert_eq!(UnverifiedClaims::of(&token), expected);
    }

    #[test]
    fn what_is_missing_or_odd_is_no_claim() {
        let payloads = [r#"{"exp":"soon"}"#, r#"{"exp":-5}"#, r#"{"exp":1e300}"#, "[]", "not json"];
        let tokens = payloads.map(jwt).into_iter().chain(["opaque", "a.b.c", ""].map(str::to_owned));
        for token in tokens {
            assert_eq!(UnverifiedClaims::of(&token), UnverifiedClaims::default(), "{token}");
        }
    }
}
