//! A request and its answer over any stream: small, blocking, and without opinions, so that a test sees what was said.

use std::io::{self, BufRead, BufReader, Read, Write};

use scorpiox_wire::Problem;
use serde::de::DeserializeOwned;

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without its framing.
    pub body: Vec<u8>,
}

/// A connection on which requests follow each other.
pub struct Connection<S: Read + Write>(BufReader<S>);

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request<'a> {
    /// `GET` when empty.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Besides `Host` and `Content-Length`.
    pub headers: &'a [(&'a str, &'a str)],
    /// Sent as JSON, unless the headers say what it is.
    pub body: Option<String>,
}

impl<S: Read + Write> Connection<S> {
    /// Nothing is sent yet.
    pub fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// Asks and reads the whole answer.
    pub fn ask(&mut self, request: &Request<'_>) -> io::Result<Reply> {
        self.send(request)?;
        self.receive()
    }

    /// Asks only.
    pub fn send(&mut self, request: &Request<'_>) -> io::Result<()> {
        let method = if request.method.is_empty() { "GET" } else { request.method };
        let mut text = format!("{method} {} HTTP/1.1\r\nhost: localhost\r\n", request.target);
        for (name, value) in request.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &request.body {
            if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                text.push_str("content-type: application/json\r\n");
            }
            text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
        } else {
            text.push_str("\r\n");
        }
        self.0.get_mut().write_all(text.as_bytes())?;
        self.0.get_mut().flush()
    }

    /// Reads one answer.
    pub fn receive(&mut self) -> io::Result<Reply> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| invalid(format!("no status line: {first:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| invalid(format!("no header: {line:?}")))?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut reply = Reply { status, headers, body: Vec::new() };
        reply.body = self.body(&reply)?;
        Ok(reply)
    }

    /// The stream itself, to break it.
    pub fn stream(&mut self) -> &mut S {
        self.0.get_mut()
    }

    fn body(&mut self, reply: &Reply) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if reply.status == 304 || reply.status == 204 {
            return Ok(body);
        }
        if reply.header("transfer-encoding").is_some() {
            loop {
                let size = usize::from_str_radix(&self.line()?, 16).map_err(invalid)?;
                let begin = body.len();
                body.resize(begin + size, 0);
                self.0.read_exact(&mut body[begin..])?;
                self.line()?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        let length = reply.header("content-length").ok_or_else(|| invalid("an answer of unknown length"))?;
        body.resize(length.parse().map_err(invalid)?, 0);
        self.0.read_exact(&mut body)?;
        Ok(body)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

impl Reply {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON of this type.
    ///
    /// # Panics
    /// When it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The answer, or the problem it stands for.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if (200..300).contains(&self.status) { Ok(self.json()) } else { Err(self.problem()) }
    }

    /// The problem that it tells.
    ///
    /// # Panics
    /// When it tells none, or one whose code has another status.
    pub fn problem(&self) -> Problem {
        let problem: Problem = self.json();
        assert_eq!(problem.code.status(), self.status, "{problem:?}");
        problem
    }
}
