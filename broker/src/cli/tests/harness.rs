//! A broker that answers from a script, and a person who types.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::place::Environment;
use crate::cli::screen::{Screen, Terminals};
use crate::cli::{Ended, Surroundings, invoke};
use crate::clock::{Clock, Monotonic, Sleep, Timestamp};

/// The only page of a list.
pub(super) fn page<const N: usize>(items: [Value; N]) -> Value {
    json!({ "items": Vec::from(items), "next": null })
}

/// 2026-11-22 12:00:00 UTC.
pub(super) const NOW: i64 = 1_795_348_800;

/// A clock that moves when somebody has slept; each sleep really takes no longer than `pace`.
struct Dozing {
    wall: Arc<AtomicI64>,
    pace: Duration,
}

impl Dozing {
    fn new(pace: Duration) -> Arc<Self> {
        Arc::new(Self { wall: Arc::new(AtomicI64::new(NOW)), pace })
    }
}

impl Clock for Dozing {
    fn wall(&self) -> Timestamp {
        Timestamp::from_unix(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::default()
    }

    fn sleep(&self, span: Duration) -> Sleep {
        let (wall, pace) = (Arc::clone(&self.wall), self.pace.min(span));
        Box::pin(async move {
            tokio::time::sleep(pace).await;
            wall.fetch_add(span.as_secs() as i64, Ordering::SeqCst);
        })
    }
}

/// What the person saw, and how it ended.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) code: u8,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Seen {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The failure as `--json` tells it.
    pub(super) fn problem(&self) -> Value {
        let last = self.stderr.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A stdout whose reader has gone.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Somebody who types a command, and perhaps sits at a terminal.
#[derive(Default)]
pub(super) struct Person {
    pub(super) types: String,
    pub(super) terminals: Terminals,
    pub(super) environment: Vec<(String, String)>,
    pub(super) stdout_closed: bool,
    /// How long a wait really takes at most.
    pub(super) pace: Duration,
}

impl Person {
    /// At a terminal, ready to answer what is asked.
    pub(super) fn answering(types: &str) -> Self {
        let terminals = Terminals { stdin: true, stdout: true, stderr: true, colour: false };
        Self { types: types.to_owned(), terminals, ..Self::default() }
    }

    pub(super) fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn runs(&self, arguments: &[&str]) -> Seen {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let out: Box<dyn Write + Send> = if self.stdout_closed { Box::new(Closed) } else { Box::new(stdout.clone()) };
        let stdin = Box::new(Cursor::new(self.types.clone().into_bytes()));
        let surroundings = Surroundings {
            environment: Environment(self.environment.clone()),
            screen: Screen::of(out, Box::new(stderr.clone()), stdin, self.terminals),
            clock: Dozing::new(self.pace),
            // Any free port.
            callback_ports: [0, 0],
            early: Default::default(),
        };
        let arguments = std::iter::once("scorpiox-broker").chain(arguments.iter().copied());
        match invoke(arguments, surroundings) {
            Ended::Command(code) => Seen { code, stdout: stdout.text(), stderr: stderr.text() },
            Ended::Server(code) => panic!("a server ran: {code:?}"),
        }
    }
}

type Answer = Box<dyn FnMut(&str) -> (u16, Value) + Send>;

/// A broker that answers from a script; when that has ended, with 503.
pub(super) struct Broker {
    pub(super) data: TempDir,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Broker {
    /// Answers each request with the next of these.
    pub(super) fn scripted(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        let ended = json!({ "code": "unavailable", "message": "the script has ended" });
        Self::answering(Box::new(move |_| answers.pop_front().unwrap_or_else(|| (503, ended.clone()))))
    }

    /// Answers each request, written as in [`Self::asked`], with what `answer` makes of it.
    pub(super) fn answering(mut answer: Answer) -> Self {
        let data = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(data.path().join("admin.sock")).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = read(&mut stream) else { continue };
                noted.lock().unwrap().push(request.clone());
                let (status, body) = answer(&request);
                let body = body.to_string();
                let head =
                    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        });
        Self { data, asked }
    }

    /// The requests that came, each as `POST /path {"body":1}`.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.data.path().join("admin.sock")
    }

    /// Runs a command against this broker where nobody can be asked.
    pub(super) fn runs(&self, arguments: &[&str]) -> Seen {
        self.serves(&Person::default(), arguments)
    }

    /// Runs a command that this person types.
    pub(super) fn serves(&self, person: &Person, arguments: &[&str]) -> Seen {
        let data = self.data.path().to_str().unwrap();
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--data", data]).collect();
        let mut seen = person.runs(&arguments);
        // What a suggested command has at its end, so that tests need not know the directory.
        seen.stdout = seen.stdout.replace(data, "DATA");
        seen.stderr = seen.stderr.replace(data, "DATA");
        seen
    }
}

fn read(stream: &mut UnixStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line == "\r\n" {
            break;
        }
        if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    let mut words = first.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    Some(format!("{method} {path} {body}").trim_end().to_owned())
}

/// A login that is well.
pub(super) fn main_credential() -> Value {
    json!({
        "id": "4k2j9x0c7m1d", "name": "main", "provider": "codex", "account_id": "6f0c1a2b", "email": "anna@example.com",
        "plan_type": "team", "health": "good", "reason": null, "next": null, "generation": 7, "epoch": 9,
        "expires_at": NOW + 3 * 86_400, "renew_at": NOW + 7_200, "rotated_at": NOW - 60, "serving": true, "clients": 2,
    })
}

/// The same with some fields changed.
pub(super) fn changed(mut value: Value, changes: Value) -> Value {
    for (key, change) in changes.as_object().unwrap() {
        value[key] = change.clone();
    }
    value
}

/// A client that holds a token.
pub(super) fn laptop() -> Value {
    json!({
        "name": "laptop-anna", "key_id": "7f3k9q2m1c0d", "credential": "main", "created_at": NOW - 86_400,
        "revoked_at": null, "generation": 7, "last_seen_at": NOW - 300, "holds_until": NOW + 3_600,
        "paused_at": null,
        "limits": { "requests_per_minute": null, "handouts_per_hour": null, "allow": [], "expires_at": null },
    })
}

pub(super) fn status() -> Value {
    json!({
        "version": "0.1.0", "started_at": NOW - 3_600, "data": "/var/lib/scorpiox-broker",
        "url": "https://broker.example:8443/codex", "serving": true, "renewing": false,
        "certificate_ends_at": NOW + 90 * 86_400,
        "admin_certificate_ends_at": null,
        "degraded": [{ "what": "fenced", "reason": "the high-water mark is missing", "next": "scorpiox-broker promote" }],
        "health": { "good": 1, "backing_off": 0, "in_doubt": 0, "reauth": 0, "quarantine": 0, "paused": 0 },
        "credentials": [main_credential()], "clients": 2,
    })
}
