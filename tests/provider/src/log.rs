//! What was received and answered, in order, with overlap visible.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::{Endpoint, How};
use crate::serial::{Serial, TokenRef};

/// Names an entry of the log, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub u64);

/// One request and what came of it. Tokens appear by serial, never as themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its name.
    pub id: EntryId,
    /// Which endpoint it was for.
    pub endpoint: Endpoint,
    /// The method and path, as received.
    pub target: String,
    /// Position of its beginning among all beginnings and endings: two entries overlap when one begins before the
    /// other has ended.
    pub begun: u64,
    /// Position of its end; `None` while it is under way.
    pub ended: Option<u64>,
    /// When it began, in Unix seconds on the provider's clock.
    pub begun_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Fields and headers that hold no secret: `grant_type`, `client_id`, `refresh_reason`, `user-agent`, …
    pub received: BTreeMap<String, String>,
    /// All headers of a request to [`Endpoint::Responses`], in their order, names in lower case; of `authorization`
    /// only the scheme.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The body of a request to [`Endpoint::Responses`], when it could be read.
    pub conversation: Option<Value>,
    /// The refresh token it presented.
    pub refresh_token: Option<TokenRef>,
    /// The bearer token it presented.
    pub access_token: Option<TokenRef>,
    /// The fault that it met.
    pub fault: Option<How>,
    /// The status that was to be sent; `None` until it is decided, and when the connection was cut before.
    pub status: Option<u16>,
    /// The error code that was to be sent.
    pub code: Option<String>,
    /// The tokens that it issued.
    pub granted: Option<Serial>,
    /// Whether it redeemed (or burned) the refresh token, told or not.
    pub consumed: bool,
    /// Whether the token was presented before its `earliest_refresh_at`.
    pub too_early: bool,
    /// What the answer, once whole at the client, says about the refresh token.
    pub told: Told,
    /// What became of the answer.
    pub fate: Fate,
}

/// What an answer says about the refresh token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Nothing that settles it: not redeemed, or nobody can tell.
    Nothing,
    /// The next refresh token: the presented one is spent.
    Redeemed,
    /// A code that ends the login.
    Ended,
}

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is under way.
    InFlight,
    /// All of it was handed to the connection.
    Delivered,
    /// A fault cut the connection.
    Cut,
    /// The client went away first.
    ClientGone,
    /// A test says that the client never got to use it: it was killed before it could keep it.
    Lost,
}

impl LogEntry {
    /// Whether both were under way at some moment.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (first, second) = if self.begun < other.begun { (self, other) } else { (other, self) };
        first.ended.is_none_or(|ended| ended > second.begun)
    }

    /// Whether the client knows that presenting the same refresh token again is useless: it was told so, and the
    /// answer reached it.
    pub fn settled(&self) -> bool {
        self.fate == Fate::Delivered && self.told != Told::Nothing
    }

    /// For people: `consumed`, `503`, `401 refresh_token_reused, cut`.
    pub fn summary(&self) -> String {
        let mut words = match (self.status, &self.code) {
            (None, _) => "undecided".to_owned(),
            (Some(status), None) => status.to_string(),
            (Some(status), Some(code)) => format!("{status} {code}"),
        };
        if self.consumed {
            words.push_str(", consumed");
        }
        match self.fate {
            Fate::Delivered => {}
            Fate::InFlight => words.push_str(", in flight"),
            Fate::Cut => words.push_str(", cut"),
            Fate::ClientGone => words.push_str(", client gone"),
            Fate::Lost => words.push_str(", lost"),
        }
        words
    }
}

/// All entries, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Vec<LogEntry>,
    positions: u64,
}

impl Log {
    fn next_position(&mut self) -> u64 {
        self.positions += 1;
        self.positions
    }

    pub(crate) fn begin(&mut self, endpoint: Endpoint, target: String, now: i64) -> &mut LogEntry {
        let begun = self.next_position();
        self.entries.push(LogEntry {
            id: EntryId(self.entries.len() as u64 + 1),
            endpoint,
            target,
            begun,
            ended: None,
            begun_at: now,
            ended_at: None,
            received: BTreeMap::new(),
            headers: Vec::new(),
            conversation: None,
            refresh_token: None,
            access_token: None,
            fault: None,
            status: None,
            code: None,
            granted: None,
            consumed: false,
            too_early: false,
            told: Told::Nothing,
            fate: Fate::InFlight,
        });
        self.entries.last_mut().expect("an entry was just pushed")
    }

    /// Ends an entry once; later calls change nothing.
    pub(crate) fn end(&mut self, id: EntryId, fate: Fate, now: i64) {
        let position = self.next_position();
        if let Some(entry) = self.get_mut(id).filter(|entry| entry.ended.is_none()) {
            entry.ended = Some(position);
            entry.ended_at = Some(now);
            entry.fate = fate;
        }
    }

    pub(crate) fn get_mut(&mut self, id: EntryId) -> Option<&mut LogEntry> {
        self.entries.get_mut(usize::try_from(id.0).ok()?.checked_sub(1)?)
    }

    pub(crate) fn entries(&self) -> &[LogEntry] {
        &self.entries
    }
}
