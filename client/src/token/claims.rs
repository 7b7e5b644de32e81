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
    /// The plan of that account: `plus`, `team`.
    pub plan_type: Option<String>,
}

impl UnverifiedClaims {
    /// Reads the middle part of a JWT; a token that is none makes no claims.
    pub fn of(token: &str) -> Self {
        Self::parse(token).unwrap_or_default()
    }

    fn parse(token: &str) -> Option<Self> {
        let claims = payload(token)?;
        let text = |claim: &str| claims["https://api.openai.com/auth"][claim].as_str().map(str::to_owned);
        Some(Self {
            expires_at: claims["exp"].as_i64().filter(|seconds| *seconds > 0),
            account_id: text("chatgpt_account_id"),
            plan_type: text("chatgpt_plan_type"),
        })
    }
}

/// Whose login it is, for people.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The email address.
    pub email: Option<String>,
    /// `plus`, `team`, …
    pub plan_type: Option<String>,
}

impl Person {
    /// Reads an id token or an access token; each fact may be missing.
    pub fn of(token: &str) -> Self {
        let claims = payload(token).unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let profile = &claims["https://api.openai.com/profile"]["email"];
        Self {
            email: text(&claims["email"]).or_else(|| text(profile)),
            plan_type: text(&claims["https://api.openai.com/auth"]["chatgpt_plan_type"]),
        }
    }
}

fn payload(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?.trim_end_matches('=');
    let payload = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload).ok()?);
    serde_json::from_slice(&payload).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn expiry_account_and_plan_are_read() {
        let auth = r#"{"chatgpt_account_id":"a1","chatgpt_plan_type":"team"}"#;
        let token = jwt(&format!(r#"{{"exp":1700000900,"https://api.openai.com/auth":{auth}}}"#));
        let expected = UnverifiedClaims {
            expires_at: Some(1_700_000_900),
            account_id: Some("a1".into()),
            plan_type: Some("team".into()),
        };
        assert_eq!(UnverifiedClaims::of(&token), expected);
    }

    #[test]
    fn a_person_is_known_by_what_the_token_says() {
        let token = jwt(r#"{"email":"a@b.example","https://api.openai.com/auth":{"chatgpt_plan_type":"plus"}}"#);
        let expected = Person { email: Some("a@b.example".into()), plan_type: Some("plus".into()) };
        assert_eq!((Person::of(&token), Person::of("opaque")), (expected, Person::default()));
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
