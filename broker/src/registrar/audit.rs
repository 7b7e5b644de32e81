//! Who did what: read, proved, and its oldest part let go of.

use std::sync::Arc;

use scorpiox_wire::admin::{AuditEntry, AuditVerdict, Page};
use scorpiox_wire::{Code, Problem};
use tracing::{error, info};

use super::{Administrator, Registrar, storage};
use crate::anchors::{Anchors, Loss, examine};
use crate::audit_chain::{Entry, Fault, Link, Verifier};
use crate::clock::Timestamp;
use crate::store::checkpoint::{Beginning, Checkpoint};

/// Entries checked per read: bounds memory on a long audit.
const PAGE: u32 = 1_000;

/// What is known of the audit elsewhere than in the database.
struct Known {
    links: Vec<Link>,
    anchors: u64,
    loss: Option<Loss>,
}

impl Registrar {
    /// Entries after `seq`, oldest first; without one, the newest, which nothing follows.
    pub async fn audit(&self, after: Option<u64>, limit: u32) -> Result<Page<AuditEntry>, Problem> {
        let store = &self.parts().store;
        let entries = match after {
            Some(seq) => store.audit_after(seq, limit + 1).await,
            None => store.audit_tail(limit).await,
        };
        let entries = entries.map_err(|error| storage(&error))?;
        Ok(Page::cut(entries.iter().map(Entry::to_wire).collect(), limit, |entry| entry.seq.to_string()))
    }

    /// From here on the audit is anchored there.
    pub fn anchor_in(&self, anchors: Arc<Anchors>) {
        assert!(self.anchors.set(anchors).is_ok(), "it is anchored in one file");
    }

    /// Goes through the whole chain, and holds it against what is known of it elsewhere.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, Problem> {
        let _alone = self.auditing.lock().await;
        let beginning = self.parts().store.audit_beginning().await.map_err(|error| storage(&error))?;
        let known = self.known().await?;
        let mut verdict = AuditVerdict { anchors: known.anchors, ..AuditVerdict::default() };
        let start = match beginning {
            Beginning::Start => Link::START,
            Beginning::After(checkpoint) => {
                verdict.removed = checkpoint.count;
                checkpoint.link
            }
            Beginning::Forged => {
                verdict.reason = Some("its checkpoint was forged or changed: entries may have been removed".to_owned());
                return Ok(verdict);
            }
        };
        match self.go_through(start, known.links, &mut verdict.entries).await? {
            Err(fault) => {
                verdict.first_bad = Some(fault.seq);
                verdict.reason = Some(fault.reason.to_string());
            }
            Ok(()) => verdict.reason = known.loss.map(|loss| loss.to_string()),
        }
        Ok(verdict)
    }

    async fn go_through(&self, start: Link, known: Vec<Link>, entries: &mut u64) -> Result<Result<(), Fault>, Problem> {
        let mut verifier = Verifier::new(&self.parts().sealer, start, known);
        // Whatever was put before the beginning does not belong there: the first page is the table's.
        let mut after = 0;
        loop {
            let page = self.parts().store.audit_after(after, PAGE).await.map_err(|error| storage(&error))?;
            let Some(last) = page.last() else { return Ok(verifier.finish().map(drop)) };
            after = last.link.seq;
            for entry in &page {
                if let Err(fault) = verifier.check(entry) {
                    return Ok(Err(fault));
                }
                *entries += 1;
            }
        }
    }

    /// The mark's newest entry and the anchors.
    async fn known(&self) -> Result<Known, Problem> {
        let mut known = Known { links: self.parts().fence.audit().into_iter().collect(), anchors: 0, loss: None };
        if let Some(anchors) = self.anchors.get().cloned() {
            let anchored = self.parts().store.anchored().await.map_err(|error| storage(&error))?;
            let reading = self.parts().activity.blocking(move || anchors.read()).await;
            let (anchors, loss) = examine(reading, anchored);
            known.anchors = anchors.len() as u64;
            known.links.extend(anchors.iter().map(|anchor| anchor.link));
            known.loss = loss;
        }
        Ok(known)
    }

    /// Removes entries that are older than `cutoff`, once each of them is proved, and leaves a checkpoint in their place.
    /// The newest entry always stays. Answers how many were removed.
    pub async fn prune_audit(&self, by: &Administrator, cutoff: Timestamp) -> Result<u64, Problem> {
        let alone = self.auditing.lock().await;
        let store = &self.parts().store;
        let (mut last, before) = match store.audit_beginning().await.map_err(|error| storage(&error))? {
            Beginning::Start => (Link::START, 0),
            Beginning::After(checkpoint) => (checkpoint.link, checkpoint.count),
            Beginning::Forged => return Err(broken("its checkpoint was forged or changed")),
        };
        let Some(kept) = store.first_kept(cutoff).await.map_err(|error| storage(&error))? else { return Ok(0) };
        let mut verifier = Verifier::new(&self.parts().sealer, last, self.known().await?.links);
        let mut removed = 0;
        loop {
            let page = store.audit_after(last.seq, PAGE).await.map_err(|error| storage(&error))?;
            let old: Vec<&Entry> = page.iter().take_while(|entry| entry.link.seq < kept).collect();
            for entry in &old {
                verifier.check(entry).map_err(|fault| broken(&fault.to_string()))?;
            }
            let Some(newest) = old.last() else { break };
            last = newest.link;
            removed += old.len() as u64;
            let checkpoint = Checkpoint { link: last, count: before + removed, at: self.now() };
            store.prune_audit(&checkpoint).await.map_err(|error| storage(&error))?;
        }
        self.prune_handouts(cutoff).await;
        drop(alone);
        if removed > 0 {
            info!(removed, up_to = last.seq, "old entries of the audit were removed");
            let detail = format!("{removed} entries, up to {}", last.seq);
            self.note(by, "audit.prune", "audit", "ok", &detail).await;
        }
        Ok(removed)
    }

    /// Hand-outs of tokens that ended before `cutoff` go with the entries that tell of them. By no date that nobody has
    /// confirmed: a token that is good for another day must not be taken for one that ended.
    async fn prune_handouts(&self, cutoff: Timestamp) {
        let Some(now) = self.parts().timeline.confirmed_now() else { return };
        if let Err(error) = self.parts().store.prune_handouts(cutoff.min(now)).await {
            error!(%error, "hand-outs of tokens that have ended were not removed; they are with the next pruning");
        }
    }

    /// Puts the anchor file aside: the next anchor begins a new one. For a file that was lost, or does not fit any more.
    pub async fn begin_anchors(&self, by: &Administrator) -> Result<(), Problem> {
        let _alone = self.auditing.lock().await;
        let Some(anchors) = self.anchors.get().cloned() else { return Ok(()) };
        let now = self.now();
        // Kept by the effect: it goes on also when nobody waits for it any more.
        let turn = anchors.turn().await;
        self.parts().store.set_anchored(0).await.map_err(|error| storage(&error))?;
        self.parts().activity.blocking(move || anchors.set_aside(&turn, now)).await.map_err(|error| {
            error!(%error, "the anchor file was not put aside");
            Problem::new(Code::Unavailable, format!("the anchor file was not put aside: {error}"))
        })?;
        self.note(by, "audit.begin_anchors", "audit", "ok", "").await;
        Ok(())
    }
}

fn broken(why: &str) -> Problem {
    Problem::new(Code::Conflict, format!("the audit is not whole, and nothing was removed: {why}"))
        .with_hint("scorpiox-broker audit --verify")
}
