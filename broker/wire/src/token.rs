//! What `GET /codex` asks and answers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// Path of the token request on the client listener.
pub const PATH: &str = "/codex";
/// Query parameter with which a client says that the provider refused a token: its value is that token's [`TokenTag`].
pub const REFUSED: &str = "refused";

/// The answer to a token request. It has no field for a refresh token or the provider's id token, on purpose.
///
/// All times are Unix seconds on the broker's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// What goes behind `Authorization: Bearer` at the provider.
    #[serde(serialize_with = "outward")]
    pub access_token: Secret,
    /// Always `Bearer` (RFC 6749 §7.1).
    pub token_type: String,
    /// When the provider stops accepting it.
    pub expires_at: i64,
    /// The same, in seconds from the answer.
    pub expires_in: i64,
    /// Until when a client may use its copy without asking again.
    pub revalidate_at: i64,
    /// The ChatGPT account (workspace), for the `ChatGPT-Account-ID` header.
    pub account_id: String,
    /// `plus`, `pro`, `team` …; absent when the provider did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_type: Option<String>,
    /// Id of the credential: stable for as long as it exists, whatever its name.
    pub credential: String,
    /// How many token sets this credential has had.
    pub generation: u64,
    /// False when this login can no longer be renewed: a person must log in before `expires_at`.
    pub renewable: bool,
}

impl TokenAnswer {
    /// The name of this token, which `ETag`, `If-None-Match` and `?refused=` carry.
    pub fn tag(&self) -> TokenTag {
        TokenTag { credential: self.credential.clone(), generation: self.generation }
    }
}

/// Serialises a secret: only for a field whose purpose is to hand that secret out.
pub fn outward<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

/// "The token of generation 7 of credential X", written `X.7`; in an `ETag` it stands in double quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenTag {
    /// Id of the credential, `[0-9a-z]{1,64}`.
    pub credential: String,
    /// Its generation.
    pub generation: u64,
}

/// The text is no [`TokenTag`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token's tag looks like 4k2j9x0c7m1d.7")]
pub struct MalformedTag;

impl TokenTag {
    /// The form that the `ETag` header takes.
    pub fn to_etag(&self) -> String {
        format!("\"{self}\"")
    }
}

impl fmt::Display for TokenTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.credential, self.generation)
    }
}

impl FromStr for TokenTag {
    type Err = MalformedTag;

    /// Accepts the bare and the quoted form, and a weak validator (`W/"…"`): a proxy may have made one of it.
    fn from_str(text: &str) -> Result<Self, MalformedTag> {
        let text = text.strip_prefix("W/").unwrap_or(text);
        let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let (credential, generation) = text.split_once('.').ok_or(MalformedTag)?;
        let in_id = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
        if credential.is_empty() || credential.len() > 64 || !credential.bytes().all(in_id) {
            return Err(MalformedTag);
        }
        if generation.is_empty() || !generation.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(MalformedTag);
        }
        let generation = generation.parse().map_err(|_| MalformedTag)?;
        Ok(Self { credential: credential.to_owned(), generation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_this_json() {
        let answer = TokenAnswer {
            access_token: Secret::new("eyJ.x.y"),
            token_type: "Bearer".into(),
            expires_at: 1_700_000_900,
            expires_in: 900,
            revalidate_at: 1_700_000_300,
            account_id: "6f0c1a2b".into(),
            plan_type: Some("team".into()),
            credential: "4k2j9x0c7m1d".into(),
            generation: 7,
            renewable: true,
        };
        let json = concat!(
            r#"{"access_token":"eyJ.x.y","token_type":"Bearer","expires_at":1700000900,"expires_in":900,"#,
            r#""revalidate_at":1700000300,"account_id":"6f0c1a2b","plan_type":"team","#,
            r#""credential":"4k2j9x0c7m1d","generation":7,"renewable":true}"#
        );
        assert_eq!(serde_json::to_string(&answer).unwrap(), json);
        assert_eq!(serde_json::from_str::<TokenAnswer>(json).unwrap(), answer);
    }

    #[test]
    fn tags_are_read_in_every_form_that_a_header_gives_them() {
        let tag = TokenTag { credential: "4k2j".into(), generation: 7 };
        for text in ["4k2j.7", "\"4k2j.7\"", "W/\"4k2j.7\""] {
            assert_eq!(text.parse(), Ok(tag.clone()), "{text}");
        }
        assert_eq!(tag.to_etag(), "\"4k2j.7\"");
        for text in ["", "4k2j", "4k2j.", ".7", "4K2J.7", "4k2j.+7", "4k2j.-1", "a/b.1", "4k2j.99999999999999999999"] {
            assert_eq!(text.parse::<TokenTag>(), Err(MalformedTag), "{text}");
        }
    }
}
