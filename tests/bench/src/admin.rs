//! The administration socket, as far as a benchmark needs it: one request, one connection.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How many bytes the answer of `path` has, which must be good.
pub(crate) fn get(socket: &Path, path: &str) -> anyhow::Result<usize> {
    let mut stream = UnixStream::connect(socket).with_context(|| format!("cannot connect to {}", socket.display()))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure!(answer.starts_with(b"HTTP/1.1 200 "), "{path} was not answered well");
    Ok(answer.len())
}

/// Posts `body` to `path` and reads the answer.
pub(crate) fn post<T: DeserializeOwned>(socket: &Path, path: &str, body: &impl Serialize) -> anyhow::Result<T> {
    let body = serde_json::to_string(body)?;
    let mut stream = UnixStream::connect(socket).with_context(|| format!("cannot connect to {}", socket.display()))?;
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: local\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no end of its head")?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "{path} was answered: {answer}");
    serde_json::from_str(body).with_context(|| format!("the answer of {path}"))
}
