//! A failure, remembered for a moment: the stock Codex CLI runs its token command up to 25 times within 8 seconds
//! when it fails, and those runs shall cost the broker nothing.
//!
//! Shared by all processes of a user with the same settings. Only failures that cost a request are remembered, so a
//! corrected setting takes effect at once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cache::{Owner, Step, fnv1a};
use crate::failure::Failure;
use crate::settings::RemoteSettings;
use crate::state_directory::StateDirectory;

const USUAL: Duration = Duration::from_secs(4);
/// The broker's `Retry-After` is obeyed up to this: a person who has mended something does not wait longer.
const LONGEST: Duration = Duration::from_secs(15);
/// A refusal that was not followed is not repeated sooner than this …
const SHORTEST_REFUSAL: Duration = Duration::from_secs(10);
/// … and the broker's word on it is obeyed up to this. Only callers that refuse the same token wait for it.
const LONGEST_REFUSAL: Duration = Duration::from_secs(120);

#[derive(Serialize, Deserialize)]
struct Stored {
    settings: String,
    question: String,
    until_ms: i64,
    failure: Failure,
}

/// The last failures of one owner: one of an ordinary question, and one of a refusal.
#[derive(Debug)]
pub struct FailureMemory<'a> {
    state: &'a StateDirectory,
    stem: String,
    settings: String,
}

impl<'a> FailureMemory<'a> {
    /// The memory of an owner in this directory.
    pub fn new(state: &'a StateDirectory, owner: &Owner, settings: &RemoteSettings) -> Self {
        // The digest stands for the key: no secret goes into this file.
        let settings = format!("{:016x}", fnv1a(&format!("{owner:?} {:?}", settings.trust)));
        Self { state, stem: owner.file_stem(), settings }
    }

    /// The failure that this question had a moment ago.
    pub fn recall(&self, step: &Step, now_ms: i64) -> Option<Failure> {
        let bytes = self.state.read(&self.name(step))?;
        let stored: Stored = serde_json::from_slice(&bytes).ok()?;
        // A bound from both sides: a clock that was set back must not turn a moment into a day.
        let left = stored.until_ms.saturating_sub(now_ms);
        let holds = left > 0 && left <= as_ms(LONGEST_REFUSAL);
        (holds && stored.settings == self.settings && stored.question == question(step)).then_some(stored.failure)
    }

    /// Remembers a failure. That it could not be remembered changes nothing for this caller.
    pub fn remember(&self, step: &Step, failure: &Failure, now_ms: i64) {
        let asked_for = failure.retry_after.unwrap_or(USUAL);
        let moment = match step {
            Step::Serve | Step::Ask { .. } => asked_for.clamp(Duration::from_secs(1), LONGEST),
            Step::Refuse(_) => asked_for.clamp(SHORTEST_REFUSAL, LONGEST_REFUSAL),
        };
        let stored = Stored {
            settings: self.settings.clone(),
            question: question(step),
            until_ms: now_ms.saturating_add(as_ms(moment)),
            failure: failure.clone(),
        };
        if let Ok(bytes) = serde_json::to_vec(&stored) {
            let _ = self.state.replace(&self.name(step), &bytes);
        }
    }

    /// All is well again with this question.
    pub fn forget(&self, step: &Step) {
        let _ = self.state.remove(&self.name(step));
    }

    /// An ordinary answer does not make the broker follow a refusal any sooner: each kind is kept apart.
    fn name(&self, step: &Step) -> String {
        let kind = match step {
            Step::Serve | Step::Ask { .. } => "failed",
            Step::Refuse(_) => "failed-refusal",
        };
        format!("{}.{kind}", self.stem)
    }
}

/// A failed refusal says nothing about an ordinary question.
fn question(step: &Step) -> String {
    match step {
        Step::Serve | Step::Ask { .. } => "current".to_owned(),
        Step::Refuse(tag) => format!("refused {tag}"),
    }
}

fn as_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use scorpiox_wire::TokenTag;

    use super::super::cache::tests::settings;
    use super::*;

    const NOW: i64 = 1_700_000_000_000;
    const ASK: Step = Step::Ask { have: None };

    fn refuse(generation: u64) -> Step {
        Step::Refuse(TokenTag { credential: "c1".into(), generation })
    }

    fn with_memory(check: impl FnOnce(&dyn Fn(&RemoteSettings) -> FailureMemory<'static>)) {
        let dir = tempfile::tempdir().unwrap();
        let state: &'static StateDirectory = Box::leak(Box::new(StateDirectory::new(Some(dir.path().join("s")))));
        check(&|settings| FailureMemory::new(state, &Owner::new(settings), settings));
    }

    #[test]
    fn the_same_failure_comes_back_for_a_moment() {
        with_memory(|memory| {
            let memory = memory(&settings("000000000001", 'A', "https://b.example/codex"));
            let failure = Failure::temporary("busy").with_hint("wait");
            memory.remember(&ASK, &failure, NOW);
            assert_eq!(memory.recall(&ASK, NOW + 3_999), Some(failure));
            assert_eq!(memory.recall(&ASK, NOW + 4_000), None);
            assert_eq!(memory.recall(&ASK, NOW - 86_400_000), None, "the clock was set back by a day");
            memory.forget(&ASK);
            assert_eq!(memory.recall(&ASK, NOW), None);
        });
    }

    #[test]
    fn retry_after_is_obeyed_up_to_a_bound() {
        with_memory(|memory| {
            let memory = memory(&settings("000000000001", 'A', "https://b.example/codex"));
            let after = |seconds| Failure::temporary("x").with_retry_after(Some(Duration::from_secs(seconds)));
            for (step, seconds, holds_for) in [
                (ASK, 0, 1),
                (ASK, 9, 9),
                (ASK, 900, 15),
                (refuse(7), 1, 10),
                (refuse(7), 48, 48),
                (refuse(7), 900, 120),
            ] {
                memory.remember(&step, &after(seconds), NOW);
                assert!(memory.recall(&step, NOW + holds_for * 1000 - 1).is_some(), "{step:?} {seconds}");
                assert!(memory.recall(&step, NOW + holds_for * 1000).is_none(), "{step:?} {seconds}");
            }
        });
    }

    #[test]
    fn an_answer_to_an_ordinary_question_leaves_a_failed_refusal_remembered() {
        with_memory(|memory| {
            let memory = memory(&settings("000000000001", 'A', "https://b.example/codex"));
            memory.remember(&refuse(7), &Failure::temporary("too soon"), NOW);
            memory.forget(&ASK);
            assert!(memory.recall(&refuse(7), NOW).is_some());
        });
    }

    #[test]
    fn another_question_or_other_settings_do_not_meet_it() {
        with_memory(|memory| {
            let (id, url) = ("000000000001", "https://b.example/codex");
            memory(&settings(id, 'A', url)).remember(&refuse(7), &Failure::temporary("x"), NOW);
            assert!(memory(&settings(id, 'A', url)).recall(&refuse(7), NOW).is_some());
            assert!(memory(&settings(id, 'A', url)).recall(&refuse(8), NOW).is_none());
            assert!(memory(&settings(id, 'A', url)).recall(&ASK, NOW).is_none());
            assert!(memory(&settings(id, 'B', url)).recall(&refuse(7), NOW).is_none());
            assert!(memory(&settings(id, 'A', "https://c.example/codex")).recall(&refuse(7), NOW).is_none());
            let mut other_trust = settings(id, 'A', url);
            other_trust.trust = crate::settings::Trust::CaFile("/ca.pem".into());
            assert!(memory(&other_trust).recall(&refuse(7), NOW).is_none());
        });
    }
}
