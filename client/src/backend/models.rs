//! The model catalogue as the endpoint gives it, kept for a while.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::answer::Good;
use super::exchange::{Backend, Get, LONGEST_ANSWER};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::model::catalog::Catalog;
use crate::state_directory::StateDirectory;
use crate::talk::Talk;

/// So long the catalogue counts as known, as for the stock client.
const FRESH: Duration = Duration::from_secs(300);
/// So long the endpoint has for its answer.
const WITHIN: Duration = Duration::from_secs(5);
/// How far the clock may step back before a catalogue "from the future" is asked about again.
const CLOCK_TOLERANCE_MS: i64 = 5_000;
/// A catalogue, escaped in JSON.
const LONGEST_FILE: u64 = 2 * LONGEST_ANSWER;
const NAME: &str = "models.json";

/// What is kept. The address says where it came from and for which client version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    url: String,
    etag: Option<String>,
    obtained_ms: i64,
    body: String,
}

/// A catalogue that can be read, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// JSON, as the endpoint wrote it.
    pub body: String,
    /// The same, read.
    pub catalog: Catalog,
}

impl Kept {
    fn listing(&self) -> Option<Listing> {
        Some(Listing { catalog: Catalog::parse(&self.body)?, body: self.body.clone() })
    }

    fn is_fresh(&self, now_ms: i64) -> bool {
        let age_ms = now_ms.saturating_sub(self.obtained_ms);
        let fresh_ms = i64::try_from(FRESH.as_millis()).unwrap_or(i64::MAX);
        (-CLOCK_TOLERANCE_MS..fresh_ms).contains(&age_ms)
    }
}

/// The catalogue: kept, confirmed or new. When the endpoint is away or answers with something else, what was kept is
/// served, however old, and that is said.
///
/// # Errors
/// Nothing is kept and nothing can be had.
pub fn listing(
    backend: &Backend<'_>,
    state: &StateDirectory,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<Listing, Failure> {
    let url = backend.address.models(&backend.identity.client_version);
    let kept = read(state).filter(|kept| kept.url == url);
    let known = kept.as_ref().and_then(Kept::listing);
    if let (Some(kept), Some(listing)) = (&kept, &known)
        && kept.is_fresh(clock.unix_ms())
    {
        talk.detail("the catalogue was asked for a moment ago");
        return Ok(listing.clone());
    }
    let have = known.as_ref().and(kept.as_ref()).and_then(|kept| kept.etag.as_deref());
    let asked_ms = clock.unix_ms();
    let answer = backend.get(Get { url: &url, have, within: WITHIN }, talk);
    match (answer.and_then(|answer| understood(answer, have)), kept, known) {
        (Ok(Some((listing, etag))), _, _) => {
            keep(state, &Kept { url, etag, obtained_ms: asked_ms, body: listing.body.clone() }, talk);
            Ok(listing)
        }
        (Ok(None), Some(kept), Some(listing)) => {
            keep(state, &Kept { obtained_ms: asked_ms, ..kept }, talk);
            Ok(listing)
        }
        (Ok(None), _, _) => Err(Failure::temporary("the backend says that a catalogue holds which we do not have")),
        (Err(failure), Some(kept), Some(listing)) => {
            let minutes = clock.unix_ms().saturating_sub(kept.obtained_ms).max(0) / 60_000;
            talk.warn(format!("{failure}; this catalogue is {minutes} min old"));
            Ok(listing)
        }
        (Err(failure), _, _) => Err(failure),
    }
}

/// `None`: what we have still holds.
fn understood(answer: Good, have: Option<&str>) -> Result<Option<(Listing, Option<String>)>, Failure> {
    match answer {
        Good::Unchanged if have.is_some() => Ok(None),
        Good::Unchanged => Err(Failure::temporary("the backend confirms a catalogue that was not named")),
        Good::New { body, etag } => {
            let catalog = Catalog::parse(&body).ok_or_else(|| Failure::temporary("the backend's catalogue is none"))?;
            Ok(Some((Listing { body, catalog }, etag)))
        }
    }
}

fn read(state: &StateDirectory) -> Option<Kept> {
    serde_json::from_slice(&state.read_up_to(NAME, LONGEST_FILE)?).ok()
}

/// That it could not be kept costs the next command a request.
fn keep(state: &StateDirectory, kept: &Kept, talk: &mut Talk) {
    let written = serde_json::to_vec(kept).map_err(Into::into).and_then(|bytes| state.replace(NAME, &bytes));
    if let Err(error) = written {
        talk.detail(format!("the catalogue cannot be kept: {error}"));
    }
}
