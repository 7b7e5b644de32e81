//! An answer, and how its bytes go out.

use serde_json::{Value, json};

use crate::script::Script;

/// An answer before it is put on the wire.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// What follows them.
    pub content: Content,
}

/// A body.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Bytes, sent with their length.
    Bytes(Vec<u8>),
    /// A conversation's stream, sent step by step without a length.
    Stream(Script),
}

/// How an answer's bytes go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// At once and whole.
    Whole,
    /// The body byte by byte.
    Drip {
        /// Pause before each byte.
        every_ms: u64,
    },
    /// The connection ends first.
    Cut {
        /// With RST instead of FIN.
        reset: bool,
        /// Head and so many bytes of the body; `None`: nothing at all.
        body_bytes: Option<usize>,
    },
}

/// An answer and how it goes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The answer.
    pub answer: Answer,
    /// How its bytes go out.
    pub delivery: Delivery,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json", body.to_string())
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &error_body(code, message))
    }

    pub(crate) fn html(status: u16, body: &str) -> Self {
        Self::bytes(status, "text/html; charset=utf-8", body)
    }

    pub(crate) fn bytes(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, content: Content::Bytes(body.into()) }
    }

    /// Replaces the header of that name.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// The first header of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body; of a stream, the bytes of all its events.
    pub fn body(&self) -> Vec<u8> {
        match &self.content {
            Content::Bytes(bytes) => bytes.clone(),
            Content::Stream(script) => script.bytes(),
        }
    }

    /// The body as JSON; `Null` when it is none.
    pub fn body_json(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap_or(Value::Null)
    }

    /// The error code in the body, read as the stock client does: `error.code`, `error`, `code`.
    pub fn code(&self) -> Option<String> {
        code_of(&self.body_json())
    }
}

impl Reply {
    /// The answer, when all of it reaches the client.
    pub fn whole(&self) -> Option<&Answer> {
        match self.delivery {
            Delivery::Whole | Delivery::Drip { .. } => Some(&self.answer),
            Delivery::Cut { .. } => None,
        }
    }
}

/// An error in the shape of the real server.
pub fn error_body(code: &str, message: &str) -> Value {
    json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}})
}

pub(crate) fn code_of(body: &Value) -> Option<String> {
    let error = body.get("error");
    let code = error.and_then(|error| error.get("code")).and_then(Value::as_str);
    let code = code.or_else(|| error.and_then(Value::as_str)).or_else(|| body.get("code").and_then(Value::as_str));
    code.map(str::to_ascii_lowercase)
}

/// Whether this error code ends a login for good.
pub fn is_terminal(code: &str) -> bool {
    matches!(
        code,
        "refresh_token_reused"
            | "refresh_token_expired"
            | "refresh_token_invalidated"
            | "invalid_refresh_token"
            | "invalid_grant"
            | "token_expired"
    )
}
