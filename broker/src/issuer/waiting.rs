//! What a request waits for: a token that may be handed out, and the successor of one that was refused.

use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::TokenTag;
use tracing::Instrument;

use super::{Issuer, Origin, Refused, name};
use crate::clock::Timestamp;
use crate::domain::freshness::{self, Freshness, is_renewable};
use crate::domain::permission::{Why, Wish};
use crate::domain::refusal::{About, about, admit};
use crate::domain::rotation::{Quarantine, State};
use crate::gate::Caller;
use crate::holding::{Flight, Holding, Served};
use crate::metrics::meters::Counted;
use crate::rotator::{Asker, NotNow};
use crate::store::audit::Deed;
use crate::telemetry::trace::step;

impl Issuer {
    /// The credential with a token that may be handed out, and the moment that this is true of.
    pub(super) async fn fresh(
        &self,
        holding: &Arc<Holding>,
        at_least: Duration,
        asker: Asker<'_>,
    ) -> Result<(Arc<Served>, Timestamp), Refused> {
        let parts = self.rotator.parts();
        let now = parts.timeline.now();
        let served = arc_swap::Guard::into_inner(holding.served());
        match freshness::decide(&served.credential, served.refused, now, &parts.policy) {
            Freshness::Serve | Freshness::ServeAndRefresh
                if parts.policy.is_short(&served.credential, at_least, now) =>
            {
                self.renewed_first(holding, asker).await
            }
            Freshness::Serve => Ok((served, now)),
            Freshness::ServeAndRefresh => {
                // The scheduler does it too, within its nap; a request is a good moment to begin.
                let _ = self.rotator.renew_for(asker, holding, Wish::Need);
                Ok((served, now))
            }
            Freshness::Refuse(refusal) => Err(Refused::of(&served.credential, refusal, now)),
            Freshness::RefreshFirst => self.renewed_first(holding, asker).await,
        }
    }

    async fn renewed_first(
        &self,
        holding: &Arc<Holding>,
        asker: Asker<'_>,
    ) -> Result<(Arc<Served>, Timestamp), Refused> {
        let waited = match self.rotator.renew_for(asker, holding, Wish::Need) {
            Ok(flight) => self.wait(flight).await,
            Err(not_now) => Err(not_now),
        };
        self.after_waiting(holding, waited)
    }

    /// What is served after a wait: the new token, or the old one while it lasts.
    fn after_waiting(
        &self,
        holding: &Arc<Holding>,
        waited: Result<(), NotNow>,
    ) -> Result<(Arc<Served>, Timestamp), Refused> {
        let parts = self.rotator.parts();
        let now = parts.timeline.now();
        let served = arc_swap::Guard::into_inner(holding.served());
        let decided = freshness::decide(&served.credential, served.refused, now, &parts.policy);
        if let Freshness::Refuse(refusal) = decided {
            return Err(Refused::of(&served.credential, refusal, now));
        }
        if served.credential.tokens.as_ref().is_some_and(|tokens| tokens.expires_at > now) {
            return Ok((served, now));
        }
        let backoff = holding.desk().backoff.remaining(parts.timeline.monotonic());
        Err(match (waited, backoff) {
            (Ok(()), Some(left)) | (Err(NotNow::Wait(left)), _) => Refused::BackingOff(left),
            (Err(NotNow::Fenced), _) => Refused::Fenced,
            (Err(NotNow::Never(Why::Reauth)), _) => Refused::Reauth(name(&served.credential)),
            (Err(NotNow::Never(Why::Quarantine)), _) => Refused::Quarantined(name(&served.credential)),
            (Err(NotNow::Never(Why::Paused)), _) => Refused::Paused(name(&served.credential)),
            (Ok(()), None) | (Err(NotNow::Stopping | NotNow::Never(Why::UnderWay)), _) => {
                Refused::Busy(Duration::from_secs(1))
            }
        })
    }

