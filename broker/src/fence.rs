//! The high-water mark, or the fence that stands where it is missing (matrix S2c).
//!
//! Without a mark nobody can tell whether the database is older than what the provider has seen. A fenced broker
//! serves what it has and renews nothing until an administrator promotes it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use crate::activity::Activity;
use crate::audit_chain::Link;
use crate::domain::credential::CredentialId;
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
    Fenced(String),
}

/// How far a credential has come.
pub fn position(rotation: &Rotation) -> Position {
    Position { epoch: rotation.epoch, generation: rotation.generation }
}

impl Fence {
    /// Reads the mark. A missing one is made anew only when no credential was ever armed (`is_new`).
    pub fn open(path: &Path, instance: &str, sealer: Sealer, activity: Activity, is_new: bool) -> io::Result<Self> {
        let standing = match HighWater::read(path, instance, sealer.clone()) {
            Reading::Good(mark) => Standing::Marked(Arc::new(mark)),
            Reading::Missing if is_new => {
                Standing::Marked(Arc::new(HighWater::create(path, instance, sealer.clone())?))
            }
            Reading::Missing => Standing::Fenced(format!("the high-water mark {} is missing", path.display())),
            Reading::Foreign => {
                Standing::Fenced(format!("the high-water mark {} belongs to another broker", path.display()))
            }
            Reading::Unreadable(why) => Standing::Fenced(format!("the high-water mark cannot be read: {why}")),
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
            Standing::Fenced(reason) => Some(reason),
        }
    }

    /// How far a credential had come; `None` without a mark, or for one that it does not know.
    pub fn mark(&self, id: &CredentialId) -> Option<Mark> {
        match self.standing() {
            Standing::Marked(mark) => {
                mark.position(id.as_str()).map(|at| Mark { epoch: at.epoch, generation: at.generation })
            }
            Standing::Fenced(_) => None,
        }
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

    /// An administrator believes the database: a new mark at its positions, and the fence is gone.
    pub async fn promote(&self, positions: BTreeMap<String, Position>) -> io::Result<()> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .activity
            .blocking(move || {
                let mark = HighWater::anew(&inner.path, &inner.instance, inner.sealer.clone(), positions)?;
                *inner.standing.write().unwrap_or_else(std::sync::PoisonError::into_inner) =
                    Standing::Marked(Arc::new(mark));
                Ok(())
            })
            .await
    }

    fn standing(&self) -> Standing {
        self.inner.standing.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
