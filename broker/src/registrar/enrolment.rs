//! A login becomes a credential, or the next generation of one. Sealed and committed before anybody is told.

use std::sync::Arc;

use aws_lc_rs::rand;
use scorpiox_wire::admin::{CredentialView, ImportRequest};
use scorpiox_wire::{Code, Problem};
use tokio::sync::MutexGuard;

use super::{Administrator, Registrar, storage};
use crate::domain::answer::TokenGrant;
use crate::domain::credential::{Credential, CredentialId, Name, Owner, Pause};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::restoration::Evidence;
use crate::domain::rotation::{Quarantine, Rotation};
use crate::domain::token_set::TokenSet;
use crate::fence::position;
use crate::holding::Holding;
use crate::provider::codex::{UnverifiedClaims, identity};
use crate::store::Swap;

/// May an existing name get another account's login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// Only the same account's.
    SameAccount,
    /// Any.
    AnyAccount,
}

impl From<bool> for Replace {
    fn from(replace_account: bool) -> Self {
        if replace_account { Self::AnyAccount } else { Self::SameAccount }
    }
}

/// A life for tokens whose end nobody knows: short, so that the first renewal finds out.
const UNKNOWN_LIFE: std::time::Duration = std::time::Duration::from_secs(60 * 60);

impl Registrar {
    /// Takes over a login that exists elsewhere. Its source must not be used any more.
    pub async fn import(&self, by: &Administrator, request: &ImportRequest) -> Result<CredentialView, Problem> {
        let bad = |what: &str| Problem::new(Code::BadRequest, format!("this login cannot be taken over: {what}"));
        if request.refresh_token.is_empty() {
            return Err(bad("it has no refresh token").with_hint("log in instead: scorpiox-broker login"));
        }
        if request.access_token.is_empty() {
            return Err(bad("it has no access token"));
        }
        if request.account_id.is_empty() {
            return Err(bad("it has no account id").with_hint("log in instead: scorpiox-broker login"));
        }
        let fingerprint = self.parts().sealer.fingerprint(&request.refresh_token);
        self.refuse_seen(fingerprint).await?;
        let mut claimed = identity(request.access_token.expose(), request.id_token.expose());
        if claimed.account_id.as_ref().is_some_and(|account| *account != request.account_id) {
            return Err(bad("its account id is not the one in its tokens"));
        }
        claimed.account_id = Some(request.account_id.clone());
        let now = self.now();
        let exp = UnverifiedClaims::read(request.access_token.expose()).exp;
        let grant = TokenGrant {
            access_token: request.access_token.clone(),
            refresh_token: Some(request.refresh_token.clone()),
            id_token: (!request.id_token.is_empty()).then(|| request.id_token.clone()),
            expires_at: exp.map_or(now + UNKNOWN_LIFE, crate::clock::Timestamp::from_unix),
            earliest_refresh_at: None,
            identity: claimed,
        };
        let changing = self.changing.lock().await;
        // Once more: whoever imported the same file at the same time has redeemed its token by now, maybe.
        self.refuse_seen(fingerprint).await?;
        self.enrol_alone(&changing, by, "credential.import", &request.name, &grant, request.replace_account.into())
            .await
    }

    async fn refuse_seen(&self, fingerprint: Fingerprint) -> Result<(), Problem> {
        let seen = self.parts().store.seen(fingerprint).await.map_err(|error| storage(&error))?;
        let Some(seen) = seen else { return Ok(()) };
        let owner = seen.name.map_or("a credential that was removed".to_owned(), |name| format!("'{name}'"));
        Err(Problem::new(
            Code::Conflict,
            format!("this refresh token is or was owned by {owner}: taking it over again would end the login"),
        )
        .with_hint("delete the copy you have; to renew the login itself: scorpiox-broker login --name NAME"))
    }

    /// Puts a login in: a new credential, or the next token set of an existing one, from every state it may be in.
    pub(super) async fn enrol(
        &self,
        by: &Administrator,
        action: &str,
        name: &str,
        grant: &TokenGrant,
        replace: Replace,
    ) -> Result<CredentialView, Problem> {
        let changing = self.changing.lock().await;
        self.enrol_alone(&changing, by, action, name, grant, replace).await
    }

