//! What an answer of the login server means for the refresh token that was presented. Pure.

use std::time::Duration;

use scorpiox_wire::Secret;

use super::call::RawAnswer;
use crate::json_object::Object;

/// Tokens that an answer brought; what it does not bring stays as it was.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The bearer, if it can stand in a header.
    pub access_token: Option<Secret>,
    /// The next refresh token.
    pub refresh_token: Option<Secret>,
    /// Who it is.
    pub id_token: Option<Secret>,
    /// Before when the refresh token must not be redeemed, Unix seconds.
    pub earliest_refresh_at: Option<i64>,
}

/// What a complete answer says.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Tokens.
    Granted(Grant),
    /// The refresh token will never work again; the server's code.
    Ended(&'static str),
    /// It was not redeemed: try again later.
    NotConsumed {
        /// When, as the server said.
        retry_after: Option<Duration>,
        /// Status and code, for people.
        why: String,
    },
    /// 400 or 401 with a code that nobody knows.
    Refused {
        /// Status and code, for people.
        why: String,
    },
    /// Nobody can tell whether it was redeemed.
    Unknown {
        /// Status and code, for people.
        why: String,
    },
}

/// Judges an answer. What nothing here recognises is [`Verdict::Unknown`]: it costs a quiet time, where a wrong guess
/// costs the login.
pub fn classify(answer: &RawAnswer) -> Verdict {
    let object = Object::parse(&answer.body);
    match answer.status {
        200..=299 => match object.map(|object| granted(&object)) {
            Some(grant) if grant.access_token.is_some() || grant.refresh_token.is_some() => Verdict::Granted(grant),
            Some(_) | None => Verdict::Unknown { why: format!("{} without tokens", answer.status) },
        },
        400..=499 => {
            let code = object.and_then(|object| error_code(&object));
            declined(answer, code.as_deref())
        }
        status => Verdict::Unknown { why: status.to_string() },
    }
}

/// Status and code of an answer, for people: `400 with code invalid_grant`. Nothing else of it.
pub fn described(answer: &RawAnswer) -> String {
    shown(answer.status, Object::parse(&answer.body).and_then(|object| error_code(&object)).as_deref())
}

fn granted(object: &Object<'_>) -> Grant {
    let is_bearer = |token: &Secret| token.expose().bytes().all(|byte| byte.is_ascii_graphic());
    Grant {
        access_token: object.text("access_token").filter(is_bearer),
        refresh_token: object.text("refresh_token"),
        id_token: object.text("id_token"),
        earliest_refresh_at: object.number("earliest_refresh_at").filter(|seconds| *seconds > 0),
    }
}

fn declined(answer: &RawAnswer, code: Option<&str>) -> Verdict {
    if let Some(known) = code.and_then(terminal) {
        return Verdict::Ended(known);
    }
    let why = shown(answer.status, code);
    match answer.status {
        400 | 401 => Verdict::Refused { why },
        // 403 without a known code is what a challenge page in front of the server looks like.
        403 | 429 => Verdict::NotConsumed { retry_after: answer.retry_after, why },
        _ => Verdict::Unknown { why },
    }
}

/// The codes after which a refresh token never works again.
fn terminal(code: &str) -> Option<&'static str> {
    const CODES: [&str; 6] = [
        "refresh_token_reused",
        "refresh_token_expired",
        "token_expired",
        "refresh_token_invalidated",
        "invalid_refresh_token",
        "invalid_grant",
    ];
    CODES.into_iter().find(|known| *known == code)
}

/// The first of `error.code`, `error` as a text, `code`; in lower case.
fn error_code(object: &Object<'_>) -> Option<String> {
    let nested = object.object("error").and_then(|error| error.text("code"));
    let code = nested.or_else(|| object.text("error")).or_else(|| object.text("code"))?;
    Some(code.expose().trim().to_ascii_lowercase())
}

/// Codes are the server's words and reach a terminal: only if they look like codes.
pub(super) fn printable(code: &str) -> Option<&str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (!code.is_empty() && code.len() <= 64 && code.bytes().all(fits)).then_some(code)
}

fn shown(status: u16, code: Option<&str>) -> String {
    match code.and_then(printable) {
        Some(code) => format!("{status} with code {code}"),
        None => format!("{status} without a code"),
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn verdict(status: u16, body: &str) -> Verdict {
        let body = Zeroizing::new(body.as_bytes().to_vec());
        classify(&RawAnswer { status, retry_after: Some(Duration::from_secs(7)), body })
    }

    #[test]
    fn tokens_are_taken_whatever_stands_beside_them() {
        let grant = |access: Option<&str>, refresh: Option<&str>| {
            let secret = |text: Option<&str>| text.map(Secret::new);
            Verdict::Granted(Grant { access_token: secret(access), refresh_token: secret(refresh), ..Grant::default() })
        };
        let cases = [
            (r#"{"access_token":"a","refresh_token":"r"}"#, grant(Some("a"), Some("r"))),
            (r#"{"access_token":"a","expires_in":{},"scope":7}"#, grant(Some("a"), None)),
            (r#"{"access_token":"","refresh_token":"r"}"#, grant(None, Some("r"))),
            (r#"{"access_token":"a b","refresh_token":"r","id_token":""}"#, grant(None, Some("r"))),
            (r#"{"access_token":"x","access_token":"a","refresh_token":null}"#, grant(Some("a"), None)),
        ];
        for (body, expected) in cases {
            assert_eq!(verdict(200, body), expected, "{body}");
        }
        let Verdict::Granted(grant) = verdict(200, r#"{"access_token":"a","earliest_refresh_at":"1700000000"}"#) else {
            panic!("granted")
        };
        assert_eq!(grant.earliest_refresh_at, Some(1_700_000_000));
    }

    #[test]
    fn a_refusal_is_a_verdict_only_when_it_says_so() {
        let refused = |why: &str| Verdict::Refused { why: why.into() };
        let unknown = |why: &str| Verdict::Unknown { why: why.into() };
        let later = |why: &str| Verdict::NotConsumed { retry_after: Some(Duration::from_secs(7)), why: why.into() };
        let cases = [
            (401, r#"{"error":{"code":"refresh_token_reused"}}"#, Verdict::Ended("refresh_token_reused")),
            (400, r#"{"error":"invalid_grant"}"#, Verdict::Ended("invalid_grant")),
            (403, r#"{"code":"Refresh_Token_Expired"}"#, Verdict::Ended("refresh_token_expired")),
            (400, r#"{"error":{"message":"Your session has ended."}}"#, refused("400 without a code")),
            (401, r#"{"error":{"code":"b\u001b[31m"}}"#, refused("401 without a code")),
            (403, "<html>", later("403 without a code")),
            (429, "{}", later("429 without a code")),
            (404, "", unknown("404 without a code")),
            (200, "", unknown("200 without tokens")),
            (200, r#"{"access_token":"a""#, unknown("200 without tokens")),
            (307, "", unknown("307")),
            (503, r#"{"error":"refresh_token_reused"}"#, unknown("503")),
        ];
        for (status, body, expected) in cases {
            assert_eq!(verdict(status, body), expected, "{status} {body}");
        }
    }
}
