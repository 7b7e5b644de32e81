//! What went over the wire, beside the transcript, without what is secret: for who wants to see what was really asked.
//!
//! ```text
//! {"at":"...","traffic":"asked","url":"...","headers":{...},"body":{...}}
//! {"at":"...","traffic":"answered","status":200,"headers":{...}}
//! {"at":"...","traffic":"event","data":{...}}
//! {"at":"...","traffic":"refused","body":{...}}
//! {"at":"...","traffic":"ended","how":"..."}
//! ```
//!
//! Nothing is asked when the file cannot be opened: somebody relies on it. It is nothing that a conversation depends on
//! beyond that: what cannot be written is left out, and nothing is synced.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rustix::fs::OFlags;
use serde_json::{Map, Value, json};
use ureq::http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use zeroize::Zeroizing;

use super::masking::{MASKED, Masks};
use super::transcript::PRIVATE_DIRECTORY;
use crate::backend::traffic::{Asked, Listener, Sound};
use crate::clock::Clock;
use crate::durable_file::PRIVATE;
use crate::failure::{Class, Failure};

/// The file's name in a conversation's folder.
pub const FILE_NAME: &str = "traffic.jsonl";
/// Headers that say nothing secret; of all others only the name is kept.
const OPEN_HEADERS: [&str; 14] = [
    "originator",
    "version",
    "session-id",
    "thread-id",
    "x-client-request-id",
    "x-openai-internal-codex-responses-lite",
    "content-type",
    "content-length",
    "date",
    "openai-model",
    "x-request-id",
    "retry-after",
    "server",
    "etag",
];
/// How much of the plan is in use.
const OPEN_BEGINNINGS: [&str; 2] = ["x-codex-primary-", "x-codex-secondary-"];
/// The headers of a request that identify its account.
const ACCOUNT: &str = "chatgpt-account-id";

/// Writes each conversation's traffic into the conversation's folder.
pub struct TrafficLog {
    place: PathBuf,
    clock: Box<dyn Clock + Send + Sync>,
    open: Mutex<Option<Open>>,
}

/// The request that is under way.
struct Open {
    file: File,
    masks: Masks,
}

impl TrafficLog {
    /// For conversations that are kept in `place`, see [`super::place`].
    pub fn new(place: PathBuf, clock: Box<dyn Clock + Send + Sync>) -> Self {
        Self { place, clock, open: Mutex::new(None) }
    }

    /// Whether there is a file to write what is asked in this conversation, or a place for one when it has none yet.
    pub fn check(&self, id: Option<&str>) -> Result<(), Failure> {
        match id {
            Some(id) => append(&self.place.join(id)).map(drop),
            None => {
                let made = DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(&self.place);
                made.map_err(|error| not_logged(&self.place.join("ID"), &error))
            }
        }
    }

    /// Whoever panicked while it wrote a line has spoilt that line only.
    fn held(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, open: &mut Open, kind: &str, members: Value) {
        let at = Timestamp::from_millisecond(self.clock.unix_ms()).unwrap_or_default().to_string();
        let mut line = Map::from_iter([("at".to_owned(), at.into()), ("traffic".to_owned(), kind.into())]);
        if let Value::Object(members) = members {
            line.extend(members);
        }
        let _ = open.file.write_all(format!("{}\n", Value::Object(line)).as_bytes());
    }
}

impl Listener for TrafficLog {
    fn hear_request(&self, asked: &Asked<'_>) -> Result<(), Failure> {
        let mut held = self.held();
        *held = None;
        let file = append(&self.place.join(asked.session_id))?;
        let open = held.insert(Open { file, masks: masks(asked.headers) });
        let headers = asked.headers.iter().map(|(name, value)| (name, value.as_str()));
        let (headers, body) = (shown(headers, &open.masks), open.masks.of_bytes(asked.body));
        self.write(open, "asked", json!({"url": asked.url, "headers": headers, "body": body}));
        Ok(())
    }

    fn hear(&self, sound: Sound<'_>) {
        let mut held = self.held();
        let Some(open) = held.as_mut() else { return };
        let (kind, members) = match sound {
            Sound::Answered { status, headers } => {
                ("answered", json!({"status": status, "headers": shown(of_answer(headers), &open.masks)}))
            }
            Sound::Refused(body) => ("refused", json!({"body": open.masks.of_bytes(body)})),
            Sound::Event(data) => ("event", json!({"data": open.masks.of_bytes(data.as_bytes())})),
            Sound::Ended(how) => ("ended", json!({"how": open.masks.text(how)})),
        };
        self.write(open, kind, members);
    }
}

fn append(folder: &Path) -> Result<File, Failure> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).expect("open flags fit the C int that they are");
    let opened =
        OpenOptions::new().create(true).append(true).mode(PRIVATE).custom_flags(flags).open(folder.join(FILE_NAME));
    opened.map_err(|error| not_logged(folder, &error))
}

fn not_logged(folder: &Path, error: &io::Error) -> Failure {
    let file = folder.join(FILE_NAME);
    let message = format!("--log-traffic: {} cannot be opened, so nothing was asked: {error}", file.display());
    Failure::new(Class::Usage, message).with_hint("make room for it, or leave out --log-traffic")
}

/// The token and the account of this request.
fn masks(headers: &[(HeaderName, Zeroizing<String>)]) -> Masks {
    let secret = headers.iter().filter(|(name, _)| *name == AUTHORIZATION || name.as_str() == ACCOUNT);
    Masks::of(secret.map(|(_, value)| value.strip_prefix("Bearer ").unwrap_or(value).to_owned().into()))
}

fn of_answer(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &str)> {
    headers.iter().map(|(name, value)| (name, value.to_str().unwrap_or_default()))
}

fn shown<'a>(headers: impl Iterator<Item = (&'a HeaderName, &'a str)>, masks: &Masks) -> Value {
    let is_open = |name: &str| {
        OPEN_HEADERS.contains(&name) || OPEN_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
    };
    let shown = headers.map(|(name, value)| {
        let value = if is_open(name.as_str()) { masks.text(value) } else { MASKED.to_owned() };
        (name.as_str().to_owned(), Value::from(value))
    });
    Value::Object(shown.collect())
}
