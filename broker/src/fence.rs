//! The high-water mark, or the fence that stands where it is missing (matrix S2c).
//!
//! Without a mark nobody can tell whether the database is older than what the provider has seen. A fenced broker
//! serves what it has and renews nothing until an administrator promotes it. The same fence stands around data that came
//! out of a backup; a mark that survived the loss then tells which logins are safe.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use crate::activity::Activity;
use crate::audit_chain::Link;
use crate::backup::marker::Restored;
use crate::clock::Timestamp;
use crate::domain::credential::CredentialId;
use crate::domain::restoration::Evidence;
use crate::domain::rotation::{Mark, Rotation};
use crate::high_water::{HighWater, Position, Reading};
use crate::seal::Sealer;

/// The mark, or why there is none.
#[derive(Clone)]
pub struct Fence {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    instance: String,
    sealer: Sealer,
    activity: Activity,
    standing: RwLock<Standing>,
}

#[derive(Clone)]
enum Standing {
    Marked(Arc<HighWater>),
    Fenced(Arc<Fenced>),
}

/// Why nothing may be renewed, and what is known nevertheless.
#[derive(Debug)]
struct Fenced {
    reason: String,
    /// The mark, when it is whole and only the database is in question.
    survivor: Option<Arc<HighWater>>,
    restored: Option<Restored>,
}

/// How far a credential has come.
pub fn position(rotation: &Rotation) -> Position {
    Position { epoch: rotation.epoch, generation: rotation.generation }
}

