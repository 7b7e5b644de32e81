//! Families of stand-ins that live.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::rows::moment;
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::domain::client::ClientId;
use crate::domain::stand_in::{FamilyId, Lineage, Purpose, Salt};

/// A family as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sibling {
    /// Its name.
    pub family: FamilyId,
    /// Whose it is.
    pub client: ClientId,
    /// The client's key when it was made.
    pub key_id: String,
    /// What for.
    pub purpose: Purpose,
    /// What its stand-ins are made of, besides the pepper.
    pub salt: Salt,
    /// When it was made.
    pub made_at: Timestamp,
    /// How it stands.
    pub lineage: Lineage,
}

impl Store {
    /// All that live, oldest first.
    pub async fn stand_ins(&self) -> Result<Vec<Sibling>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query("SELECT * FROM stand_ins ORDER BY made_at, family").fetch_all(&self.writer).await?;
        rows.iter().map(read).collect()
    }

    /// A new family; the others end in the same moment.
    pub async fn begin_stand_in(&self, new: &Sibling, ended: &[FamilyId]) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        delete(&mut transaction, ended).await?;
        sqlx::query(
            "INSERT INTO stand_ins (family, client_id, key_id, purpose, salt, made_at, lineage) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.family.as_str())
        .bind(new.client.as_str())
        .bind(&new.key_id)
        .bind(write_purpose(new.purpose))
        .bind(new.salt.as_bytes().as_slice())
        .bind(new.made_at.as_unix())
        .bind(write_lineage(&new.lineage))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How a family stands now.
    pub async fn save_stand_in(&self, family: &FamilyId, lineage: &Lineage) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE stand_ins SET lineage = $1 WHERE family = $2")
            .bind(write_lineage(lineage))
            .bind(family.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// These have ended.
    pub async fn end_stand_ins(&self, ended: &[FamilyId]) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        delete(&mut transaction, ended).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn delete(connection: &mut SqliteConnection, families: &[FamilyId]) -> Result<(), StoreError> {
    for family in families {
        sqlx::query("DELETE FROM stand_ins WHERE family = $1").bind(family.as_str()).execute(&mut *connection).await?;
    }
    Ok(())
}

fn write_lineage(lineage: &Lineage) -> String {
    serde_json::to_string(lineage).expect("plain data is always JSON")
}

fn write_purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::AuthFile => "auth_file",
        Purpose::Gateway => "gateway",
    }
}

fn read(row: &SqliteRow) -> Result<Sibling, StoreError> {
    let purpose = match row.try_get("purpose")? {
        "auth_file" => Purpose::AuthFile,
        "gateway" => Purpose::Gateway,
        _ => return Err(StoreError::Impossible("stand_ins.purpose")),
    };
    let salt: &[u8] = row.try_get("salt")?;
    let salt = <[u8; 32]>::try_from(salt).map_err(|_| StoreError::Impossible("stand_ins.salt"))?;
    let lineage = serde_json::from_str(row.try_get("lineage")?);
    Ok(Sibling {
        family: FamilyId::from_stored(row.try_get("family")?),
        client: ClientId::from_stored(row.try_get("client_id")?),
        key_id: row.try_get("key_id")?,
        purpose,
        salt: Salt::from_bytes(salt),
        made_at: moment(row, "made_at")?,
        lineage: lineage.map_err(|_| StoreError::Impossible("stand_ins.lineage"))?,
    })
}