    /// Waits for the rotation, but not for ever: it goes on without us.
    async fn wait(&self, mut flight: Flight) -> Result<(), NotNow> {
        let meters = &self.rotator.parts().meters;
        meters.waited.inc();
        let _waiting = Counted::by(&meters.waiting);
        let deadline = self.rotator.parts().timeline.sleep(self.terms.wait);
        let waiting = async {
            tokio::select! {
                _ = flight.wait_for(Option::is_some) => {}
                () = deadline => {}
            }
        };
        waiting.instrument(step!("wait")).await;
        Ok(())
    }

    /// The first word that the provider refused this generation is held against the login and its client; what others
    /// say of it at the same moment is the same word.
    fn note_refusal(
        &self,
        caller: &Caller,
        holding: &Holding,
        generation: u64,
        obtained_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let mut desk = holding.desk();
        if desk.refused == Some(generation) || desk.credential.rotation.generation != generation {
            return Ok(());
        }
        let minimum_age = self.rotator.parts().policy.minimum_token_age;
        admit(obtained_at, &desk.refusals, &caller.refusals(), minimum_age, now)
            .map_err(|moment| Refused::TooSoon(moment.since(now)))?;
        desk.refused = Some(generation);
        desk.refusals.note(now);
        drop(desk);
        caller.refusals().note(now);
        holding.publish();
        Ok(())
    }

    /// The provider refused a token, says the client.
    pub(super) async fn refused(
        &self,
        caller: &Arc<Caller>,
        holding: &Arc<Holding>,
        tag: &TokenTag,
        origin: Origin<'_>,
        asker: Asker<'_>,
    ) -> Result<(), Refused> {
        let parts = self.rotator.parts();
        let served = arc_swap::Guard::into_inner(holding.served());
        let credential = &served.credential;
        let generation = credential.rotation.generation;
        match about(tag, &credential.id, generation) {
            About::Past => return Ok(()),
            About::Future => {
                self.rotator.set_aside(holding, Quarantine::BehindWitness, asker);
                return Ok(());
            }
            About::Current => {}
        }
        let now = parts.timeline.now();
        let record = self.record(caller, credential, "token.refused", "noted", origin);
        self.auditor.write(Deed { record, handout: None }).await?;
        // A login that has ended cannot be renewed too soon: its refusal is answered with what a person must do.
        if is_renewable(credential) {
            let obtained_at = credential.tokens.as_ref().map_or(now, |tokens| tokens.obtained_at);
            self.note_refusal(caller, holding, generation, obtained_at, now)?;
        }
        let waited = match self.rotator.renew_for(asker, holding, Wish::Refused) {
            Ok(flight) => self.wait(flight).await,
            Err(not_now) => Err(not_now),
        };
        self.after_refusal(holding, generation, waited)
    }

    /// A refused token is not handed out again to the one that refused it: either there is a newer one, or an error.
    fn after_refusal(&self, holding: &Holding, generation: u64, waited: Result<(), NotNow>) -> Result<(), Refused> {
        let parts = self.rotator.parts();
        let served = holding.served();
        let credential = &served.credential;
        if credential.rotation.generation > generation {
            return Ok(());
        }
        if !is_renewable(credential) {
            return match &credential.rotation.state {
                State::Quarantine(_) => Err(Refused::Quarantined(name(credential))),
                _ => Err(Refused::Reauth(name(credential))),
            };
        }
        let backoff = holding.desk().backoff.remaining(parts.timeline.monotonic());
        Err(match (waited, backoff) {
            (Err(NotNow::Wait(left)), _) | (Ok(()), Some(left)) => Refused::BackingOff(left),
            (Err(NotNow::Fenced), _) => Refused::Fenced,
            (Err(NotNow::Never(Why::Paused)), _) => Refused::Paused(name(credential)),
            (Ok(()), None) | (Err(NotNow::Stopping | NotNow::Never(_)), _) => Refused::Busy(Duration::from_secs(1)),
        })
    }
}
