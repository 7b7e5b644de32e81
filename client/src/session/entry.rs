//! A line of a transcript: one entry, JSON. Pure.
//!
//! ```text
//! {"entry":"session","at":"2026-01-01T10:00:00Z","schema":1,"id":"...","directory":"/p","client":"0.1.0"}
//! {"entry":"turn","at":"...","model":"gpt-5.5","effort":"high","prompt":[ITEM...]}
//! {"entry":"items","at":"...","items":[ITEM...],"usage":{...}}
//! {"entry":"output","at":"...","item":ITEM}
//! {"entry":"images_refused","at":"..."}
//! {"entry":"turn_end","at":"...","how":"finished"}
//! ```
//!
//! `ITEM` is what goes over the wire too. Entries and members are added within a schema and never change; whoever does
//! not know one passes it over.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::conversation::event::Usage;
use crate::conversation::item::Item;
use crate::drive::record::Ending;

/// What is written; what says a higher number is not read.
pub const SCHEMA: u32 = 1;

/// An entry, and when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When, as `2026-01-01T10:00:00Z`.
    pub at: String,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a transcript consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A conversation begins: the first line.
    Session(Session),
    /// A turn begins.
    Turn {
        /// The model that is asked.
        model: String,
        /// How hard it thinks; its own default when `None`.
        #[serde(default)]
        effort: Option<String>,
        /// What the turn begins with.
        #[serde(deserialize_with = "known_items")]
        prompt: Vec<Item>,
    },
    /// The model answered completely.
    Items {
        /// What of the answer belongs to the conversation.
        #[serde(deserialize_with = "known_items")]
        items: Vec<Item>,
        /// What it cost, if the backend said.
        #[serde(default)]
        usage: Option<Usage>,
    },
    /// A tool answered.
    Output {
        /// The answer, with the id of its call.
        item: Item,
    },
    /// The turn is over. A turn without this entry was cut off by the end of the program.
    TurnEnd {
        /// How it ended.
        how: Ending,
    },
    /// All that was said so far is from now on told by these items; what a turn began with stays as it is as long as
    /// the model has not answered in it.
    Compacted {
        /// The conversation from now on.
        #[serde(deserialize_with = "known_items")]
        items: Vec<Item>,
        /// What it cost to write them, if the backend said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
    },
    /// The backend took an image for none, and said not which one. Which ones were left out follows from what was said
    /// before.
    ImagesRefused,
    /// Something that a later version writes.
    #[serde(other)]
    Unknown,
}

/// What is said of a conversation at its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Of this entry and of all that follow.
    pub schema: u32,
    /// Names the conversation, here and to the backend.
    pub id: String,
    /// Where it was begun. What of the path is no text is replaced.
    pub directory: String,
    /// The version of this program.
    pub client: String,
    /// The conversation of which it is a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<String>,
}

impl Line {
    /// An entry of this moment, in milliseconds since the Unix epoch.
    pub fn new(unix_ms: i64, entry: Entry) -> Self {
        let at = Timestamp::from_millisecond(unix_ms).unwrap_or_default().round(jiff::Unit::Second).unwrap_or_default();
        Self { at: at.to_string(), entry }
    }

    /// The line with its end.
    pub fn encode(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("an entry is plain JSON");
        line.push(b'\n');
        line
    }

    /// Reads a line, with its end or without.
    pub fn decode(line: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(line)
    }

    /// When it was made, in milliseconds since the Unix epoch.
    pub fn unix_ms(&self) -> Option<i64> {
        self.at.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
    }
}

/// Those items that this version knows: a later one may have more kinds.
fn known_items<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Item>, D::Error> {
    let values = Vec::<Value>::deserialize(deserializer)?;
    Ok(values.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode(line: &Value) -> Entry {
        Line::decode(line.to_string().as_bytes()).unwrap().entry
    }

    #[test]
    fn every_entry_is_written_as_documented_and_read_back() {
        let user = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "u"}]});
        let output = json!({"type": "function_call_output", "call_id": "a", "output": "x\ny"});
        let usage = json!({"input_tokens": 1, "cached_tokens": 2, "output_tokens": 3, "reasoning_tokens": 4, "total_tokens": 5});
        let at = "2026-01-01T10:00:00Z";
        let lines = [
            json!({"entry": "session", "at": at, "schema": 1, "id": "i", "directory": "/p", "client": "0.1.0"}),
            json!({"entry": "turn", "at": at, "model": "m", "effort": "high", "prompt": [user]}),
            json!({"entry": "items", "at": at, "items": [user], "usage": usage}),
            json!({"entry": "output", "at": at, "item": output}),
            json!({"entry": "turn_end", "at": at, "how": "stopped"}),
            json!({"entry": "compacted", "at": at, "items": [user]}),
            json!({"entry": "images_refused", "at": at}),
        ];
        for line in lines {
            let read = Line::decode(line.to_string().as_bytes()).unwrap();
            assert_eq!(read.unix_ms(), Some(1_767_261_600_000));
            let written = read.encode();
            assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), line);
            assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 1, "one entry, one line");
            assert_eq!(Line::new(1_767_261_600_123, read.entry.clone()), read);
        }
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over() {
        let at = "2026-01-01T10:00:00Z";
        assert_eq!(decode(&json!({"entry": "smell", "at": at, "of": ["roses"]})), Entry::Unknown);
        let items = json!([{"type": "song"}, {"type": "function_call_output", "call_id": "a", "output": "x"}]);
        let Entry::Items { items, usage } = decode(&json!({"entry": "items", "at": at, "items": items, "new": 1}))
        else {
            panic!("known")
        };
        assert_eq!((items.len(), usage), (1, None));
    }

    #[test]
    fn what_is_no_entry_is_an_error() {
        for line in ["", "{", "null", "[]", "{\"entry\":\"turn\"}", "{\"entry\":1,\"at\":\"\"}", "\0\0\0"] {
            assert!(Line::decode(line.as_bytes()).is_err(), "{line:?}");
        }
    }
}