    async fn enrol_alone(
        &self,
        _changing: &MutexGuard<'_, ()>,
        by: &Administrator,
        action: &str,
        name: &str,
        grant: &TokenGrant,
        replace: Replace,
    ) -> Result<CredentialView, Problem> {
        let name = Name::parse(name).map_err(|error| Problem::new(Code::BadRequest, error.to_string()))?;
        let owner = owner(grant)?;
        let tokens = self.tokens(grant)?;
        self.refuse_second_name(&name, &owner)?;
        let holding = match self.parts().holdings.named(name.as_str()) {
            Some(holding) => {
                self.replace(&holding, tokens, owner, grant, replace).await?;
                holding
            }
            None => self.insert(name.clone(), tokens, owner, grant).await?,
        };
        let reached = position(&holding.desk().credential.rotation);
        if let Err(error) = self.parts().fence.raise(holding.id(), reached).await {
            tracing::error!(%error, "the high-water mark could not be raised");
        }
        holding.publish();
        self.rotator.wake();
        self.note(by, action, &format!("credential:{name}"), "ok", "").await;
        Ok(self.view(&holding))
    }

    async fn insert(
        &self,
        name: Name,
        tokens: TokenSet,
        owner: Owner,
        grant: &TokenGrant,
    ) -> Result<Arc<Holding>, Problem> {
        let now = self.now();
        let credential = Credential {
            id: CredentialId::from_random(random()),
            name,
            owner,
            email: grant.identity.email.clone(),
            plan_type: grant.identity.plan_type.clone(),
            created_at: now,
            pause: Pause::None,
            rotation: Rotation::begun(1, 0),
            tokens: Some(tokens),
        };
        self.parts().store.insert_credential(&credential, now).await.map_err(|error| storage(&error))?;
        let holding = Arc::new(Holding::new(credential));
        self.parts().holdings.add(&holding);
        Ok(holding)
    }

    async fn replace(
        &self,
        holding: &Arc<Holding>,
        tokens: TokenSet,
        owner: Owner,
        grant: &TokenGrant,
        replace: Replace,
    ) -> Result<(), Problem> {
        let _writing = holding.writing.lock().await;
        let mut before = holding.desk().credential.clone();
        if let Some(Evidence::Backup(_)) = self.parts().fence.evidence(holding.id()) {
            // Clients may have been given newer generations in the time that was lost: the login begins beyond them.
            before.rotation = before.rotation.quarantined(Quarantine::Restored);
        }
        let same = before.owner.accepts(&grant.identity) && before.owner.account_id == owner.account_id;
        if !same && replace == Replace::SameAccount {
            let name = &before.name;
            return Err(Problem::new(Code::Conflict, format!("'{name}' is another account's login"))
                .with_hint("choose another --name, or add --replace-account if its clients should move too"));
        }
        let mark = self.parts().fence.mark(holding.id());
        let next = before.replaced_by(tokens, owner, &grant.identity, mark);
        let settled = self.parts().store.settle(&next, before.rotation.generation, self.now()).await;
        match settled.map_err(|error| storage(&error))? {
            Swap::Superseded => {
                Err(Problem::new(Code::Busy, "a renewal was being saved at this moment").with_hint("try again"))
            }
            Swap::Done => {
                let mut desk = holding.desk();
                desk.credential = Credential { pause: desk.credential.pause, ..next };
                desk.backoff.succeed();
                desk.refused = None;
                desk.last_failure = None;
                desk.noted = None;
                Ok(())
            }
        }
    }

    /// The same person's login under two names would be two families of tokens that evict each other (*P 25*).
    fn refuse_second_name(&self, name: &Name, owner: &Owner) -> Result<(), Problem> {
        let other = self.parts().holdings.all().into_iter().find(|holding| {
            let served = holding.served();
            served.credential.owner == *owner && served.credential.name != *name
        });
        let Some(other) = other else { return Ok(()) };
        let other = other.served().credential.name.clone();
        Err(Problem::new(Code::Conflict, format!("this account's login is already owned by '{other}'"))
            .with_hint(format!("to give '{other}' new tokens: --name {other}")))
    }

    fn tokens(&self, grant: &TokenGrant) -> Result<TokenSet, Problem> {
        let Some(refresh_token) = grant.refresh_token.clone() else {
            return Err(Problem::new(Code::BadRequest, "the login has no refresh token"));
        };
        Ok(TokenSet {
            access_token: grant.access_token.clone(),
            fingerprint: self.parts().sealer.fingerprint(&refresh_token),
            refresh_token,
            id_token: grant.id_token.clone(),
            expires_at: grant.expires_at,
            obtained_at: self.now(),
            earliest_refresh_at: grant.earliest_refresh_at,
        })
    }
}

fn owner(grant: &TokenGrant) -> Result<Owner, Problem> {
    let Some(account_id) = grant.identity.account_id.clone() else {
        return Err(Problem::new(Code::BadRequest, "the login's tokens name no ChatGPT account"));
    };
    Ok(Owner { account_id, user_id: grant.identity.user_id.clone() })
}

/// Random bytes for an id or a key.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the machine has a random source");
    bytes
}
