//! What a token says about itself, without anybody having checked its signature.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use crate::domain::answer::Identity;

/// A claim longer than this is not one of those that we read.
const LONGEST_CLAIM: usize = 256;
/// A token longer than this is not looked into.
const LONGEST_TOKEN: usize = 64 * 1024;

/// Base64url as people write it: with padding or without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The payload of a JWT whose signature was not verified: hints for people and for comparison, never a reason to trust.
#[derive(Debug, Default)]
pub struct UnverifiedClaims {
    /// `exp` as it stands there, if it is a number: Unix seconds, possibly absurd.
    pub exp: Option<i64>,
    /// Whose token it says it is.
    pub identity: Identity,
}

impl UnverifiedClaims {
    /// Reads a token's payload; an opaque token claims nothing.
    pub fn read(token: &str) -> Self {
        payload(token).map(|claims| Self::of(&claims)).unwrap_or_default()
    }

    fn of(claims: &Map<String, Value>) -> Self {
        // The containers are of *P 3.4*.
        let inside = |container: &str, name: &str| text(claims.get(container).and_then(|object| object.get(name)));
        let auth = |name: &str| inside("https://api.openai.com/auth", name);
        Self {
            exp: claims.get("exp").and_then(whole_number),
            identity: Identity {
                account_id: auth("chatgpt_account_id"),
                user_id: auth("chatgpt_user_id").or_else(|| auth("user_id")),
                email: text(claims.get("email")).or_else(|| inside("https://api.openai.com/profile", "email")),
                plan_type: auth("chatgpt_plan_type"),
            },
        }
    }
}

/// Whose login these tokens are: each fact from the access token, which is the one that is used, else from the id token.
pub fn identity(access_token: &str, id_token: &str) -> Identity {
    let first = UnverifiedClaims::read(access_token).identity;
    let second = UnverifiedClaims::read(id_token).identity;
    Identity {
        account_id: first.account_id.or(second.account_id),
        user_id: first.user_id.or(second.user_id),
        email: first.email.or(second.email),
        plan_type: first.plan_type.or(second.plan_type),
    }
}

/// A JSON number as whole seconds; what is no number, or not finite, is `None`.
pub(super) fn whole_number(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and absurd values are sorted out by range")]
    value.as_i64().or_else(|| value.as_f64().filter(|number| number.is_finite()).map(|number| number as i64))
}

fn payload(token: &str) -> Option<Map<String, Value>> {
    if token.len() > LONGEST_TOKEN {
        return None;
    }
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&LENIENT.decode(payload).ok()?).ok()
}

/// Claims end up in tables, logs and a header: nothing empty, long or with control characters.
fn text(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?.trim();
    let usable = !text.is_empty() && text.len() <= LONGEST_CLAIM && !text.chars().any(char::is_control);
    usable.then(|| text.to_owned())
}
