//! What is said to the Codex OAuth server and what its answers mean. Pure.

use scorpiox_wire::Secret;
use serde::Serialize;
use zeroize::Zeroizing;

use super::RawAnswer;
use crate::domain::answer::{Ending, TokenGrant, Verdict};

mod claims;
mod lifetime;
mod members;

pub use claims::{UnverifiedClaims, identity};
pub use lifetime::{DEFAULT_LIFE, LONGEST_LIFE, SHORTEST_LIFE};

use members::Members;

/// The public client id of the stock Codex CLI (*P 2.1*).
pub const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// The OAuth server of the stock Codex CLI (*P 2.1*).
pub const ISSUER: &str = "https://auth.openai.com";

/// The body of a redemption (*P 4.2*).
///
/// ```json
/// {"client_id":"app_EMoamEEZ73f0CkXaXp7hrann","grant_type":"refresh_token","refresh_token":"rt_made_up_1"}
/// ```
pub fn encode_refresh(client_id: &str, refresh_token: &Secret) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct Refresh<'a> {
        client_id: &'a str,
        grant_type: &'a str,
        refresh_token: &'a str,
    }
    let refresh_token = refresh_token.expose();
    // JSON makes at most six bytes of one; a vector that grew would leave copies of the token behind.
    let room = 80 + 6 * (client_id.len() + refresh_token.len());
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    let refresh = Refresh { client_id, grant_type: "refresh_token", refresh_token };
    serde_json::to_writer(&mut *body, &refresh).expect("three texts become JSON in memory");
    body
}

/// What a complete answer to a redemption means for the refresh token that was presented.
///
/// A token object is kept whatever its content type says; a known terminal code counts with any 4xx. What nothing
/// here recognises is [`Verdict::Unknown`]: it costs a quiet time, where a wrong guess costs the login.
pub fn classify(answer: &RawAnswer) -> Verdict {
    let members = Members::read(&answer.body);
    match answer.status {
        200..=299 => match members {
            Some(members) => granted(answer, members),
            None => unknown(answer.status, "an answer that is no JSON object"),
        },
        400..=499 => declined(answer, members.and_then(|members| members.error_code()).as_deref()),
        status => Verdict::Unknown { why: status.to_string() },
    }
}

fn granted(answer: &RawAnswer, mut members: Members) -> Verdict {
    let access_token = members.take_access_token().filter(is_bearer).unwrap_or_else(|| Secret::new(""));
    let refresh_token = members.take_refresh_token();
    if access_token.is_empty() && refresh_token.is_none() {
        return unknown(answer.status, "an answer without tokens");
    }
    let id_token = members.take_id_token();
    let exp = UnverifiedClaims::read(access_token.expose()).exp;
    Verdict::Granted(Box::new(TokenGrant {
        expires_at: lifetime::expires_at(answer.received_at, &members.expires_in, exp),
        earliest_refresh_at: lifetime::earliest_refresh_at(answer.received_at, &members.earliest_refresh_at),
        identity: identity(access_token.expose(), id_token.as_ref().map_or("", Secret::expose)),
        access_token,
        refresh_token,
        id_token,
    }))
}

/// A token that cannot stand in a header is as good as none; the refresh token beside it still counts.
fn is_bearer(token: &Secret) -> bool {
    token.expose().bytes().all(|byte| byte.is_ascii_graphic())
}

fn declined(answer: &RawAnswer, code: Option<&str>) -> Verdict {
    if let Some(ending) = code.and_then(terminal) {
        return Verdict::Ended(ending);
    }
    let why = shown(answer.status, code);
    match answer.status {
        400 | 401 => Verdict::Refused { why },
        // 403 without a known code is what a challenge page in front of the server looks like (*P 25*).
        403 | 429 => Verdict::NotConsumed { retry_after: answer.retry_after, why },
        _ => Verdict::Unknown { why },
    }
}

/// Status and error code of an answer, for people: `400 with code invalid_grant`. Nothing else of it.
pub(super) fn described(answer: &RawAnswer) -> String {
    shown(answer.status, Members::read(&answer.body).and_then(|members| members.error_code()).as_deref())
}

fn shown(status: u16, code: Option<&str>) -> String {
    match code.filter(|code| is_printable_code(code)) {
        Some(code) => format!("{status} with code {code}"),
        None => format!("{status} without a code"),
    }
}

/// The codes after which a refresh token never works again (*P 4.5*, *P 24*).
fn terminal(code: &str) -> Option<Ending> {
    Some(match code {
        "refresh_token_reused" => Ending::Reused,
        "refresh_token_expired" | "token_expired" => Ending::Expired,
        "refresh_token_invalidated" | "invalid_refresh_token" => Ending::Invalidated,
        "invalid_grant" => Ending::InvalidGrant,
        _ => return None,
    })
}

/// Codes are the provider's words and go into our logs: only if they look like codes.
pub(super) fn is_printable_code(code: &str) -> bool {
    code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn unknown(status: u16, what: &str) -> Verdict {
    Verdict::Unknown { why: format!("{status} with {what}") }
}

#[cfg(test)]
mod tests;
