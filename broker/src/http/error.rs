//! A [`Problem`] as an HTTP response: the one place where a code becomes a status.

use std::fmt;
use std::time::Duration;

use actix_web::body::BoxBody;
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

/// Makes the extractors of an application refuse with problems, and bounds what they read.
pub fn extractors(body_bytes: usize) -> impl FnOnce(&mut ServiceConfig) + Clone {
    move |app| {
        app.app_data(web::PayloadConfig::new(body_bytes))
            .app_data(web::JsonConfig::default().limit(body_bytes).content_type_required(false).error_handler(
                // What the parser says may quote the body, and a body may hold a secret.
                |error, _| match error.status_code() {
                    StatusCode::PAYLOAD_TOO_LARGE => Refusal::from_status(StatusCode::PAYLOAD_TOO_LARGE).into(),
                    _ => Refusal::new(Code::BadRequest, "the body is not the JSON that this path takes").into(),
                },
            ))
            .app_data(
                web::QueryConfig::default().error_handler(|_, _| {
                    Refusal::new(Code::BadRequest, "the query is not what this path takes").into()
                }),
            )
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
            (Code::ReauthRequired, 409),
            (Code::Quarantined, 409),
            (Code::Paused, 409),
            (Code::TooLarge, 413),
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
            (415, Code::BadRequest),
            (431, Code::HeadersTooLarge),
            (500, Code::Internal),
            (503, Code::Internal),
        ] {
            assert_eq!(Refusal::from_status(StatusCode::from_u16(status).unwrap()).problem.code, code, "{status}");
        }
    }
}