impl Fence {
    /// Reads the mark. A missing one is made anew only when no credential was ever armed (`is_new`). Data that was
    /// `restored` from a backup is fenced whatever the mark says.
    pub fn open(
        path: &Path,
        instance: &str,
        sealer: Sealer,
        activity: Activity,
        is_new: bool,
        restored: Option<Restored>,
    ) -> io::Result<Self> {
        let (survivor, mut reason) = match HighWater::read(path, instance, sealer.clone()) {
            Reading::Good(mark) if restored.as_ref().is_some_and(|restored| is_older(&mark, restored)) => {
                (None, Some(format!("the high-water mark {} is older than the backup", path.display())))
            }
            Reading::Good(mark) => (Some(Arc::new(mark)), None),
            Reading::Missing if is_new && restored.is_none() => {
                (Some(Arc::new(HighWater::create(path, instance, sealer.clone())?)), None)
            }
            Reading::Missing => (None, Some(format!("the high-water mark {} is missing", path.display()))),
            Reading::Foreign => {
                (None, Some(format!("the high-water mark {} belongs to another broker", path.display())))
            }
            Reading::Unreadable(why) => (None, Some(format!("the high-water mark cannot be read: {why}"))),
        };
        if let Some(restored) = &restored {
            let taken_at = Timestamp::from_unix(restored.backup.taken_at);
            let without = reason.map(|why| format!(", and {why}")).unwrap_or_default();
            reason = Some(format!("the data was restored from a backup of {taken_at}{without}"));
        }
        let standing = match (survivor, reason) {
            (Some(mark), None) => Standing::Marked(mark),
            (survivor, reason) => {
                let reason = reason.unwrap_or_default();
                Standing::Fenced(Arc::new(Fenced { reason, survivor, restored }))
            }
        };
        let inner = Inner {
            path: path.to_owned(),
            instance: instance.to_owned(),
            sealer,
            activity,
            standing: RwLock::new(standing),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Why nothing may be renewed; `None` when it may.
    pub fn reason(&self) -> Option<String> {
        match self.standing() {
            Standing::Marked(_) => None,
            Standing::Fenced(fenced) => Some(fenced.reason.clone()),
        }
    }

    /// How far a credential had come; `None` without a mark, or for one that it does not know.
    pub fn mark(&self, id: &CredentialId) -> Option<Mark> {
        let at = self.survivor()?.position(id.as_str())?;
        Some(Mark { epoch: at.epoch, generation: at.generation })
    }

    /// When the backup was made that this data was restored from; `None` when it was not, or was promoted since.
    pub fn restored_from(&self) -> Option<Timestamp> {
        let Standing::Fenced(fenced) = self.standing() else { return None };
        fenced.restored.as_ref().map(|restored| Timestamp::from_unix(restored.backup.taken_at))
    }

    /// What is known of a credential of restored data; `None` when the data was not restored.
    pub fn evidence(&self, id: &CredentialId) -> Option<Evidence> {
        let Standing::Fenced(fenced) = self.standing() else { return None };
        let restored = fenced.restored.as_ref()?;
        Some(match &fenced.survivor {
            Some(mark) if mark.was_removed(id.as_str()) => Evidence::Removed,
            Some(_) => Evidence::Mark(self.mark(id)),
            None => Evidence::Backup(restored.reached(id.as_str()).map(|reached| reached.generation)),
        })
    }

    /// The credentials that the mark knows and that are not among these: the database has lost them. `None` without a
    /// mark.
    pub fn unknown_to(&self, known: &BTreeSet<String>) -> Option<Vec<String>> {
        let entries = self.survivor()?.entries();
        Some(entries.into_iter().map(|(id, _)| id).filter(|id| !known.contains(id)).collect())
    }

    /// Raises the mark and syncs it. Behind the fence nothing is marked: promotion writes everything at once.
    pub async fn raise(&self, id: &CredentialId, to: Position) -> io::Result<()> {
        let Standing::Marked(mark) = self.standing() else { return Ok(()) };
        let id = id.as_str().to_owned();
        self.inner.activity.blocking(move || mark.raise(&id, to)).await
    }

    /// Forgets a credential that was removed.
    pub async fn forget(&self, id: &CredentialId) -> io::Result<()> {
        let Standing::Marked(mark) = self.standing() else { return Ok(()) };
        let id = id.as_str().to_owned();
        self.inner.activity.blocking(move || mark.forget(&id)).await
    }

    /// The audit ends here now. Free: it is written along with the next mark.
    pub fn note_audit(&self, newest: Link) {
        if let Standing::Marked(mark) = self.standing() {
            mark.note_audit(newest);
        }
    }

    /// Where the audit ended when the mark was last written; `None` when it never said.
    pub fn audit(&self) -> Option<Link> {
        let Standing::Marked(mark) = self.standing() else { return None };
        Some(mark.audit()).filter(|link| *link != Link::START)
    }

    /// Writes the end of the audit down: for a clean stop, and now and then.
    pub async fn keep_audit(&self) -> io::Result<()> {
        let Standing::Marked(mark) = self.standing() else { return Ok(()) };
        self.inner.activity.blocking(move || mark.keep_audit()).await
    }

    /// An administrator believes the database: a mark at its positions, and the fence is gone. A mark that survived is
    /// raised and never lowered.
    pub async fn promote(&self, positions: BTreeMap<String, Position>) -> io::Result<()> {
        let inner = Arc::clone(&self.inner);
        let standing = self.standing();
        self.inner
            .activity
            .blocking(move || {
                let anew = |positions| HighWater::anew(&inner.path, &inner.instance, inner.sealer.clone(), positions);
                let mark = match &standing {
                    Standing::Fenced(fenced) => match &fenced.survivor {
                        Some(survivor) => {
                            positions.iter().try_for_each(|(id, position)| survivor.raise(id, *position))?;
                            // The entries that it remembers are gone with what came after the backup.
                            if fenced.restored.is_some() {
                                survivor.forget_audit()?;
                            }
                            Arc::clone(survivor)
                        }
                        None => Arc::new(anew(positions)?),
                    },
                    // Somebody was faster: a mark that is in use is never written from elsewhere.
                    Standing::Marked(_) => return Ok(()),
                };
                // The mark first: a stop in between leaves a fence that can be promoted once more.
                if let Standing::Fenced(fenced) = &standing
                    && let Some(restored) = &fenced.restored
                {
                    restored.forget()?;
                }
                *inner.standing.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Standing::Marked(mark);
                Ok(())
            })
            .await
    }

    /// The mark, whether or not a fence stands.
    fn survivor(&self) -> Option<Arc<HighWater>> {
        match self.standing() {
            Standing::Marked(mark) => Some(mark),
            Standing::Fenced(fenced) => fenced.survivor.clone(),
        }
    }

    fn standing(&self) -> Standing {
        self.inner.standing.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
/// A mark that knows less than the backup was left over from before it, and tells nothing of what came after. Generations
/// decide: a claim that was given up counts an epoch without the mark, and who never renewed need not be in it.
fn is_older(mark: &HighWater, restored: &Restored) -> bool {
    let reached = restored.backup.credentials.iter().filter(|reached| !mark.was_removed(&reached.id));
    reached.into_iter().any(|reached| reached.generation > mark.position(&reached.id).map_or(1, |at| at.generation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MasterKey;

    const BACKUP: &str = r#"{"progress":"complete","backup":{"format":1,"version":"0","instance":"i","taken_at":0,
        "key_id":"k","credentials":[{"id":"c","name":"main","epoch":5,"generation":5}],"members":[]}}"#;

    #[test]
    fn a_mark_that_is_older_than_the_backup_is_no_evidence() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("restored"), BACKUP).unwrap();
        for (generation, counts) in [(4, false), (5, true), (8, true)] {
            let path = directory.path().join(format!("mark-{generation}"));
            let sealer = Sealer::new(&MasterKey::from_bytes([1; 32]));
            let position = Position { epoch: 8, generation };
            HighWater::anew(&path, "i", sealer.clone(), BTreeMap::from([("c".to_owned(), position)])).unwrap();
            let restored = Restored::read(directory.path()).unwrap();
            let fence = Fence::open(&path, "i", sealer, Activity::default(), false, restored).unwrap();
            let evidence = fence.evidence(&CredentialId::from_stored("c".into()));
            assert_eq!(matches!(evidence, Some(Evidence::Mark(Some(_)))), counts, "{generation}: {evidence:?}");
            assert!(fence.reason().unwrap().contains("older than the backup") != counts);
        }
    }
}
