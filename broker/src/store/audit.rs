//! The audit in the database: appended in one transaction for all that wait, read in order.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::rows::{count, moment, stored};
use super::{Store, StoreError};
use crate::audit_chain::{Entry, Line, Link, Record};
use crate::clock::Timestamp;
use crate::domain::client::ClientId;
use crate::domain::credential::CredentialId;

/// The first hand-out of one generation to one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstHandout {
    /// To whom.
    pub client: ClientId,
    /// Of what.
    pub credential: CredentialId,
    /// Of which generation.
    pub generation: u64,
    /// When that token ends.
    pub expires_at: Timestamp,
}

/// Something to be written down, and the hand-out that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The line of the audit.
    pub record: Record,
    /// Set for the first hand-out of a generation.
    pub handout: Option<FirstHandout>,
}

impl Store {
    /// Writes deeds at the end of the chain, all or none, and tells where the chain ends now.
    pub async fn append_deeds(&self, deeds: &[Deed]) -> Result<Link, StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        let mut last = head(&mut transaction).await?;
        for deed in deeds {
            let entry = Entry::after(last, deed.record.clone(), &self.sealer);
            insert(&mut transaction, &entry).await?;
            if let Some(handout) = &deed.handout {
                note(&mut transaction, handout, deed.record.at).await?;
            }
            last = entry.link;
        }
        transaction.commit().await?;
        Ok(last)
    }

    /// Entries after `seq`, oldest first, at most `limit`.
    pub async fn audit_after(&self, seq: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(stored(seq))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The newest `limit` entries, oldest first.
    pub async fn audit_tail(&self, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query("SELECT * FROM (SELECT * FROM audit ORDER BY seq DESC LIMIT $1) ORDER BY seq")
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }
}

async fn head(connection: &mut SqliteConnection) -> Result<Link, StoreError> {
    let row = sqlx::query("SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(connection).await?;
    row.as_ref().map_or(Ok(Link::START), read_link)
}

async fn insert(connection: &mut SqliteConnection, entry: &Entry) -> Result<(), StoreError> {
    let Entry { link, record } = entry;
    sqlx::query(
        "INSERT INTO audit (seq, at, actor, action, object, outcome, request_id, address, detail, mac) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(stored(link.seq))
    .bind(record.at.as_unix())
    .bind(record.actor.as_str())
    .bind(record.action.as_str())
    .bind(record.object.as_str())
    .bind(record.outcome.as_str())
    .bind(record.request_id.as_str())
    .bind(record.address.as_str())
    .bind(record.detail.as_str())
    .bind(link.mac.as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

async fn note(connection: &mut SqliteConnection, handout: &FirstHandout, at: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO handouts (client_id, credential_id, generation, first_at, last_at, count, expires_at) \
         VALUES ($1, $2, $3, $4, $4, 1, $5) \
         ON CONFLICT (client_id, credential_id, generation) DO UPDATE SET count = count + 1, last_at = $4",
    )
    .bind(handout.client.as_str())
    .bind(handout.credential.as_str())
    .bind(stored(handout.generation))
    .bind(at.as_unix())
    .bind(handout.expires_at.as_unix())
    .execute(connection)
    .await?;
    Ok(())
}

fn read_link(row: &SqliteRow) -> Result<Link, StoreError> {
    let mac: &[u8] = row.try_get("mac")?;
    let mac = <[u8; 32]>::try_from(mac).map_err(|_| StoreError::Impossible("audit.mac"))?;
    Ok(Link { seq: count(row, "seq")?, mac })
}

fn read(row: &SqliteRow) -> Result<Entry, StoreError> {
    let line = |column: &'static str| Ok::<_, StoreError>(Line::as_stored(row.try_get(column)?));
    let record = Record {
        at: moment(row, "at")?,
        actor: line("actor")?,
        action: line("action")?,
        object: line("object")?,
        outcome: line("outcome")?,
        request_id: line("request_id")?,
        address: line("address")?,
        detail: line("detail")?,
    };
    Ok(Entry { link: read_link(row)?, record })
}
