//! Errors of the token endpoint, as the two kinds of clients read them.
//!
//! A form is answered as RFC 6749 section 5.2 says: `{"error": "invalid_grant", "error_description": …}`. The stock Codex
//! CLI renews with JSON and reads its own server's shape: `{"error": {"code": …, "message": …}}`. To it a 401 and some
//! codes are a verdict until its file changes, every other status is tried again; so only a stand-in that is dead is
//! answered with 401, and whatever an administrator can mend with 403, 429 or 503.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, PRAGMA, RETRY_AFTER};
use serde_json::json;

use super::parameters::Dialect;

/// What kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is malformed.
    InvalidRequest,
    /// Nobody knows this client.
    InvalidClient,
    /// The code, invite or stand-in is not good, or no longer.
    InvalidGrant,
    /// The stand-in is unknown, ended, or its client was revoked.
    Invalidated,
    /// The stand-in was replaced long ago: there are two copies of it.
    Reused,
    /// This client may not do that.
    UnauthorizedClient,
    /// A grant type that nobody here knows.
    UnsupportedGrantType,
    /// The scope is not one of ours.
    InvalidScope,
    /// Good, and may not have a token: no grant, or a person said no (RFC 8628).
    AccessDenied,
    /// The person has not answered yet (RFC 8628).
    AuthorizationPending,
    /// The same, and the client asks too often (RFC 8628).
    SlowDown,
    /// The device code's time is over (RFC 8628).
    ExpiredToken,
    /// A limit was met.
    TooMany,
    /// Not now.
    TemporarilyUnavailable,
}

/// An error of the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What kind.
    pub kind: Kind,
    /// What happened and what to do next, for a person.
    pub message: String,
    /// When to come again.
    pub retry_after: Option<Duration>,
}

impl Kind {
    /// The status, the code in a form's answer, and the code in the stock CLI's.
    fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::InvalidRequest => (400, "invalid_request", "invalid_request"),
            Self::InvalidClient => (400, "invalid_client", "invalid_client"),
            Self::InvalidGrant => (400, "invalid_grant", "invalid_grant"),
            Self::Invalidated => (401, "invalid_grant", "refresh_token_invalidated"),
            Self::Reused => (401, "invalid_grant", "refresh_token_reused"),
            Self::UnauthorizedClient => (400, "unauthorized_client", "unauthorized_client"),
            Self::UnsupportedGrantType => (400, "unsupported_grant_type", "unsupported_grant_type"),
            Self::InvalidScope => (400, "invalid_scope", "invalid_scope"),
            Self::AccessDenied => (403, "access_denied", "access_denied"),
            Self::AuthorizationPending => (400, "authorization_pending", "authorization_pending"),
            Self::SlowDown => (400, "slow_down", "slow_down"),
            Self::ExpiredToken => (400, "expired_token", "expired_token"),
            Self::TooMany => (429, "temporarily_unavailable", "too_many"),
            Self::TemporarilyUnavailable => (503, "temporarily_unavailable", "temporarily_unavailable"),
        }
    }

    fn status(self, dialect: Dialect) -> u16 {
        match (self, dialect) {
            // RFC 6749 section 5.2 has no 401 or 403 for these.
            (Self::Invalidated | Self::Reused | Self::AccessDenied, Dialect::Form) => 400,
            (kind, Dialect::Json | Dialect::Form) => kind.row().0,
        }
    }
}

impl Trouble {
    /// Without a time to come again.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    /// The answer.
    pub fn response(&self, dialect: Dialect) -> HttpResponse {
        let status = StatusCode::from_u16(self.kind.status(dialect)).expect("the table holds valid statuses");
        let (_, of_form, of_json) = self.kind.row();
        let body = match dialect {
            Dialect::Form => json!({"error": of_form, "error_description": self.message}),
            Dialect::Json => json!({"error": {
                "message": self.message, "type": "invalid_request_error", "param": null, "code": of_json,
            }}),
        };
        let mut response = HttpResponse::build(status);
        response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
        if let Some(span) = self.retry_after {
            let seconds = span.as_secs() + u64::from(span.subsec_nanos() > 0);
            response.insert_header((RETRY_AFTER, HeaderValue::from(seconds)));
        }
        response.json(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_status_in_both_dialects() {
        // Written out: what a stock client does next hangs on these numbers.
        let table = [
            (Kind::InvalidRequest, 400, 400),
            (Kind::InvalidClient, 400, 400),
            (Kind::InvalidGrant, 400, 400),
            (Kind::Invalidated, 401, 400),
            (Kind::Reused, 401, 400),
            (Kind::UnauthorizedClient, 400, 400),
            (Kind::UnsupportedGrantType, 400, 400),
            (Kind::InvalidScope, 400, 400),
            (Kind::AccessDenied, 403, 400),
            (Kind::AuthorizationPending, 400, 400),
            (Kind::SlowDown, 400, 400),
            (Kind::ExpiredToken, 400, 400),
            (Kind::TooMany, 429, 429),
            (Kind::TemporarilyUnavailable, 503, 503),
        ];
        for (kind, json, form) in table {
            let trouble = Trouble::new(kind, "m");
            assert_eq!(trouble.response(Dialect::Json).status().as_u16(), json, "{kind:?}");
            let response = trouble.response(Dialect::Form);
            assert_eq!(response.status().as_u16(), form, "{kind:?}");
            assert_eq!(response.headers().get(CACHE_CONTROL).unwrap(), "no-store");
        }
    }

    #[actix_web::test]
    async fn the_stock_cli_reads_a_code_in_an_object_and_others_a_word() {
        let trouble = Trouble { retry_after: Some(Duration::from_millis(1_500)), ..Trouble::new(Kind::Reused, "m") };
        let read = async |dialect| {
            let response = trouble.response(dialect);
            assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "2");
            let body = actix_web::body::to_bytes(response.into_body()).await.unwrap();
            serde_json::from_slice::<serde_json::Value>(&body).unwrap()
        };
        assert_eq!(read(Dialect::Json).await["error"]["code"], "refresh_token_reused");
        assert_eq!(read(Dialect::Json).await["error"]["message"], "m");
        assert_eq!(read(Dialect::Form).await, json!({"error": "invalid_grant", "error_description": "m"}));
    }
}
