//! What is written down of a request: the first hand-out of a generation, before the token leaves; refusals behind it.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::{Issuer, Origin, Refused};
use crate::audit_chain::{Line, Record};
use crate::clock::Timestamp;
use crate::domain::credential::Credential;
use crate::domain::meter::Quota;
use crate::first_handout::Turn;
use crate::gate::Caller;
use crate::store::audit::{Deed, FirstHandout};

/// Refusals of one client that are written down.
const DENIALS: Quota = Quota::per_minute(NonZeroU32::MIN);

impl Issuer {
    /// The first hand-out of a generation is in the audit before the token leaves; repeats are counted.
    pub(super) async fn write_down(
        &self,
        caller: &Arc<Caller>,
        credential: &Credential,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let generation = credential.rotation.generation;
        let outcome = match caller.first.turn(generation) {
            Turn::Written => {
                caller.count(now);
                return Ok(());
            }
            Turn::Wait(outcome) => {
                outcome.wait().await?;
                caller.count(now);
                return Ok(());
            }
            Turn::Write(writing, outcome) => {
                let expires_at = credential.tokens.as_ref().map_or(now, |tokens| tokens.expires_at);
                let handout = FirstHandout {
                    client: caller.client.id.clone(),
                    credential: credential.id.clone(),
                    generation,
                    expires_at,
                };
                let record = self.record(caller, credential, "token.first", "ok", origin);
                let (auditor, caller) = (self.auditor.clone(), Arc::clone(caller));
                // In a task of its own: others wait for it too, whether or not this request's client does.
                self.rotator.runtime().spawn(async move {
                    let written = auditor.write(Deed { record, handout: Some(handout) }).await;
                    caller.close_count();
                    if written.is_ok() {
                        caller.count_first();
                    }
                    caller.first.end(writing, written);
                });
                outcome
            }
        };
        Ok(outcome.wait().await?)
    }

    /// Writes a refusal down that says something about the client: at most one in a minute of each, whatever it sends.
    pub(super) fn note(&self, caller: &Caller, refused: &Refused, origin: Origin<'_>) {
        if !refused.concerns_the_client() {
            return;
        }
        if caller.meters.denials.take(DENIALS, self.rotator.parts().timeline.monotonic()).is_err() {
            return;
        }
        let object = match &caller.holding {
            Some(holding) => format!("credential:{}", holding.served().credential.name),
            None => "credential:(removed)".to_owned(),
        };
        let mut record = self.said(caller, &object, "token.denied", refused.code().as_str(), origin);
        record.detail = Line::of(&format!("{refused}; {}", origin.agent));
        let auditor = self.auditor.clone();
        // Nobody waits for it: what is refused is refused, whether or not it can be written down.
        self.rotator.runtime().spawn(async move { auditor.write(Deed { record, handout: None }).await });
    }

    pub(super) fn record(
        &self,
        caller: &Caller,
        credential: &Credential,
        action: &str,
        outcome: &str,
        origin: Origin<'_>,
    ) -> Record {
        let object = format!("credential:{} generation:{}", credential.name, credential.rotation.generation);
        self.said(caller, &object, action, outcome, origin)
    }

    fn said(&self, caller: &Caller, object: &str, action: &str, outcome: &str, origin: Origin<'_>) -> Record {
        Record {
            at: self.rotator.parts().timeline.now(),
            actor: Line::of(&format!("client:{}", caller.client.name)),
            action: Line::of(action),
            object: Line::of(object),
            outcome: Line::of(outcome),
            request_id: Line::of(origin.request_id),
            address: Line::of(&origin.place()),
            detail: Line::of(origin.agent),
        }
    }
}
