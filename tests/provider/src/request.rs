//! A request as it was received, and which endpoint it is for.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};
use url::form_urlencoded;

use crate::fault::Endpoint;
use crate::jwt::CLIENT_ID;

/// A request, whole. Its `Debug` leaves out everything that may hold a secret.
#[derive(Clone)]
pub struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Body,
}

/// A body by its encoding.
#[derive(Clone)]
enum Body {
    Json(Value),
    Form(BTreeMap<String, String>),
    Other,
}

impl Request {
    /// Takes a request apart. Header names are compared without case; the body is read by its `Content-Type`.
    pub fn new(method: &str, path: &str, query: &str, headers: Vec<(String, String)>, body: &[u8]) -> Self {
        let headers: Vec<(String, String)> =
            headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let mut request =
            Self { method: method.into(), path: path.into(), query: query.into(), headers, body: Body::Other };
        request.body = match request.header("content-type") {
            Some(kind) if kind.starts_with("application/x-www-form-urlencoded") => Body::Form(pairs(body)),
            _ => serde_json::from_slice(body).map_or(Body::Other, Body::Json),
        };
        request
    }

    /// The redemption of a refresh token, as the stock client writes it.
    pub fn refresh(refresh_token: &str) -> Self {
        let body = json!({"client_id": CLIENT_ID, "grant_type": "refresh_token", "refresh_token": refresh_token});
        Self {
            method: "POST".into(),
            path: "/oauth/token".into(),
            query: String::new(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: Body::Json(body),
        }
    }

    /// The HTTP method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path, undecoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The first header of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of a form, or a string member of a JSON object.
    pub fn field(&self, name: &str) -> Option<&str> {
        match &self.body {
            Body::Json(value) => value.get(name).and_then(Value::as_str),
            Body::Form(fields) => fields.get(name).map(String::as_str),
            Body::Other => None,
        }
    }

    /// The parameters of the query string.
    pub fn query(&self) -> BTreeMap<String, String> {
        pairs(self.query.as_bytes())
    }

    /// The body when it is JSON.
    pub fn json(&self) -> Option<&Value> {
        match &self.body {
            Body::Json(value) => Some(value),
            Body::Form(_) | Body::Other => None,
        }
    }

    /// The bearer token of `Authorization`.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization").and_then(|value| value.strip_prefix("Bearer "))
    }

    /// Which endpoint answers it.
    pub fn endpoint(&self) -> Endpoint {
        match (self.method.as_str(), self.path.as_str()) {
            ("POST", "/oauth/token") if self.field("grant_type") == Some("refresh_token") => Endpoint::Refresh,
            ("POST", "/oauth/token") => Endpoint::CodeExchange,
            ("GET", "/oauth/authorize") => Endpoint::Authorize,
            ("POST", "/oauth/revoke") => Endpoint::Revoke,
            ("POST", "/api/accounts/deviceauth/usercode") => Endpoint::DeviceCode,
            ("POST", "/api/accounts/deviceauth/token") => Endpoint::DevicePoll,
            ("GET" | "POST", "/codex/device") => Endpoint::DevicePage,
            ("GET", "/backend-api/codex/models") => Endpoint::Models,
            ("POST", "/backend-api/codex/responses") => Endpoint::Responses,
            ("GET", "/backend-api/wham/usage") => Endpoint::Usage,
            _ => Endpoint::Elsewhere,
        }
    }

    /// All headers, in their order; of `authorization` only the scheme.
    pub(crate) fn headers_without_secrets(&self) -> Vec<(String, String)> {
        let without_secret = |(name, value): &(String, String)| match name.as_str() {
            "authorization" => (name.clone(), value.split(' ').next().unwrap_or_default().to_owned()),
            _ => (name.clone(), value.clone()),
        };
        self.headers.iter().map(without_secret).collect()
    }

    /// What may be written into a log: how it was encoded and a few fields and headers that hold no secret.
    pub(crate) fn harmless(&self) -> BTreeMap<String, String> {
        let fields = ["grant_type", "client_id", "refresh_reason", "token_type_hint"];
        let headers = [
            "accept",
            "content-type",
            "content-encoding",
            "user-agent",
            "originator",
            "version",
            "chatgpt-account-id",
            "if-none-match",
            "session-id",
            "thread-id",
            "x-client-request-id",
            "x-codex-turn-state",
            "x-openai-internal-codex-responses-lite",
        ];
        let fields = fields.into_iter().filter_map(|name| self.field(name).map(|value| (name, value)));
        let headers = headers.into_iter().filter_map(|name| self.header(name).map(|value| (name, value)));
        fields.chain(headers).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}

fn pairs(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).into_owned().collect()
}
