//! The broker's data as a whole: a backup of it.

use std::path::PathBuf;
use std::sync::Arc;

use scorpiox_wire::admin::BackupRequest;
use scorpiox_wire::{Code, Problem};
use tokio::sync::Mutex;
use tracing::{error, info};

use super::{Administrator, Registrar};
use crate::backup::BackupError;
use crate::backup::collect::{Collection, Sealed};
use crate::backup::envelope::Lock;
use crate::vault::Vault;

/// Where the data lies. A broker that a test put together has none.
pub struct Custody {
    /// The keys.
    pub vault: Arc<Vault>,
    /// The directories of rescue slots.
    pub slots: Vec<PathBuf>,
    /// Whose data it is.
    pub instance: String,
    /// One of these works at a time.
    pub working: Arc<Mutex<()>>,
}

impl Registrar {
    /// Where the data lies from now on.
    pub fn entrust(&self, custody: Custody) {
        // A second one would be the same.
        let _ = self.custody.set(custody);
    }

    /// Where the data lies.
    pub(super) fn custody(&self) -> Result<&Custody, Problem> {
        self.custody
            .get()
            .ok_or_else(|| Problem::new(Code::Unavailable, "the broker is still starting").with_hint("try again"))
    }

    /// Makes a backup of everything. It is on the broker's disk until it is dropped.
    pub async fn backup(&self, by: &Administrator, request: BackupRequest) -> Result<Sealed, Problem> {
        let custody = self.custody()?;
        let lock = match (request.passphrase, request.recipients.as_slice()) {
            (Some(passphrase), []) if !passphrase.is_empty() => Lock::Passphrase(passphrase),
            (None, [_, ..]) => Lock::to(&request.recipients).map_err(|error| not_made(&error))?,
            _ => {
                return Err(Problem::new(
                    Code::BadRequest,
                    "a backup is closed with a passphrase or to recipients: name one of them",
                ));
            }
        };
        let working = Arc::clone(&custody.working).try_lock_owned().map_err(|_| {
            Problem::new(Code::Busy, "another backup is being made").with_hint("try again when it is done")
        })?;
        let parts = self.parts();
        let collection = Collection {
            store: &parts.store,
            vault: &custody.vault,
            slots: custody.slots.clone(),
            activity: &parts.activity,
            instance: custody.instance.clone(),
            now: self.now(),
        };
        let sealed = collection.seal(lock, working).await.map_err(|error| not_made(&error))?;
        info!(bytes = sealed.size, sha256 = sealed.sha256, "a backup was made");
        self.note(by, "broker.backup", "broker", "ok", &format!("sha256 {}", sealed.sha256)).await;
        Ok(sealed)
    }
}

fn not_made(error: &BackupError) -> Problem {
    match error {
        BackupError::Closed(why) => Problem::new(Code::BadRequest, *why),
        BackupError::Io(_) | BackupError::Damaged(_) | BackupError::Place(_) | BackupError::Source(_) => {
            error!(%error, "no backup was made");
            Problem::new(Code::Unavailable, format!("no backup was made: {error}"))
                .with_hint("it needs as much free space as the data directory has data")
        }
    }
}
