//! A change of the master key.

use std::path::PathBuf;
use std::sync::Arc;

use scorpiox_wire::admin::{RekeyRequest, RekeyView};
use scorpiox_wire::{Code, Problem};
use tokio::sync::OwnedMutexGuard;
use tracing::{error, info, warn};

use super::{Administrator, Registrar};
use crate::key_ring::Change;
use crate::key_source::KeySource;
use crate::rekey::{Moved, Rekey, RekeyError, Standing};
use crate::seal::MasterKey;

impl Registrar {
    /// How a change of the key stands.
    pub fn rekeying(&self) -> Result<RekeyView, Problem> {
        self.rekey_view(None)
    }

    /// Changes the master key, or goes on with a change that was cut off. Goes on also when nobody waits for it.
    pub async fn rekey(self: &Arc<Self>, by: &Administrator, request: RekeyRequest) -> Result<RekeyView, Problem> {
        let custody = self.custody()?;
        let working = Arc::clone(&custody.working).try_lock_owned();
        let working = working.map_err(|_| {
            Problem::new(Code::Busy, "a backup or another change of the key is under way").with_hint("try again later")
        })?;
        let ring = custody.vault.ring();
        let next = match ring.change() {
            Change::Settled => Some(self.next_key(&request)?),
            Change::From(_) => None,
        };
        let (registrar, old) = (Arc::clone(self), ring.current().key_id());
        if let Some(next) = &next {
            // Whoever changed it is known even when a stop cuts the change off.
            self.note(by, "broker.rekey", "broker", "begun", &format!("from {old} to {}", next.key_id())).await;
        }
        let moving = self.rotator.runtime().spawn(async move { registrar.move_to(next, working).await });
        let moved = moving.await.unwrap_or_else(|_| Err(std::io::Error::other("a bug stopped it").into()));
        let moved = moved.map_err(|error| {
            error!(%error, "the change of the master key was cut off");
            Problem::new(Code::Unavailable, format!("the change of the master key was cut off: {error}"))
                .with_hint("nothing is lost; go on with: scorpiox-broker rekey")
        })?;
        let now = custody.vault.ring().current().key_id();
        self.note(by, "broker.rekey", "broker", "ok", &format!("from {old} to {now}, {} cells", moved.cells)).await;
        self.rekey_view(Some(moved))
    }

    /// After a start: goes on with a change that was cut off, and moves what was late for the last one.
    pub async fn go_on_rekeying(self: Arc<Self>) {
        let Ok(custody) = self.custody() else { return };
        if !custody.vault.ring().was_changed() {
            return;
        }
        let working = Arc::clone(&custody.working).lock_owned().await;
        let was_cut_off = matches!(custody.vault.ring().change(), Change::From(_));
        match self.move_to(None, working).await {
            Ok(moved) if moved.standing == Standing::WaitsForSource => {
                warn!(key = %custody.vault.ring().current().key_id(), "the master key was changed: give its source the new key, then restart");
            }
            Ok(moved) => {
                info!(cells = moved.cells, "the key that was replaced is not needed any more");
                if was_cut_off {
                    let detail = format!("{} cells, after a start", moved.cells);
                    self.note(&Administrator::broker(), "broker.rekey", "broker", "ok", &detail).await;
                }
            }
            Err(error) => error!(%error, "the change of the master key does not go on; the next start tries again"),
        }
    }

    async fn move_to(&self, next: Option<MasterKey>, _working: OwnedMutexGuard<()>) -> Result<Moved, RekeyError> {
        let parts = self.parts();
        let custody = self.custody.get().ok_or_else(|| std::io::Error::other("the broker is still starting"))?;
        let rekey = Rekey {
            store: &parts.store,
            vault: &custody.vault,
            slots: &parts.slots,
            activity: &parts.activity,
            failpoints: &parts.failpoints,
        };
        if let Some(next) = next {
            rekey.begin(next).await?;
        }
        rekey.go_on().await
    }

    fn next_key(&self, request: &RekeyRequest) -> Result<MasterKey, Problem> {
        let vault = &self.custody()?.vault;
        let bad = |text: String| Problem::new(Code::BadRequest, text);
        let Some(file) = &request.new_key_file else {
            return match vault.places().source {
                KeySource::File(_) => Ok(MasterKey::generate()),
                KeySource::Credential(_) | KeySource::Command(_) => Err(bad(format!(
                    "the master key comes from {}, which the broker cannot write",
                    vault.places().source.place()
                ))
                .with_hint("put the next key into a file of the broker's machine: rekey --new-key-file FILE")),
            };
        };
        let key = KeySource::Credential(PathBuf::from(file)).load(vault.passphrase());
        let key = key.map_err(|error| bad(error.to_string()))?;
        if vault.ring().knows(key.key_id()) {
            return Err(bad(format!("{file} holds a key that this data has or had: make a new one")));
        }
        Ok(key)
    }

    fn rekey_view(&self, moved: Option<Moved>) -> Result<RekeyView, Problem> {
        let vault = &self.custody()?.vault;
        let ring = vault.ring();
        let key_id = ring.current().key_id().to_string();
        let replaces = match ring.change() {
            Change::Settled => None,
            Change::From(old) => Some(old.to_string()),
        };
        let next = replaces.as_ref().map(|_| {
            match (moved.map(|moved| moved.standing), vault.given() == ring.current().key_id()) {
                (Some(Standing::WaitsForSource), _) => {
                    format!("give {} the key {key_id}, then restart the broker", vault.places().source.place())
                }
                (Some(Standing::Done) | None, _) => "scorpiox-broker rekey".to_owned(),
            }
        });
        let (cells, damaged) = moved.map_or((0, 0), |moved| (moved.cells, moved.damaged));
        Ok(RekeyView { key_id, replaces, moved: cells, damaged, next })
    }
}
