//! The one shape of an error, and its codes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An error as every interface of the broker says it.
///
/// ```json
/// {"code":"reauth_required","message":"the login 'main' has ended","hint":"scorpiox-broker login --name main"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{message}")]
pub struct Problem {
    /// What kind of error: stable, for programs.
    pub code: Code,
    /// What happened, for a person; never holds a secret.
    pub message: String,
    /// What to do next; absent when there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// An error without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The same with the next step.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)*) => {
        /// What kind of error. A client that meets a code it does not know treats it by its HTTP status.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])* $name,)*
            /// A code of a newer broker.
            #[serde(other)]
            Unknown,
        }

        impl Code {
            /// Every code that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as it is written in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* Self::Unknown => "unknown" }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* Self::Unknown => 500 }
            }
        }
    };
}

codes! {
    /// The request is malformed.
    BadRequest = "bad_request", 400;
    /// No key, an unknown key, or a revoked one: the answer does not tell which.
    Unauthorized = "unauthorized", 401;
    /// The key is good and may not do this; the answer does not tell whether the thing exists.
    Forbidden = "forbidden", 403;
    /// No such path, or (administration only) no such thing.
    NotFound = "not_found", 404;
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405;
    /// The request did not arrive in time.
    RequestTimeout = "request_timeout", 408;
    /// A thing of that name exists, or the state does not allow it.
    Conflict = "conflict", 409;
    /// The first request with this idempotency key is still being worked on.
    InProgress = "in_progress", 409;
    /// The broker stopped while it worked on the first request with this idempotency key.
    OutcomeUnknown = "outcome_unknown", 409;
    /// The login has ended: a person must log in again.
    ReauthRequired = "reauth_required", 409;
    /// The credential is set aside until a person looks: its stored state contradicts something else.
    Quarantined = "quarantined", 409;
    /// An administrator paused the credential.
    Paused = "paused", 409;
    /// The body is larger than this interface takes.
    TooLarge = "too_large", 413;
    /// The body is of a type that this path does not take.
    UnsupportedMediaType = "unsupported_media_type", 415;
    /// The idempotency key was used for another request.
    IdempotencyMismatch = "idempotency_mismatch", 422;
    /// Too many connections or requests from this address or client.
    TooMany = "too_many", 429;
    /// The header section is larger than this interface takes.
    HeadersTooLarge = "headers_too_large", 431;
    /// A bug: see the broker's log under the request id.
    Internal = "internal", 500;
    /// A refusal came too soon after the last rotation: `Retry-After` says when to ask again.
    TooSoon = "too_soon", 503;
    /// The provider cannot be asked at the moment: `Retry-After` says when to ask again.
    BackingOff = "backing_off", 503;
    /// A renewal is under way and took longer than this request may wait.
    Busy = "busy", 503;
    /// The audit cannot be written anywhere, so nothing is handed out.
    AuditUnavailable = "audit_unavailable", 503;
    /// The broker is starting, stopping, or cannot reach its own storage.
    Unavailable = "unavailable", 503;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_this_json() {
        let problem = Problem::new(Code::TooSoon, "renewed 12 s ago").with_hint("ask again in 48 s");
        let json = r#"{"code":"too_soon","message":"renewed 12 s ago","hint":"ask again in 48 s"}"#;
        assert_eq!(serde_json::to_string(&problem).unwrap(), json);
        assert_eq!(serde_json::from_str::<Problem>(json).unwrap(), problem);
    }

    #[test]
    fn each_code_is_written_as_it_says() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{}\"", code.as_str()));
        }
    }

    #[test]
    fn a_code_of_a_newer_broker_is_still_read() {
        let problem: Problem = serde_json::from_str(r#"{"code":"brand_new","message":"m"}"#).unwrap();
        assert_eq!(problem.code, Code::Unknown);
    }
}
