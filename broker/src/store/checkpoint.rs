//! Where the audit begins, when its oldest entries were removed; how far it was anchored.

use sqlx::Row;

use super::rows::{count, moment, stored};
use super::{Store, StoreError};
use crate::audit_chain::Link;
use crate::clock::Timestamp;
use crate::seal::Sealer;

const PURPOSE: &str = "audit-checkpoint";

/// The last entry that was removed. The first that is there builds upon it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// That entry.
    pub link: Link,
    /// How many were removed in all.
    pub count: u64,
    /// When.
    pub at: Timestamp,
}

/// What the audit's first entry builds upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// Nothing was ever removed.
    Start,
    /// Entries up to here were removed by this broker.
    After(Checkpoint),
    /// There is a checkpoint that this broker did not write.
    Forged,
}

impl Store {
    /// What the audit's first entry builds upon.
    pub async fn audit_beginning(&self) -> Result<Beginning, StoreError> {
        let _under_way = self.activity.begin();
        let row = sqlx::query("SELECT seq, mac, count, at, proof FROM audit_checkpoint WHERE id = 1")
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(Beginning::Start) };
        let (mac, proof): (Vec<u8>, Vec<u8>) = (row.try_get("mac")?, row.try_get("proof")?);
        let Ok(mac) = <[u8; 32]>::try_from(mac) else { return Ok(Beginning::Forged) };
        let link = Link { seq: count(&row, "seq")?, mac };
        let checkpoint = Checkpoint { link, count: count(&row, "count")?, at: moment(&row, "at")? };
        if self.sealer.verify(PURPOSE, &covered(&checkpoint), &proof) {
            Ok(Beginning::After(checkpoint))
        } else {
            Ok(Beginning::Forged)
        }
    }

    /// The first entry that is not older than `cutoff`; the newest one when all are. `None` for an empty audit.
    pub async fn first_kept(&self, cutoff: Timestamp) -> Result<Option<u64>, StoreError> {
        let _under_way = self.activity.begin();
        let row = sqlx::query(
            "SELECT COALESCE((SELECT seq FROM audit WHERE at >= $1 ORDER BY seq LIMIT 1), \
             (SELECT MAX(seq) FROM audit), 0) AS seq",
        )
        .bind(cutoff.as_unix())
        .fetch_one(&self.readers)
        .await?;
        Ok(Some(count(&row, "seq")?).filter(|seq| *seq > 0))
    }

    /// Removes the entries up to the checkpoint and writes it, both or neither.
    pub async fn prune_audit(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM audit WHERE seq <= $1")
            .bind(stored(checkpoint.link.seq))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO audit_checkpoint (id, seq, mac, count, at, proof) VALUES (1, $1, $2, $3, $4, $5) \
             ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, mac = excluded.mac, count = excluded.count, \
             at = excluded.at, proof = excluded.proof",
        )
        .bind(stored(checkpoint.link.seq))
        .bind(checkpoint.link.mac.as_slice())
        .bind(stored(checkpoint.count))
        .bind(checkpoint.at.as_unix())
        .bind(proof(&self.sealer, checkpoint).as_slice())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The newest entry that is in the anchor file, as far as the database knows; 0 before the first.
    pub async fn anchored(&self) -> Result<u64, StoreError> {
        let _under_way = self.activity.begin();
        let row = sqlx::query("SELECT seq FROM audit_anchored WHERE id = 1").fetch_optional(&self.readers).await?;
        row.map_or(Ok(0), |row| count(&row, "seq"))
    }

    /// Remembers the newest anchor; 0 when the file begins anew.
    pub async fn set_anchored(&self, seq: u64) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO audit_anchored (id, seq) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq",
        )
        .bind(stored(seq))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn proof(sealer: &Sealer, checkpoint: &Checkpoint) -> [u8; 32] {
    sealer.authenticate(PURPOSE, &covered(checkpoint))
}

fn covered(checkpoint: &Checkpoint) -> Vec<u8> {
    let Checkpoint { link, count, at } = checkpoint;
    let numbers = [link.seq.to_be_bytes(), count.to_be_bytes(), at.as_unix().to_be_bytes()].concat();
    [numbers, link.mac.to_vec()].concat()
}
