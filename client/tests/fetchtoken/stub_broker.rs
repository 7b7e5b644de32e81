//! A stand-in for the broker over `std::net`: answers what the test says, and writes down what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `GET /codex HTTP/1.1`.
    pub(crate) line: String,
    /// `Authorization`.
    pub(crate) authorization: Option<String>,
    /// `If-None-Match`.
    pub(crate) if_none_match: Option<String>,
}

impl Asked {
    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

type Answer = dyn Fn(usize, &Asked) -> Vec<u8> + Send + Sync;

/// What one connection is read from and written to.
trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

pub(crate) struct StubBroker {
    port: u16,
    scheme: &'static str,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl StubBroker {
    /// Answers each request with what `answer` says for its number (from 0) and content.
    pub(crate) fn start(answer: impl Fn(usize, &Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(answer))
    }

    /// The same over TLS.
    pub(crate) fn start_tls(
        config: ServerConfig,
        answer: impl Fn(usize, &Asked) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::listen(Some(Arc::new(config)), Arc::new(answer))
    }

    fn listen(tls: Option<Arc<ServerConfig>>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stub = Self { port, scheme: if tls.is_some() { "https" } else { "http" }, asked: asked.clone() };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, answer, asked) = (tls.clone(), answer.clone(), asked.clone());
                thread::spawn(move || converse(stream, tls, &*answer, &asked));
            }
        });
        stub
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}/codex", self.scheme, self.port)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Paths and queries in the order in which they were asked.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.asked().iter().map(|asked| asked.target().to_owned()).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn converse(stream: TcpStream, tls: Option<Arc<ServerConfig>>, answer: &Answer, asked: &Mutex<Vec<Asked>>) {
    let closer = stream.try_clone().unwrap();
    let mut wire: Box<dyn Wire> = match tls {
        Some(config) => Box::new(StreamOwned::new(ServerConnection::new(config).unwrap(), stream)),
        None => Box::new(stream),
    };
    let Some(request) = read_request(&mut wire) else { return };
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(request.clone());
        asked.len() - 1
    };
    let _ = wire.write_all(&answer(number, &request)).and_then(|()| wire.flush());
    drop(wire);
    let _ = closer.shutdown(Shutdown::Write);
}

fn read_request(wire: &mut dyn Wire) -> Option<Asked> {
    let mut reader = BufReader::new(wire);
    let mut asked = Asked::default();
    reader.read_line(&mut asked.line).ok().filter(|read| *read > 0)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { return Some(asked) };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => asked.authorization = Some(value.to_owned()),
            "if-none-match" => asked.if_none_match = Some(value.to_owned()),
            _ => {}
        }
    }
}

/// An answer with a body and more header lines, each ending in CRLF.
pub(crate) fn response(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

/// The text of generation N's token.
pub(crate) fn token_text(generation: u64) -> String {
    format!("eyJ.token-of-generation-{generation}.sig")
}

/// A good answer: fresh for 300 s, good for 900 s.
pub(crate) fn token(generation: u64) -> Vec<u8> {
    // The broker's clock is an hour ahead of nobody: only differences matter to a client.
    let broker_now = 1_900_000_000;
    let body = format!(
        r#"{{"access_token":"{}","token_type":"Bearer","expires_at":{},"expires_in":900,"revalidate_at":{},"account_id":"a1","plan_type":"team","credential":"c1","generation":{generation},"renewable":true}}"#,
        token_text(generation),
        broker_now + 900,
        broker_now + 300,
    );
    response(200, &format!("ETag: \"c1.{generation}\"\r\nCache-Control: no-store\r\n"), &body)
}

pub(crate) fn not_modified() -> Vec<u8> {
    b"HTTP/1.1 304 X\r\nConnection: close\r\nETag: \"c1.7\"\r\n\r\n".to_vec()
}

pub(crate) fn problem(status: u16, code: &str, headers: &str) -> Vec<u8> {
    let body = format!(r#"{{"code":"{code}","message":"what happened","hint":"what to do"}}"#);
    response(status, headers, &body)
}
