//! Well-formed JWTs with the claims that the stock client reads, and ill-formed ones on request.
//!
//! Nobody on the client side verifies their signature, so it is noise of the right length.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::Account;
use crate::random::Random;

/// The public client id of the Codex CLI.
pub const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// An access token that is not the JWT one expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddJwt {
    /// No JWT at all.
    Opaque,
    /// Header `alg: none` and an empty signature.
    AlgNone,
    /// No `exp`.
    ExpMissing,
    /// `exp` is a string of digits.
    ExpString,
    /// `exp` is -1.
    ExpNegative,
    /// `exp` is the last second of the year 9999.
    ExpYear9999,
}

/// What goes into a pair of tokens.
pub(crate) struct Claims<'a> {
    pub(crate) account: &'a Account,
    pub(crate) token_id: String,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
}

/// The bearer token.
pub(crate) fn access_token(claims: &Claims<'_>, odd: Option<OddJwt>, random: &mut Random) -> String {
    let mut payload = json!({
        "aud": ["https://api.openai.com/v1"],
        "client_id": CLIENT_ID,
        "exp": claims.expires_at,
        "https://api.openai.com/auth": claims.account.auth_claim(),
        "https://api.openai.com/profile": {"email": claims.account.email, "email_verified": true},
        "iat": claims.issued_at,
        "iss": "https://auth.openai.com",
        "jti": claims.token_id,
        "nbf": claims.issued_at,
        "scp": ["openid", "profile", "email", "offline_access"],
        "sub": claims.account.user_id,
    });
    match odd {
        None | Some(OddJwt::AlgNone) => {}
        Some(OddJwt::Opaque) => return format!("at_{}", random.text(48)),
        Some(OddJwt::ExpMissing) => drop(payload.as_object_mut().map(|members| members.remove("exp"))),
        Some(OddJwt::ExpString) => payload["exp"] = Value::from(claims.expires_at.to_string()),
        Some(OddJwt::ExpNegative) => payload["exp"] = Value::from(-1),
        Some(OddJwt::ExpYear9999) => payload["exp"] = Value::from(253_402_300_799_i64),
    }
    if odd == Some(OddJwt::AlgNone) {
        return format!("{}.{}.", part(&json!({"alg": "none", "typ": "JWT"})), part(&payload));
    }
    signed(&payload, random)
}

/// The token that says who logged in.
pub(crate) fn id_token(claims: &Claims<'_>, random: &mut Random) -> String {
    let payload = json!({
        "aud": [CLIENT_ID],
        "email": claims.account.email,
        "email_verified": true,
        "exp": claims.issued_at.saturating_add(3600),
        "https://api.openai.com/auth": claims.account.auth_claim(),
        "iat": claims.issued_at,
        "iss": "https://auth.openai.com",
        "jti": format!("{}-id", claims.token_id),
        "sub": claims.account.user_id,
    });
    signed(&payload, random)
}

fn signed(payload: &Value, random: &mut Random) -> String {
    let header = part(&json!({"alg": "RS256", "kid": "fake-provider", "typ": "JWT"}));
    format!("{header}.{}.{}", part(payload), random.text(256))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The claims of a token made here; `Null` when it is not a JWT.
pub fn payload(token: &str) -> Value {
    let middle = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    middle.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null)
}
