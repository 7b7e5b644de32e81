//! A client that shows what really came over the wire.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::{FakeProvider, Tokens};

/// What came back before the connection ended.
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(super) fn code(&self) -> Option<String> {
        crate::answer::code_of(&self.json())
    }

    pub(super) fn is_whole(&self) -> bool {
        self.header("content-length").is_none_or(|length| length.parse() == Ok(self.body.len()))
    }
}

/// Everything up to the end of the connection, and how it ended.
pub(super) fn raw(provider: &FakeProvider, request: &str) -> (Vec<u8>, std::io::Result<()>) {
    let mut stream = TcpStream::connect(provider.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut seen = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (seen, Ok(())),
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
            Err(error) => return (seen, Err(error)),
        }
    }
}

pub(super) fn parse(bytes: &[u8]) -> Option<Seen> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Seen { status, head, body: bytes[end + 4..].to_vec() })
}

pub(super) fn text(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: fake\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

/// A JSON POST that is answered.
pub(super) fn post(provider: &FakeProvider, path: &str, body: &Value) -> Seen {
    let request = text("POST", path, "content-type: application/json\r\n", &body.to_string());
    parse(&raw(provider, &request).0).expect("an answer")
}

pub(super) fn get(provider: &FakeProvider, path: &str, headers: &str) -> Seen {
    parse(&raw(provider, &text("GET", path, headers, "")).0).expect("an answer")
}

pub(super) fn refresh_text(token: &str) -> String {
    let body = json!({"client_id": crate::jwt::CLIENT_ID, "grant_type": "refresh_token", "refresh_token": token});
    text("POST", "/oauth/token", "content-type: application/json\r\n", &body.to_string())
}

/// A redemption; `None` when the connection ended without a head.
pub(super) fn refresh(provider: &FakeProvider, token: &str) -> Option<Seen> {
    parse(&raw(provider, &refresh_text(token)).0)
}

pub(super) fn refresh_token(tokens: &Tokens) -> &str {
    tokens.refresh_token.as_deref().unwrap()
}
