//! Clients, their keys, grants, and who was given what.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::rows::{count, maybe_moment, moment, stored};
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::domain::client::{Client, ClientId, KeyMac};
use crate::domain::credential::{CredentialId, Name};

/// A client and the credential that it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The client.
    pub client: Client,
    /// Its credential; `None` when that was removed.
    pub credential: Option<CredentialId>,
}

/// The newest hand-out of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastHandout {
    /// Which generation.
    pub generation: u64,
    /// When it was last given.
    pub last_at: Timestamp,
    /// When that token ends.
    pub expires_at: Timestamp,
}

/// Hand-outs of one generation to one client since the last flush.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeats {
    /// To whom.
    pub client: ClientId,
    /// Of what.
    pub credential: CredentialId,
    /// Of which generation.
    pub generation: u64,
    /// How often.
    pub count: u64,
    /// When last.
    pub last_at: Timestamp,
}

impl Store {
    /// All clients, revoked ones too, in the order of their names.
    pub async fn clients(&self) -> Result<Vec<Granted>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query(
            "SELECT c.*, g.credential_id FROM clients c LEFT JOIN grants g ON g.client_id = c.id ORDER BY c.name",
        )
        .fetch_all(&self.writer)
        .await?;
        rows.iter().map(read).collect()
    }

    /// A new client with its one grant.
    pub async fn insert_client(&self, client: &Client, credential: &CredentialId) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("INSERT INTO clients (id, name, created_at, key_id, key_mac) VALUES ($1, $2, $3, $4, $5)")
            .bind(client.id.as_str())
            .bind(client.name.as_str())
            .bind(client.created_at.as_unix())
            .bind(&client.key_id)
            .bind(client.key_mac.as_bytes().as_slice())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO grants (client_id, credential_id) VALUES ($1, $2)")
            .bind(client.id.as_str())
            .bind(credential.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Another key in place of the one it had.
    pub async fn replace_key(&self, client: &ClientId, key_id: &str, mac: &KeyMac) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE clients SET key_id = $1, key_mac = $2 WHERE id = $3")
            .bind(key_id)
            .bind(mac.as_bytes().as_slice())
            .bind(client.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends a client for good.
    pub async fn revoke_client(&self, client: &ClientId, now: Timestamp) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE clients SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
            .bind(now.as_unix())
            .bind(client.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The newest hand-out of a client.
    pub async fn last_handout(&self, client: &ClientId) -> Result<Option<LastHandout>, StoreError> {
        let _under_way = self.activity.begin();
        let row = sqlx::query(
            "SELECT generation, last_at, expires_at FROM handouts WHERE client_id = $1 \
             ORDER BY last_at DESC, generation DESC LIMIT 1",
        )
        .bind(client.as_str())
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(read_last).transpose()
    }

    /// Adds the repeats that were counted in memory.
    pub async fn add_repeats(&self, repeats: &[Repeats]) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        for repeat in repeats {
            sqlx::query(
                "UPDATE handouts SET count = count + $1, last_at = MAX(last_at, $2) \
                 WHERE client_id = $3 AND credential_id = $4 AND generation = $5",
            )
            .bind(stored(repeat.count))
            .bind(repeat.last_at.as_unix())
            .bind(repeat.client.as_str())
            .bind(repeat.credential.as_str())
            .bind(stored(repeat.generation))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

pub(super) fn read_last(row: &SqliteRow) -> Result<LastHandout, StoreError> {
    Ok(LastHandout {
        generation: count(row, "generation")?,
        last_at: moment(row, "last_at")?,
        expires_at: moment(row, "expires_at")?,
    })
}

pub(super) fn read(row: &SqliteRow) -> Result<Granted, StoreError> {
    let mac: &[u8] = row.try_get("key_mac")?;
    let mac = <[u8; 32]>::try_from(mac).map_err(|_| StoreError::Impossible("clients.key_mac"))?;
    let client = Client {
        id: ClientId::from_stored(row.try_get("id")?),
        name: Name::parse(row.try_get("name")?).map_err(|_| StoreError::Impossible("clients.name"))?,
        created_at: moment(row, "created_at")?,
        revoked_at: maybe_moment(row, "revoked_at")?,
        key_id: row.try_get("key_id")?,
        key_mac: KeyMac::from_bytes(mac),
    };
    let credential: Option<String> = row.try_get("credential_id")?;
    Ok(Granted { client, credential: credential.map(CredentialId::from_stored) })
}
