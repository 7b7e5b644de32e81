//! A change that is asked for twice under one name is made once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scorpiox_wire::{Code, Problem};
use tracing::error;

use super::{Administrator, Registrar, storage};
use crate::domain::idempotency_key::{Before, IdempotencyKey};
use crate::store::repeated_requests::{Keeping, KeptAnswer, RequestName};

/// A name is remembered for so long.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// So many are remembered.
const MOST: u32 = 10_000;

type Names = HashSet<(String, String)>;

/// Requests with a name that are worked on at the moment.
#[derive(Debug, Clone, Default)]
pub struct UnderWay(Arc<Mutex<Names>>);

impl UnderWay {
    fn names(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, identity: &str, key: &IdempotencyKey) -> Option<Turn> {
        let name = (identity.to_owned(), key.as_str().to_owned());
        self.names().insert(name.clone()).then(|| Turn { under_way: self.clone(), name })
    }
}

/// The right to work on a request; over when it is dropped.
#[derive(Debug)]
pub struct Turn {
    under_way: UnderWay,
    name: (String, String),
}

impl Turn {
    fn name(&self) -> RequestName<'_> {
        RequestName { actor: &self.name.0, key: &self.name.1 }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.under_way.names().remove(&self.name);
    }
}

/// What is to be done about a request with a name.
#[derive(Debug)]
pub enum Once {
    /// It is the first: do it, then [`Registrar::answered`].
    Begin(Turn),
    /// It was done: the same answer again.
    Again(KeptAnswer),
}

impl Registrar {
    /// Claims the name before the deed. `request` is everything that makes it the same one.
    pub async fn once(&self, by: &Administrator, key: &IdempotencyKey, request: &[u8]) -> Result<Once, Problem> {
        let Some(turn) = self.under_way.begin(&by.identity, key) else {
            return Err(Problem::new(
                Code::InProgress,
                "the first request with this Idempotency-Key is still worked on",
            )
            .with_hint("ask again in a moment"));
        };
        let now = self.now();
        let mac = self.parts().sealer.authenticate("idempotent-request", request);
        let keeping = Keeping { since: now - REMEMBERED, most: MOST };
        let before = self.parts().store.claim_request(turn.name(), &mac, now, keeping).await;
        match before.map_err(|error| storage(&error))? {
            None => Ok(Once::Begin(turn)),
            Some(Before::Answered(answer)) => Ok(Once::Again(answer)),
            Some(Before::Another) => {
                Err(Problem::new(Code::IdempotencyMismatch, "this Idempotency-Key was used for another request")
                    .with_hint("a new key for each change; the same one only to repeat it"))
            }
            Some(Before::Unanswered) => Err(Problem::new(
                Code::OutcomeUnknown,
                "the broker stopped while it worked on the first request with this Idempotency-Key: whether it was done is \
                 unknown",
            )
            .with_hint("look, then ask again with another key: scorpiox-broker audit")),
        }
    }

    /// Forgets answers that are remembered no longer: some hold a key.
    pub async fn forget_repeats(&self) {
        if let Err(error) = self.parts().store.forget_requests(self.now() - REMEMBERED).await {
            error!(%error, "old answers to requests with an idempotency key were not removed; the next try is soon");
        }
    }

    /// Remembers the answer before it leaves; one that says that nothing was done frees the name instead.
    pub async fn answered(&self, turn: Turn, answer: &KeptAnswer) {
        let store = &self.parts().store;
        let kept = match answer.status {
            // Nothing was done, and asking again is what the answer tells to do.
            408 | 413 | 429 | 503 => store.release_request(turn.name()).await,
            // A bug: who knows. A repeat hears that.
            500 => Ok(()),
            _ => store.answer_request(turn.name(), answer).await,
        };
        if let Err(error) = kept {
            error!(%error, "the answer to a request with an idempotency key was not kept: a repeat will not know it");
        }
    }
}
