//! What a conversation has cost so far, for programs: a small file beside the transcript, from which it can be counted
//! again. It is replaced as a whole and never synced.
//!
//! ```json
//! {"schema":1,"updated_at":"2026-01-01T10:00:00Z","model":"gpt-5.5","turns":2,"usage":{"input_tokens":84,
//!  "cached_tokens":0,"output_tokens":14,"reasoning_tokens":0,"total_tokens":49}}
//! ```

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::conversation::event::Usage;
use crate::state_directory::StateDirectory;

/// The file's name in a conversation's folder.
pub const FILE_NAME: &str = "usage.json";
const SCHEMA: u32 = 1;

/// The sums.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    schema: u32,
    /// When, as `2026-01-01T10:00:00Z`.
    pub updated_at: String,
    /// The model that was asked last.
    pub model: String,
    /// How many turns were begun.
    pub turns: u64,
    /// What they cost. `total_tokens` is what of the window is in use.
    pub usage: Usage,
}

impl Tally {
    /// The sums of this moment.
    pub fn new(updated_at: String, model: String, turns: u64, usage: Usage) -> Self {
        Self { schema: SCHEMA, updated_at, model, turns, usage }
    }

    /// Writes them into a conversation's folder.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(self).expect("numbers and text are plain JSON");
        bytes.push(b'\n');
        StateDirectory::new(Some(folder.to_owned())).replace(FILE_NAME, &bytes)
    }

    /// Reads them, if they are there and ours.
    pub fn read(folder: &Path) -> Option<Self> {
        let bytes = StateDirectory::new(Some(folder.to_owned())).read(FILE_NAME)?;
        serde_json::from_slice::<Self>(&bytes).ok().filter(|tally| tally.schema == SCHEMA)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_replaced_as_a_whole_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Tally::read(dir.path()), None);
        for turns in [1, 2] {
            let usage = Usage { input_tokens: 42 * turns, ..Usage::default() };
            let tally = Tally::new("2026-01-01T10:00:00Z".to_owned(), "gpt-5.5".to_owned(), turns, usage);
            tally.write(dir.path()).unwrap();
            assert_eq!(Tally::read(dir.path()), Some(tally));
        }
        std::fs::write(dir.path().join(FILE_NAME), "{\"schema\":2}").unwrap();
        assert_eq!(Tally::read(dir.path()), None);
    }
}
