//! Who still holds a token of a credential.

use sqlx::Row;

use super::rows::{count, maybe_moment, moment};
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::domain::credential::CredentialId;

/// A client that was given tokens which have not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its name.
    pub client: String,
    /// When it was revoked, if it was: what it has it keeps.
    pub revoked_at: Option<Timestamp>,
    /// The newest generation of those that have not ended.
    pub generation: u64,
    /// How many of them there are.
    pub tokens: u64,
    /// When it was last given one.
    pub last_at: Timestamp,
    /// When the last of them ends.
    pub until: Timestamp,
}

impl Store {
    /// At most `limit` holders behind `after` in the order of their names.
    pub async fn holders(
        &self,
        credential: &CredentialId,
        now: Timestamp,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Holder>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query(
            "SELECT c.name, c.revoked_at, MAX(h.generation) AS generation, COUNT(*) AS tokens, \
             MAX(h.last_at) AS last_at, MAX(h.expires_at) AS until \
             FROM handouts h JOIN clients c ON c.id = h.client_id \
             WHERE h.credential_id = $1 AND h.expires_at > $2 AND c.name > $3 \
             GROUP BY c.id, c.name, c.revoked_at ORDER BY c.name LIMIT $4",
        )
        .bind(credential.as_str())
        .bind(now.as_unix())
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(Holder {
                client: row.try_get("name")?,
                revoked_at: maybe_moment(row, "revoked_at")?,
                generation: count(row, "generation")?,
                tokens: count(row, "tokens")?,
                last_at: moment(row, "last_at")?,
                until: moment(row, "until")?,
            })
        };
        rows.iter().map(read).collect()
    }
}
