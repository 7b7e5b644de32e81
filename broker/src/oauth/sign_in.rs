//! A client gets its first token with a stand-in: it starts a family.

use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::Secret;
use tracing::error;

use super::OAuth;
use crate::clock::Timestamp;
use crate::domain::stand_in::{Given, Purpose};
use crate::gate::Caller;
use crate::handout::Handout;
use crate::issuer::{Ask, Handed, Origin, Refused};

/// A stock client renews a token with less left than this.
pub const STOCK_RENEWS_AT: Duration = Duration::from_secs(5 * 60);
/// So it is not given one with less than this while a better one can be had.
pub const STOCK_NEEDS: Duration = Duration::from_secs(6 * 60);
const SOON: Duration = Duration::from_secs(1);

/// A token, and the stand-in to come back with.
#[derive(Debug)]
pub struct SignedIn {
    /// The token.
    pub handout: Handout,
    /// The stand-in.
    pub stand_in: Secret,
    /// Who it was made for.
    pub purpose: Purpose,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The stand-in is unknown, has ended, or its client was revoked.
    #[error("this refresh token has ended, or was never issued here")]
    Invalidated,
    /// There are two copies of the stand-in; all of its family have ended.
    #[error("this refresh token was replaced long ago and is in use elsewhere: the file was copied")]
    Reused,
    /// As for anybody else who asks for a token.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The database does not take it.
    #[error("the broker's storage failed; nothing was changed")]
    Storage,
}

impl SignedIn {
    /// An unsigned id token that goes with it.
    pub fn id_token(&self) -> Secret {
        let answer = self.handout.answer();
        let issued_at = Timestamp::from_unix(answer.expires_at - answer.expires_in);
        super::id_token::of(self.handout.credential(), issued_at, Timestamp::from_unix(answer.expires_at))
    }
}

impl OAuth {
    /// Gives a client a token and the first stand-in of a new family.
    pub async fn sign_in(
        &self,
        caller: &Arc<Caller>,
        purpose: Purpose,
        origin: Origin<'_>,
    ) -> Result<SignedIn, Denied> {
        let handout = self.handed(caller, purpose, Ask::default(), origin).await?;
        let begun = self.stand_ins.begin(&caller.client, purpose, given(&handout), self.timeline.now()).await;
        let (family, stand_in) = begun.map_err(|error| {
            error!(client = %caller.client.name, %error, "no stand-in was issued: the database does not take it");
            Denied::Storage
        })?;
        // Revoked meanwhile: at the next look it would be found out, but nothing should leave at all.
        let noted = match self.issuer.still_admitted(caller) {
            Ok(()) => self.note(caller, &family, "stand_in.issue", origin).await.map_err(Refused::from),
            Err(refused) => Err(refused),
        };
        if let Err(refused) = noted.and_then(|()| self.issuer.still_admitted(caller)) {
            self.stand_ins.end(&family).await;
            return Err(self.denied(caller, refused));
        }
        Ok(SignedIn { handout, stand_in, purpose })
    }

    /// A token that lasts long enough for this kind of client.
    pub(super) async fn handed(
        &self,
        caller: &Arc<Caller>,
        purpose: Purpose,
        ask: Ask,
        origin: Origin<'_>,
    ) -> Result<Handout, Denied> {
        let ask = match purpose {
            // With less it would ask again at once, for ever.
            Purpose::AuthFile => Ask { at_least: STOCK_NEEDS, floor: STOCK_RENEWS_AT, ..ask },
            Purpose::Gateway => ask,
        };
        match self.issuer.hand_out(caller, &ask, origin).await {
            Ok(Handed::Token(handout)) => Ok(handout),
            // Nobody asked with a tag of his own.
            Ok(Handed::Unchanged(_)) => Err(Refused::Busy(SOON).into()),
            Err(refused) => Err(self.denied(caller, refused)),
        }
    }

    /// A revocation that the disk does not take is taken back. To a request that came in between, "revoked" would be a
    /// verdict for good; it asks again instead.
    pub(super) fn denied(&self, caller: &Caller, refused: Refused) -> Denied {
        match refused {
            Refused::Revoked if self.gate.holder_of(&caller.client.key_id).is_some() => Refused::Busy(SOON).into(),
            refused => refused.into(),
        }
    }
}

pub(super) fn given(handout: &Handout) -> Given {
    let credential = handout.credential();
    Given { credential: credential.id.as_str().to_owned(), generation: credential.rotation.generation }
}
