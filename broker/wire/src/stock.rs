//! What stock clients read: the Codex CLI's `auth.json`, and the answer of a token endpoint.
//!
//! The `refresh_token` in both is a *stand-in* of the broker's own. The provider's refresh token and id token have no
//! place here.

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::token::outward;

/// Path of the file on the client listener.
pub const AUTH_FILE_PATH: &str = "/codex/auth.json";
/// Path of the token endpoint on the client listener: the value of `CODEX_REFRESH_TOKEN_URL_OVERRIDE`.
pub const TOKEN_PATH: &str = "/oauth/token";
/// Where the stock CLI's `logout` goes.
pub const REVOKE_PATH: &str = "/oauth/revoke";

/// The stock CLI's `auth.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthFile {
    /// Always `chatgpt`.
    pub auth_mode: String,
    /// Always null: an API key in the same file would be used instead.
    #[serde(rename = "OPENAI_API_KEY")]
    pub api_key: Option<String>,
    /// The tokens.
    pub tokens: AuthTokens,
    /// When they were obtained, RFC 3339; without it the CLI does not use them.
    pub last_refresh: String,
}

/// The tokens in an [`AuthFile`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthTokens {
    /// Unsigned, made by the broker: account id, plan and email for display.
    #[serde(serialize_with = "outward")]
    pub id_token: Secret,
    /// What goes behind `Authorization: Bearer` at the provider.
    #[serde(serialize_with = "outward")]
    pub access_token: Secret,
    /// A stand-in.
    #[serde(serialize_with = "outward")]
    pub refresh_token: Secret,
    /// The ChatGPT account (workspace).
    pub account_id: String,
}

/// A good answer of the token endpoint (RFC 6749 section 5.1). Every member is always there: some clients use what is
/// missing unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// What goes behind `Authorization: Bearer` at the provider.
    #[serde(serialize_with = "outward")]
    pub access_token: Secret,
    /// Always `Bearer`.
    pub token_type: String,
    /// In how many seconds the client should come back at the latest.
    pub expires_in: i64,
    /// The stand-in to come back with.
    #[serde(serialize_with = "outward")]
    pub refresh_token: Secret,
    /// Unsigned, made by the broker.
    #[serde(serialize_with = "outward")]
    pub id_token: Secret,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_this_json() {
        let file = AuthFile {
            auth_mode: "chatgpt".into(),
            api_key: None,
            tokens: AuthTokens {
                id_token: Secret::new("e30.e30.x"),
                access_token: Secret::new("eyJ.x.y"),
                refresh_token: Secret::new("sxr_1"),
                account_id: "6f0c1a2b".into(),
            },
            last_refresh: "2026-09-30T08:15:30Z".into(),
        };
        let json = concat!(
            r#"{"auth_mode":"chatgpt","OPENAI_API_KEY":null,"tokens":{"id_token":"e30.e30.x","#,
            r#""access_token":"eyJ.x.y","refresh_token":"sxr_1","account_id":"6f0c1a2b"},"#,
            r#""last_refresh":"2026-09-30T08:15:30Z"}"#
        );
        assert_eq!(serde_json::to_string(&file).unwrap(), json);
        assert_eq!(serde_json::from_str::<AuthFile>(json).unwrap(), file);
        assert!(!format!("{file:?}").contains("sxr_"));
    }

    #[test]
    fn an_answer_is_this_json() {
        let granted = Granted {
            access_token: Secret::new("eyJ.x.y"),
            token_type: "Bearer".into(),
            expires_in: 900,
            refresh_token: Secret::new("sxr_1"),
            id_token: Secret::new("e30.e30.x"),
        };
        let json = concat!(
            r#"{"access_token":"eyJ.x.y","token_type":"Bearer","expires_in":900,"#,
            r#""refresh_token":"sxr_1","id_token":"e30.e30.x"}"#
        );
        assert_eq!(serde_json::to_string(&granted).unwrap(), json);
        assert_eq!(serde_json::from_str::<Granted>(json).unwrap(), granted);
    }
}
