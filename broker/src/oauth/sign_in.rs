//! A client gets its first token with a stand-in: it starts a family.

use std::sync::Arc;
use std::time::Duration;

use scorpiox_wire::Secret;
use tracing::error;

use super::OAuth;
use crate::clock::Timestamp;
use crate::domain::credential::Credential;
use crate::domain::stand_in::{Given, Purpose};
use crate::gate::Caller;
use crate::handout::Handout;
use crate::issuer::{Ask, Handed, Origin, Refused};

/// A stock client renews a token with less left than this.
pub const STOCK_RENEWS_AT: Duration = Duration::from_secs(5 * 60);
/// So it is not given one with less than this while a better one can be had.
pub const STOCK_NEEDS: Duration = Duration::from_secs(6 * 60);

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
    /// The token is so near its end that the client would ask again at once, for ever.
    #[error("the token of the login '{credential}' ends in {} s, and a newer one cannot be had at the moment", left.as_secs())]
    Short {
        /// What is left of it.
        left: Duration,
        /// Whose.
        credential: String,
        /// Whether a person must log in.
        mending: Mending,
    },
    /// As for anybody else who asks for a token.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The database does not take it.
    #[error("the broker's storage failed; nothing was changed")]
    Storage,
}

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mending {
    /// The broker tries again by itself.
    Itself,
    /// Somebody must log in.
    LogIn,
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
        if !caller.is_admitted() {
            self.stand_ins.end(&family).await;
            return Err(Refused::Revoked.into());
        }
        if let Err(unavailable) = self.note(caller, &family, "stand_in.issue", origin).await {
            self.stand_ins.end(&family).await;
            return Err(Refused::from(unavailable).into());
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
        let at_least = match purpose {
            Purpose::AuthFile => STOCK_NEEDS,
            Purpose::Gateway => Duration::ZERO,
        };
        let handout = match self.issuer.hand_out(caller, &Ask { at_least, ..ask }, origin).await? {
            Handed::Token(handout) => handout,
            // Nobody asked with a tag of his own.
            Handed::Unchanged(_) => return Err(Refused::Busy(Duration::from_secs(1)).into()),
        };
        match purpose {
            Purpose::AuthFile => lasting(handout),
            Purpose::Gateway => Ok(handout),
        }
    }
}

fn lasting(handout: Handout) -> Result<Handout, Denied> {
    let answer = handout.answer();
    let left = Duration::from_secs(u64::try_from(answer.expires_in).unwrap_or(0));
    if left > STOCK_RENEWS_AT {
        return Ok(handout);
    }
    let Credential { name, .. } = handout.credential();
    let mending = if answer.renewable { Mending::Itself } else { Mending::LogIn };
    Err(Denied::Short { left, credential: name.as_str().to_owned(), mending })
}

pub(super) fn given(handout: &Handout) -> Given {
    let credential = handout.credential();
    Given { credential: credential.id.as_str().to_owned(), generation: credential.rotation.generation }
}
