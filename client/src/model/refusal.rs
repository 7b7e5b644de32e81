//! What a backend's error means: the one table from its codes and statuses to what may be done.

use std::time::Duration;

use serde_json::Value;

use crate::conversation::fault::{Fault, Remedy};

/// An answer that is no stream.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`, when it is a number of seconds.
    pub retry_after: Option<Duration>,
    /// What of the body was read.
    pub body: &'a [u8],
}

impl Refused<'_> {
    /// The fault that this answer is. Statuses below 300 do not belong here; they are told as they are.
    pub fn fault(&self) -> Fault {
        let body: Value = serde_json::from_slice(self.body).unwrap_or_default();
        let (kind, code) = (text(&body, "/error/type"), code(&body));
        let message = self.message(&body, code.or(kind));
        let again = Remedy::AskAgain { after: self.retry_after };
        let remedy = match self.status {
            401 => Remedy::RenewToken,
            429 => match kind.or(code) {
                Some("usage_limit_reached") => {
                    let resets_at = body.pointer("/error/resets_at").and_then(Value::as_i64);
                    return Fault::new(Remedy::WaitUntil { resets_at }, usage_limit(&body));
                }
                Some("usage_not_included" | "insufficient_quota") => Remedy::GiveUp,
                _ => again,
            },
            400 | 413 if code == Some("context_length_exceeded") => Remedy::Shorten,
            400 if is_about_an_image(&message) => Remedy::LeaveOutImages,
            408 | 425 | 500.. => again,
            // A web page in front of the backend, not the backend.
            403 if body.is_null() => again,
            _ => Remedy::GiveUp,
        };
        Fault::new(remedy, message)
    }

    fn message(&self, body: &Value, code: Option<&str>) -> String {
        let status = self.status;
        let said = text(body, "/error/message").or(text(body, "/detail")).or(text(body, "/detail/message"));
        match (said, code) {
            (Some(said), _) => format!("the backend answers {status}: {said}"),
            (None, Some(code)) => format!("the backend answers {status}: {code}"),
            (None, None) if status == 403 && mentions_cloudflare(self.body) => {
                "the backend answers 403: Cloudflare blocks this network or program".to_owned()
            }
            (None, None) => format!("the backend answers {status}"),
        }
    }
}

fn code(body: &Value) -> Option<&str> {
    text(body, "/error/code").or(text(body, "/detail/code"))
}

fn usage_limit(body: &Value) -> String {
    match text(body, "/error/plan_type") {
        Some(plan) => format!("the usage limit of the account is reached (plan {plan})"),
        None => "the usage limit of the account is reached".to_owned(),
    }
}

/// The backend has no code for it.
fn is_about_an_image(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("image") && (message.contains("valid image") || message.contains("invalid image"))
}

fn mentions_cloudflare(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body).to_ascii_lowercase();
    body.contains("cloudflare") || body.contains("cf-ray")
}

/// The fault in an error that came inside a stream: `{"code":"…","message":"…"}`.
pub(super) fn in_stream(error: Option<&Value>) -> Fault {
    let none = Value::Null;
    let error = error.unwrap_or(&none);
    let code = text(error, "/code").unwrap_or_default();
    let said = text(error, "/message");
    let remedy = match code {
        "context_length_exceeded" => Remedy::Shorten,
        "insufficient_quota"
        | "usage_not_included"
        | "cyber_policy"
        | "bio_policy"
        | "misalignment_policy_violation"
        | "invalid_prompt"
        // Whoever asks an overloaded server again at once makes it worse.
        | "server_is_overloaded"
        | "slow_down" => Remedy::GiveUp,
        "rate_limit_exceeded" => Remedy::AskAgain { after: said.and_then(try_again_in) },
        _ => Remedy::AskAgain { after: None },
    };
    let said = said.or((!code.is_empty()).then_some(code));
    Fault::new(
        remedy,
        said.map_or("the backend failed without saying why".to_owned(), |s| format!("the backend failed: {s}")),
    )
}

/// The pause in a text like `Please try again in 11.054s.`; units `ms`, `s`, `second`, `seconds`.
fn try_again_in(message: &str) -> Option<Duration> {
    const BEFORE: &str = "try again in ";
    let message = message.to_ascii_lowercase();
    let rest = message[message.find(BEFORE)? + BEFORE.len()..].trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let number: f64 = rest[..end].parse().ok()?;
    let unit = rest[end..].trim_start();
    let unit = &unit[..unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len())];
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" | "second" | "seconds" => number,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

fn text<'a>(json: &'a Value, pointer: &str) -> Option<&'a str> {
    json.pointer(pointer).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
