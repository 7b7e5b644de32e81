//! Somebody whom the broker posts to: a webhook's receiver, a collector of traces.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use super::patience;

/// What was posted.
#[derive(Debug)]
pub struct Posted {
    /// The request's line and its fields.
    pub head: String,
    /// Its body.
    pub body: String,
}

impl Posted {
    /// A field, which has to be there.
    pub fn header(&self, name: &str) -> &str {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.unwrap_or_else(|| panic!("no {name}: {}", self.head)).1
    }

    /// Its body, which has to be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }
}

/// Somebody who listens on a port of its own, with a connection for each request.
pub struct Listener {
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    posted: Receiver<Posted>,
}

impl Listener {
    /// `answers` gives the whole answer to each request in turn, from the status line on.
    pub fn answering(mut answers: impl FnMut() -> String + Send + 'static) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let origin = format!("http://{}", socket.local_addr().expect("a bound socket has an address"));
        let (tell, posted) = channel();
        std::thread::spawn(move || {
            for stream in socket.incoming() {
                let Some(taken) = take(stream.expect("a connection"), &mut answers) else { continue };
                if tell.send(taken).is_err() {
                    return;
                }
            }
        });
        Self { origin, posted }
    }

    /// The next one; waits for it.
    pub fn next(&self) -> Option<Posted> {
        self.posted.recv_timeout(patience::PATIENCE).ok()
    }

    /// True when nothing has come that was not taken.
    pub fn is_silent(&self) -> bool {
        self.posted.try_recv().is_err()
    }
}

/// `None` when the other side hangs up before its request is whole: then it is not answered either.
fn take(mut stream: TcpStream, answers: &mut impl FnMut() -> String) -> Option<Posted> {
    stream.set_read_timeout(Some(patience::PATIENCE)).expect("a timeout that is not zero");
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            let _ = stream.write_all(answers().as_bytes());
            return Some(Posted { head: head.to_owned(), body: body.to_owned() });
        }
    }
}
