//! A [`Problem`] as an HTTP response: the one place where a code becomes a status.

use std::fmt;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::error::{JsonPayloadError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError};
use scorpiox_wire::{Code, Problem};

/// A request that gets no answer of its own: the problem, and when to come again.
///
/// Handlers return `Result<_, Refusal>` and use `?` on everything that turns into a [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What the caller is told.
    pub problem: Problem,
    /// `Retry-After`, rounded up to whole seconds.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal without `Retry-After`.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Problem::new(code, message).into()
    }

    /// The same, saying when to come again.
    pub fn retry_after(mut self, span: Duration) -> Self {
        self.retry_after = Some(span);
        self
    }

    /// What stands for an answer that the HTTP layer or the router made up itself.
    pub fn from_status(status: StatusCode) -> Self {
        let (code, message) = match status.as_u16() {
            404 => (Code::NotFound, "there is nothing at this path"),
            405 => (Code::MethodNotAllowed, "this path does not know this method"),
            408 => (Code::RequestTimeout, "the request did not arrive in time"),
            415 => (Code::UnsupportedMediaType, "the body must be JSON: content-type application/json"),
            413 => (Code::TooLarge, "the body is larger than this interface takes"),
            431 => (Code::HeadersTooLarge, "the headers are larger than this interface takes"),
            500.. => (Code::Internal, "something broke here; the log says more under the request id"),
            _ => (Code::BadRequest, "the request is malformed"),
        };
        Self::new(code, message)
    }

    /// The body of the response.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.problem).expect("a problem is three texts")
    }

    fn seconds(&self) -> Option<u64> {
        self.retry_after.map(|span| span.as_secs() + u64::from(span.subsec_nanos() > 0))
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, retry_after: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.code.status()).expect("each code has a valid status")
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type("application/json").insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.seconds() {
            response.insert_header((header::RETRY_AFTER, HeaderValue::from(seconds)));
        }
        if self.problem.code == Code::Unauthorized {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.body(self.to_json())
    }
}

/// Why a query was not understood. It names what is wrong: no query of ours holds a secret.
pub fn unreadable_query(error: &QueryPayloadError) -> Refusal {
    let why = match error {
        QueryPayloadError::Deserialize(error) => error.to_string(),
        _ => "it cannot be read".to_owned(),
    };
    Refusal::new(Code::BadRequest, format!("the query is not what this path takes: {}", short(&why)))
}

/// Why a body was not understood: names of members, what was expected and where, and never a value.
pub fn unreadable_body(error: &JsonPayloadError) -> Refusal {
    match error {
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => {
            Refusal::from_status(StatusCode::PAYLOAD_TOO_LARGE)
        }
        JsonPayloadError::ContentType => Refusal::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        JsonPayloadError::Deserialize(error) => Refusal::new(
            Code::BadRequest,
            format!("the body is not the JSON that this path takes: {}", short(&without_values(error))),
        ),
        error if error.status_code() == StatusCode::PAYLOAD_TOO_LARGE => {
            Refusal::from_status(StatusCode::PAYLOAD_TOO_LARGE)
        }
        _ => Refusal::new(Code::BadRequest, "the body is not the JSON that this path takes"),
    }
}

/// What the parser says, without what it quotes: a value may be a secret.
fn without_values(error: &serde_json::Error) -> String {
    let place = format!("line {} column {}", error.line(), error.column());
    if !error.is_data() {
        return format!("it is no JSON at {place}");
    }
    let text = error.to_string();
    let about_a_name = ["unknown field `", "missing field `", "duplicate field `"];
    if about_a_name.iter().any(|begin| text.starts_with(begin)) {
        return text;
    }
    // What was found comes first and may hold anything; what was expected comes last and is ours.
    match text.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None => format!("the value at {place} cannot be taken"),
    }
}

/// A text from outside, bounded and on one line.
fn short(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect()
}

