//! The end of a fence: first said, then done.

use std::collections::BTreeSet;
use std::sync::Arc;

use scorpiox_wire::admin::{LoginStanding, PromoteRequest, PromotionLogin, PromotionView, UnknownLogins};
use scorpiox_wire::{Code, Problem};

use super::{Administrator, Registrar, storage};
use crate::domain::restoration::{Evidence, Standing, standing};
use crate::domain::rotation::Quarantine;
use crate::holding::Holding;
use crate::store::Swap;

impl Registrar {
    /// What a promotion would do to each login. Changes nothing.
    pub fn promotion(&self) -> PromotionView {
        let fence = &self.parts().fence;
        let mut holdings = self.parts().holdings.all();
        holdings.sort_by_key(|holding| holding.served().credential.name.as_str().to_owned());
        let known: BTreeSet<String> = holdings.iter().map(|holding| holding.id().as_str().to_owned()).collect();
        let restored_from = fence.restored_from();
        PromotionView {
            fenced: fence.reason(),
            lost_logins: restored_from.map_or_else(|| Some(Vec::new()), |_| fence.unknown_to(&known)),
            restored_from: restored_from.map(crate::clock::Timestamp::as_unix),
            logins: holdings.iter().map(|holding| self.prospect(holding)).collect(),
        }
    }

    fn prospect(&self, holding: &Holding) -> PromotionLogin {
        let standing = self.standing(holding);
        let name = holding.served().credential.name.as_str().to_owned();
        let next = match standing {
            Standing::Safe | Standing::InDoubt => None,
            Standing::Behind | Standing::Ended | Standing::Unknown => {
                Some(format!("scorpiox-broker login --name {name}"))
            }
            Standing::Removed => Some(format!("scorpiox-broker credential remove {name}")),
        };
        PromotionLogin { name, standing: in_contract(standing), next }
    }

    fn standing(&self, holding: &Holding) -> Standing {
        // Of data that only lost its mark nothing is known but what an administrator says of all of it.
        let evidence = self.parts().fence.evidence(holding.id()).unwrap_or(Evidence::Backup(None));
        standing(&holding.desk().credential, evidence)
    }

    /// Believes the database: a high-water mark at its positions, and renewals begin again. Of restored data, what may
    /// have been presented since is set aside first. Goes on also when nobody waits for it: what is in the database
    /// must come into memory.
    pub async fn promote(self: &Arc<Self>, by: &Administrator, request: PromoteRequest) -> Result<(), Problem> {
        let (registrar, by) = (Arc::clone(self), by.clone());
        let promoting = self.rotator.runtime().spawn(async move { registrar.end_fence(&by, request).await });
        promoting.await.unwrap_or_else(|_| {
            let problem = Problem::new(Code::Unavailable, "the promotion was stopped by a bug");
            Err(problem.with_hint("look at the log, then: scorpiox-broker promote --check"))
        })
    }

    async fn end_fence(&self, by: &Administrator, request: PromoteRequest) -> Result<(), Problem> {
        let _changing = self.changing.lock().await;
        let fence = &self.parts().fence;
        if fence.reason().is_none() {
            return Ok(());
        }
        let backup = fence.restored_from().map(|at| format!("restored from the backup of {at}"));
        for holding in self.parts().holdings.all() {
            match (self.standing(&holding), request.unknown) {
                (Standing::Removed, _) | (Standing::Unknown, UnknownLogins::SetAside) => {
                    self.set_restored_aside(&holding).await?;
                }
                (Standing::Unknown, UnknownLogins::Try) => {}
                (Standing::Safe | Standing::InDoubt | Standing::Behind | Standing::Ended, _) => {}
            }
        }
        // The anchors tell of entries that were written since the backup, and are gone. First, so that a promotion which
        // was cut off does it again.
        if backup.is_some() {
            self.begin_anchors(by).await?;
        }
        let positions = self.parts().holdings.all().into_iter().map(|holding| {
            let rotation = holding.desk().credential.rotation.clone();
            (holding.id().as_str().to_owned(), crate::fence::position(&rotation))
        });
        fence.promote(positions.collect()).await.map_err(|error| {
            Problem::new(Code::Unavailable, format!("the high-water mark cannot be written: {error}"))
        })?;
        self.rotator.wake();
        self.note(by, "broker.promote", "broker", "ok", &backup.unwrap_or_default()).await;
        Ok(())
    }

    /// On the disk before the fence is gone: a stop in between presents nothing.
    async fn set_restored_aside(&self, holding: &Arc<Holding>) -> Result<(), Problem> {
        let _writing = holding.writing.lock().await;
        let before = holding.desk().credential.rotation.clone();
        let after = before.quarantined(Quarantine::Restored);
        let advanced = self.parts().store.advance(holding.id(), &before, &after).await;
        match advanced.map_err(|error| storage(&error))? {
            Swap::Superseded => {
                Err(Problem::new(Code::Busy, "a login was being saved at this moment").with_hint("try again"))
            }
            Swap::Done => {
                holding.desk().credential.rotation = after;
                holding.publish();
                Ok(())
            }
        }
    }
}

fn in_contract(standing: Standing) -> LoginStanding {
    match standing {
        Standing::Safe => LoginStanding::Safe,
        Standing::InDoubt => LoginStanding::InDoubt,
        Standing::Behind => LoginStanding::Behind,
        Standing::Ended => LoginStanding::Ended,
        Standing::Removed => LoginStanding::Removed,
        Standing::Unknown => LoginStanding::Unknown,
    }
}
