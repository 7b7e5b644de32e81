//! A client comes back with its stand-in.
//!
//! It needs no other credential: whose the stand-in is, the family says. A client's word that its token was refused is
//! about the token that went out with the stand-in which it presents, so eight processes that share one file and say so
//! one after the other cost one rotation, and those that come late cost none.

use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::TokenTag;
use tracing::{error, info};

use super::OAuth;
use super::sign_in::{Denied, STOCK_NEEDS, SignedIn, given};
use super::stand_ins::{Dead, Family, Unknown};
use crate::clock::Timestamp;
use crate::domain::stand_in::{Given, Purpose};
use crate::gate::Caller;
use crate::handout::Handout;
use crate::issuer::{Ask, Origin};

/// Why a client says that it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its token ends soon.
    Ending,
    /// Its token was refused.
    Refused,
    /// It does not say: older stock clients, and everybody else's.
    Unsaid,
}

impl Reason {
    /// The stock CLI's `refresh_reason`.
    pub fn of(text: Option<&str>) -> Self {
        match text {
            Some("proactive_expiry") => Self::Ending,
            Some("unauthorized_recovery") => Self::Refused,
            Some(_) | None => Self::Unsaid,
        }
    }
}

impl From<Dead> for Denied {
    fn from(dead: Dead) -> Self {
        match dead {
            Dead::Unknown(_) => Self::Invalidated,
            Dead::Reused(_) => Self::Reused,
        }
    }
}

impl From<Unknown> for Denied {
    fn from(_: Unknown) -> Self {
        Self::Invalidated
    }
}

impl OAuth {
    /// A token for whoever holds this stand-in.
    pub async fn renew(&self, stand_in: &str, reason: Reason, origin: Origin<'_>) -> Result<SignedIn, Denied> {
        let (family, number) = self.stand_ins.recognise(stand_in)?;
        let Some(caller) = self.gate.holder_of(&family.key_id) else {
            // Revoked, or given another key. The family is not ended: a revocation that cannot be written down is taken
            // back. Those of clients that stay away end with the next start.
            return Err(Denied::Invalidated);
        };
        let held = match family.admit(number, self.timeline.now()) {
            Ok(held) => held,
            Err(dead) => return Err(self.buried(&caller, &family, dead, origin).await),
        };
        let handout = self.renewed(&caller, family.purpose, held, reason, origin).await?;
        match self.stand_ins.advance(&family, number, given(&handout), self.timeline.now()).await {
            Ok(stand_in) => match self.issuer.still_admitted(&caller) {
                Ok(()) => Ok(SignedIn { handout, stand_in, purpose: family.purpose }),
                Err(refused) => Err(self.denied(&caller, refused)),
            },
            Err(dead) => Err(self.buried(&caller, &family, dead, origin).await),
        }
    }

    /// Ends the family that this stand-in is of, whoever asks: the login itself is not touched. Silent about what it
    /// does not know (RFC 7009 section 2.2).
    pub async fn revoke(&self, stand_in: &str, origin: Origin<'_>) {
        let Ok((family, _)) = self.stand_ins.recognise(stand_in) else { return };
        if self.stand_ins.end(&family).await
            && let Some(caller) = self.gate.holder_of(&family.key_id)
            && self.note(&caller, &family, "stand_in.revoke", origin).await.is_err()
        {
            error!(client = %caller.client.name, stand_in = %family.id, "a stand-in was revoked; this is in this log only");
        }
    }

    async fn renewed(
        &self,
        caller: &Arc<Caller>,
        purpose: Purpose,
        held: Option<Given>,
        reason: Reason,
        origin: Origin<'_>,
    ) -> Result<Handout, Denied> {
        let refused = held.map(|given| TokenTag { credential: given.credential, generation: given.generation });
        let refused = match (purpose, reason) {
            (Purpose::Gateway, _) | (_, Reason::Ending) => None,
            (Purpose::AuthFile, Reason::Refused) => refused,
            (Purpose::AuthFile, Reason::Unsaid) => {
                let refused = refused.filter(|tag| lasts(caller, tag, self.timeline.now()));
                if let Some(tag) = refused {
                    let ask = Ask { refused: Some(tag), ..Ask::default() };
                    if let Ok(handout) = self.handed(caller, purpose, ask, origin).await {
                        return Ok(handout);
                    }
                }
                // It did not say that its token was refused, so it may have it again.
                None
            }
        };
        self.handed(caller, purpose, Ask { refused, ..Ask::default() }, origin).await
    }

    /// A stand-in that is dead; one that was copied takes its family along.
    async fn buried(&self, caller: &Caller, family: &Arc<Family>, dead: Dead, origin: Origin<'_>) -> Denied {
        if let Dead::Reused(_) = dead
            && self.stand_ins.end(family).await
        {
            info!(client = %caller.client.name, stand_in = %family.id, "a replaced stand-in came back: its file was copied");
            if self.note(caller, family, "stand_in.reused", origin).await.is_err() {
                error!(client = %caller.client.name, stand_in = %family.id, "a stand-in was copied; this is in this log only");
            }
        }
        dead.into()
    }
}

/// Whether the token of this tag is still handed out, and need not be renewed because it ends soon.
fn lasts(caller: &Caller, tag: &TokenTag, now: Timestamp) -> bool {
    let Some(holding) = &caller.holding else { return false };
    let served = holding.served();
    let credential = &served.credential;
    let is_current = credential.id.as_str() == tag.credential && credential.rotation.generation == tag.generation;
    let left = credential.tokens.as_ref().map_or(Duration::ZERO, |tokens| tokens.expires_at.since(now));
    is_current && left > STOCK_NEEDS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stock_clients_reasons_are_told_apart() {
        for (text, reason) in [
            (Some("proactive_expiry"), Reason::Ending),
            (Some("unauthorized_recovery"), Reason::Refused),
            (Some("something_new"), Reason::Unsaid),
            (None, Reason::Unsaid),
        ] {
            assert_eq!(Reason::of(text), reason);
        }
    }
}