/// Makes the extractors of an application refuse with problems, and bounds what they read.
pub fn extractors(body_bytes: usize) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |app| {
        app.app_data(web::PayloadConfig::new(body_bytes))
            .app_data(web::JsonConfig::default().limit(body_bytes).content_type_required(false).error_handler(
                // What the parser says may quote the body, and a body may hold a secret.
                |error, _| unreadable_body(&error).into(),
            ))
            .app_data(web::QueryConfig::default().error_handler(|error, _| unreadable_query(&error).into()))
            .app_data(
                web::FormConfig::default().limit(body_bytes).error_handler(|_, _| {
                    Refusal::new(Code::BadRequest, "the form is not what this path takes").into()
                }),
            )
            .app_data(
                web::PathConfig::default().error_handler(|_, _| Refusal::from_status(StatusCode::NOT_FOUND).into()),
            );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_status() {
        // Written out: a client's behaviour hangs on these numbers.
        let table = [
            (Code::BadRequest, 400),
            (Code::Unauthorized, 401),
            (Code::Forbidden, 403),
            (Code::NotFound, 404),
            (Code::MethodNotAllowed, 405),
            (Code::RequestTimeout, 408),
            (Code::Conflict, 409),
            (Code::InProgress, 409),
            (Code::OutcomeUnknown, 409),
            (Code::ReauthRequired, 409),
            (Code::Quarantined, 409),
            (Code::Paused, 409),
            (Code::TooLarge, 413),
            (Code::UnsupportedMediaType, 415),
            (Code::IdempotencyMismatch, 422),
            (Code::TooMany, 429),
            (Code::HeadersTooLarge, 431),
            (Code::Internal, 500),
            (Code::TooSoon, 503),
            (Code::BackingOff, 503),
            (Code::Busy, 503),
            (Code::AuditUnavailable, 503),
            (Code::Unavailable, 503),
        ];
        assert_eq!(table.len(), Code::ALL.len());
        for (code, status) in table {
            let response = Refusal::new(code, "m").error_response();
            assert_eq!(response.status().as_u16(), status, "{code}");
            assert_eq!(response.headers().get("content-type").unwrap(), "application/json");
            assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
        }
    }

    #[test]
    fn a_body_that_is_not_understood_is_explained_without_its_values() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its reading is looked at")]
        struct Body {
            name: String,
            limit: Option<u32>,
        }
        for (body, explanation) in [
            (r#"{"nam":"canary"}"#, "unknown field `nam`, expected `name` or `limit` at line 1 column 6"),
            (r#"{"limit":1}"#, "missing field `name` at line 1 column 11"),
            (r#"{"name":"a","limit":"canary, expected u32"}"#, "expected u32 at line 1 column 42"),
            (r#"{"name":["canary"]}"#, "expected a string at line 1 column 8"),
            (r#"{"name":canary}"#, "it is no JSON at line 1 column 9"),
            ("", "it is no JSON at line 1 column 0"),
        ] {
            let error = serde_json::from_str::<Body>(body).unwrap_err();
            let refusal = unreadable_body(&JsonPayloadError::Deserialize(error));
            let (_, told) = refusal.problem.message.split_once(": ").unwrap();
            assert_eq!(told, explanation, "{body}");
        }
    }

    #[test]
    fn retry_after_is_rounded_up() {
        for (milliseconds, seconds) in [(1, "1"), (1000, "1"), (1001, "2"), (0, "0")] {
            let refusal = Refusal::new(Code::TooSoon, "m").retry_after(Duration::from_millis(milliseconds));
            assert_eq!(refusal.error_response().headers().get("retry-after").unwrap(), seconds);
        }
        assert!(Refusal::new(Code::Busy, "m").error_response().headers().get("retry-after").is_none());
    }

    #[test]
    fn made_up_answers_become_problems() {
        for (status, code) in [
            (400, Code::BadRequest),
            (404, Code::NotFound),
            (405, Code::MethodNotAllowed),
            (408, Code::RequestTimeout),
            (413, Code::TooLarge),
            (415, Code::UnsupportedMediaType),
            (431, Code::HeadersTooLarge),
            (500, Code::Internal),
            (503, Code::Internal),
        ] {
            assert_eq!(Refusal::from_status(StatusCode::from_u16(status).unwrap()).problem.code, code, "{status}");
        }
    }
}
