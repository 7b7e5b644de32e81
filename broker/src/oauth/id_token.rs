//! An id token of our own making, for clients that read their account from one.
//!
//! It is not signed and says so (`"alg":"none"`, RFC 7519 section 6): nothing may be concluded from it, and the provider's
//! own, which could be exchanged for an API key, never leaves the broker. Its third part is not empty, because the stock
//! CLI does not read a token whose third part is.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scorpiox_wire::Secret;
use serde_json::{Map, Value, json};

use crate::clock::Timestamp;
use crate::domain::credential::Credential;

/// Who it says that it is from.
const ISSUER: &str = "scorpiox-broker";
/// Stands where a signature would.
const NO_SIGNATURE: &str = "unsigned";
/// The claim that holds what the stock CLI looks for.
const AUTH: &str = "https://api.openai.com/auth";

/// Whose login this is, for display.
pub fn of(credential: &Credential, issued_at: Timestamp, expires_at: Timestamp) -> Secret {
    let header = json!({"alg": "none", "typ": "JWT"});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = claims(credential, issued_at, expires_at);
    Secret::new(format!("{}.{}.{}", part(&header), part(&claims), URL_SAFE_NO_PAD.encode(NO_SIGNATURE)))
}

fn claims(credential: &Credential, issued_at: Timestamp, expires_at: Timestamp) -> Value {
    let owner = &credential.owner;
    let mut auth = Map::new();
    auth.insert("chatgpt_account_id".into(), json!(owner.account_id));
    if let Some(plan) = &credential.plan_type {
        auth.insert("chatgpt_plan_type".into(), json!(plan));
    }
    if let Some(user) = &owner.user_id {
        auth.insert("chatgpt_user_id".into(), json!(user));
    }
    let mut claims = Map::new();
    claims.insert("iss".into(), json!(ISSUER));
    claims.insert("sub".into(), json!(credential.id.as_str()));
    claims.insert("iat".into(), json!(issued_at.as_unix()));
    claims.insert("exp".into(), json!(expires_at.as_unix()));
    if let Some(email) = &credential.email {
        claims.insert("email".into(), json!(email));
    }
    claims.insert(AUTH.into(), Value::Object(auth));
    Value::Object(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::{CredentialId, Name, Owner, Pause};
    use crate::domain::rotation::Rotation;
    use crate::provider::codex::identity;

    fn credential(email: Option<&str>) -> Credential {
        Credential {
            id: CredentialId::from_stored("4k2j9x0c7m1d".into()),
            name: Name::parse("main").unwrap(),
            owner: Owner { account_id: "6f0c1a2b".into(), user_id: email.map(|_| "user-1".into()) },
            email: email.map(str::to_owned),
            plan_type: email.map(|_| "team".into()),
            created_at: Timestamp::from_unix(0),
            pause: Pause::None,
            rotation: Rotation::begun(7, 0),
            tokens: None,
        }
    }

    #[test]
    fn it_says_who_it_is_and_that_nobody_signed_it() {
        let token = of(&credential(Some("a@example.com")), Timestamp::from_unix(5), Timestamp::from_unix(9));
        let parts: Vec<&str> = token.expose().split('.').collect();
        let json = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
        assert_eq!(json(parts[0]), json!({"alg": "none", "typ": "JWT"}));
        assert_eq!((json(parts[1])["iat"].clone(), json(parts[1])["exp"].clone()), (json!(5), json!(9)));
        assert_eq!((parts.len(), parts[2].is_empty()), (3, false));
        let identity = identity("", token.expose());
        assert_eq!(identity.account_id.as_deref(), Some("6f0c1a2b"));
        assert_eq!(identity.user_id.as_deref(), Some("user-1"));
        assert_eq!(identity.email.as_deref(), Some("a@example.com"));
        assert_eq!(identity.plan_type.as_deref(), Some("team"));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let token = of(&credential(None), Timestamp::from_unix(5), Timestamp::from_unix(9));
        let claims = token.expose().split('.').nth(1).unwrap();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert!(!claims.contains("null") && !claims.contains("email") && !claims.contains("plan"), "{claims}");
    }
}
