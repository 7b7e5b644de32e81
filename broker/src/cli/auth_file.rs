//! The stock client's `auth.json` (*P 3.2*), as far as a login can be taken over from it.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scorpiox_wire::Secret;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::failure::{Exit, Failure};
use crate::bounded_file;

/// A stock file has a few kilobytes.
const LARGEST: u64 = 256 << 10;
const LOG_IN: &str = "log in instead: scorpiox-broker login";

/// A login that can be renewed.
#[derive(Debug, PartialEq)]
pub(super) struct AuthFile {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Secret,
    pub(super) id_token: Secret,
    pub(super) account_id: String,
}

/// Why a file holds no login that can be taken over. None of them repeats what is in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it is not the JSON of an auth.json")]
    Malformed,
    #[error("it holds an API key, not a ChatGPT login: there is nothing to renew")]
    ApiKey,
    #[error("its mode is {0}, which is no ChatGPT login of its own")]
    Mode(&'static str),
    #[error("it holds no login (no tokens)")]
    NoTokens,
    #[error("it has no account id, so nobody could say whose login it is")]
    NoAccountId,
    #[error("it has no refresh token, so it could not be renewed")]
    NoRefreshToken,
    #[error("it has no access token")]
    NoAccessToken,
    #[error("its id token is no JWT; the stock client would not load it either")]
    MalformedIdToken,
}

#[derive(Deserialize)]
struct Written {
    auth_mode: Option<String>,
    #[serde(rename = "OPENAI_API_KEY")]
    api_key: Option<Secret>,
    personal_access_token: Option<Secret>,
    bedrock_api_key: Option<IgnoredAny>,
    tokens: Option<WrittenTokens>,
}

#[derive(Deserialize)]
struct WrittenTokens {
    access_token: Option<Secret>,
    refresh_token: Option<Secret>,
    id_token: Option<Secret>,
    account_id: Option<String>,
}

impl AuthFile {
    /// Reads and checks a file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let (text, _) = bounded_file::read(path, LARGEST).map_err(|error| Failure::of_file(path, &error))?;
        Self::parse(&text).map_err(|why| {
            Failure::new(Exit::Failed, format!("{} cannot be taken over: {why}", path.display())).next(LOG_IN)
        })
    }

    fn parse(text: &[u8]) -> Result<Self, Unusable> {
        let file: Written = serde_json::from_slice(text).map_err(|_| Unusable::Malformed)?;
        // Without a mode the stock client would prefer an API key (*P 3.3*); a whole login beside it is good all the same.
        let tokens = match (mode(&file)?, file.tokens) {
            (_, Some(tokens)) => tokens,
            (None, None) if file.api_key.is_some() => return Err(Unusable::ApiKey),
            (None, None) if file.personal_access_token.is_some() => return Err(Unusable::Mode("personalAccessToken")),
            (None, None) if file.bedrock_api_key.is_some() => return Err(Unusable::Mode("bedrockApiKey")),
            (None | Some(()), None) => return Err(Unusable::NoTokens),
        };
        let present = |secret: Option<Secret>| secret.filter(|secret| !secret.expose().trim().is_empty());
        let account_id = tokens.account_id.filter(|id| !id.trim().is_empty()).ok_or(Unusable::NoAccountId)?;
        let refresh_token = present(tokens.refresh_token).ok_or(Unusable::NoRefreshToken)?;
        let access_token = present(tokens.access_token).ok_or(Unusable::NoAccessToken)?;
        let id_token = present(tokens.id_token).filter(is_jwt).ok_or(Unusable::MalformedIdToken)?;
        Ok(Self { access_token, refresh_token, id_token, account_id })
    }
}

/// Nothing when the file does not say; an error when it says something that is no ChatGPT login.
fn mode(file: &Written) -> Result<Option<()>, Unusable> {
    match file.auth_mode.as_deref() {
        None => Ok(None),
        Some("chatgpt") => Ok(Some(())),
        Some("apikey") => Err(Unusable::ApiKey),
        Some("chatgptAuthTokens") => Err(Unusable::Mode("chatgptAuthTokens")),
        Some("agentIdentity") => Err(Unusable::Mode("agentIdentity")),
        Some("personalAccessToken") => Err(Unusable::Mode("personalAccessToken")),
        Some("bedrockApiKey") => Err(Unusable::Mode("bedrockApiKey")),
        Some("headers") => Err(Unusable::Mode("headers")),
        Some(_) => Err(Unusable::Mode("one that this version does not know")),
    }
}

/// Three parts, the middle one base64url of a JSON object: what the stock client asks of it.
fn is_jwt(token: &Secret) -> bool {
    let mut parts = token.expose().split('.');
    let (Some(_), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('='));
    payload.is_ok_and(|json| serde_json::from_slice::<serde_json::Map<_, _>>(&json).is_ok())
}
