//! Clients, their keys, grants, and who was given what.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::rows::{count, maybe_moment, moment, stored};
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::domain::client::{Client, ClientId, KeyMac};
use crate::domain::credential::{CredentialId, Name};
use crate::domain::limits::{ClientLimits, ClientTerms, Rate};
use crate::domain::network::Network;

/// A client and the credential that it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The client.
    pub client: Client,
    /// Its limits, and whether it is paused.
    pub terms: ClientTerms,
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
    /// When the last of all the tokens that it was given ends.
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
    pub async fn insert_client(
        &self,
        client: &Client,
        terms: &ClientTerms,
        credential: &CredentialId,
    ) -> Result<(), StoreError> {
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
        write_terms(&mut transaction, &client.id, terms).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Other limits, or a pause.
    pub async fn set_terms(&self, client: &ClientId, terms: &ClientTerms) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        write_terms(&mut transaction, client, terms).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Another credential in place of the one it had, or none.
    pub async fn set_grant(&self, client: &ClientId, credential: Option<&CredentialId>) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM grants WHERE client_id = $1").bind(client.as_str()).execute(&mut *transaction).await?;
        if let Some(credential) = credential {
            sqlx::query("INSERT INTO grants (client_id, credential_id) VALUES ($1, $2)")
                .bind(client.as_str())
                .bind(credential.as_str())
                .execute(&mut *transaction)
                .await?;
        }
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
            "SELECT generation, last_at, (SELECT MAX(expires_at) FROM handouts WHERE client_id = $1) AS expires_at \
             FROM handouts WHERE client_id = $1 \
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
    Ok(Granted { client, terms: read_terms(row)?, credential: credential.map(CredentialId::from_stored) })
}

async fn write_terms(
    connection: &mut SqliteConnection,
    client: &ClientId,
    terms: &ClientTerms,
) -> Result<(), StoreError> {
    let ClientTerms { limits, paused_at } = terms;
    let networks: Vec<String> = limits.networks.iter().map(Network::to_string).collect();
    sqlx::query(
        "UPDATE clients SET requests_per_minute = $1, handouts_per_hour = $2, networks = $3, expires_at = $4, \
         paused_at = $5 WHERE id = $6",
    )
    .bind(limits.requests_per_minute.to_number())
    .bind(limits.handouts_per_hour.to_number())
    .bind(networks.join(","))
    .bind(limits.expires_at.map(Timestamp::as_unix))
    .bind(paused_at.map(Timestamp::as_unix))
    .bind(client.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

fn read_terms(row: &SqliteRow) -> Result<ClientTerms, StoreError> {
    let rate = |column: &'static str| Ok::<_, StoreError>(Rate::from_number(row.try_get(column)?));
    let networks: String = row.try_get("networks")?;
    let networks = networks.split(',').filter(|text| !text.is_empty()).map(str::parse).collect::<Result<_, _>>();
    let limits = ClientLimits {
        requests_per_minute: rate("requests_per_minute")?,
        handouts_per_hour: rate("handouts_per_hour")?,
        // A network that cannot be read must not become "anywhere".
        networks: networks.map_err(|_| StoreError::Impossible("clients.networks"))?,
        expires_at: maybe_moment(row, "expires_at")?,
    };
    Ok(ClientTerms { limits, paused_at: maybe_moment(row, "paused_at")? })
}
