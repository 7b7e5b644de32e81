//! Clients in pages, with what each was last given: two statements, however many there are.

use std::collections::HashMap;

use super::clients::{Granted, LastHandout, read, read_last};
use super::{Store, StoreError};
use crate::domain::client::ClientId;
use sqlx::Row;

impl Store {
    /// At most `limit` clients behind `after` in the order of their names, revoked ones too.
    pub async fn clients_after(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(Granted, Option<LastHandout>)>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query(
            "SELECT c.*, g.credential_id FROM clients c LEFT JOIN grants g ON g.client_id = c.id \
             WHERE c.name > $1 ORDER BY c.name LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        let handouts = sqlx::query(
            "SELECT client_id, generation, last_at, holds_until AS expires_at FROM \
             (SELECT h.*, ROW_NUMBER() OVER (PARTITION BY client_id ORDER BY last_at DESC, generation DESC) AS place, \
              MAX(h.expires_at) OVER (PARTITION BY client_id) AS holds_until \
              FROM handouts h WHERE h.client_id IN (SELECT id FROM clients WHERE name > $1 ORDER BY name LIMIT $2)) newest \
             WHERE place = 1",
        )
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        let mut last = HashMap::with_capacity(handouts.len());
        for row in &handouts {
            last.insert(ClientId::from_stored(row.try_get("client_id")?), read_last(row)?);
        }
        let with_last = |row| {
            let granted = read(row)?;
            let last = last.get(&granted.client.id).copied();
            Ok((granted, last))
        };
        rows.iter().map(with_last).collect()
    }

    /// The client of this name, revoked or not.
    pub async fn client_named(&self, name: &str) -> Result<Option<Granted>, StoreError> {
        let _under_way = self.activity.begin();
        let row = sqlx::query(
            "SELECT c.*, g.credential_id FROM clients c LEFT JOIN grants g ON g.client_id = c.id WHERE c.name = $1",
        )
        .bind(name)
        .fetch_optional(&self.writer)
        .await?;
        row.as_ref().map(read).transpose()
    }
}
