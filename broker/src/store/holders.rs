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

/// So many are forgotten in one transaction, so that hand-outs do not wait for a long one.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

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

    /// Forgets hand-outs of tokens that ended before `ended`. The newest that a client was given of a credential stays:
    /// it tells when the client was last here, and may be of a generation that is served.
    pub async fn prune_handouts(&self, ended: Timestamp) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let credentials = sqlx::query("SELECT DISTINCT credential_id FROM handouts").fetch_all(&self.readers).await?;
        for row in &credentials {
            let credential: &str = row.try_get("credential_id")?;
            while self.prune_some(credential, ended).await? == u64::from(FORGOTTEN_AT_ONCE) {}
        }
        Ok(())
    }

    async fn prune_some(&self, credential: &str, ended: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let done = sqlx::query(
            "DELETE FROM handouts WHERE (client_id, credential_id, generation) IN \
             (SELECT h.client_id, h.credential_id, h.generation FROM handouts h \
             WHERE h.credential_id = $1 AND h.expires_at < $2 AND EXISTS (SELECT 1 FROM handouts newer \
             WHERE newer.client_id = h.client_id AND newer.credential_id = h.credential_id \
             AND newer.generation > h.generation) LIMIT $3)",
        )
        .bind(credential)
        .bind(ended.as_unix())
        .bind(i64::from(FORGOTTEN_AT_ONCE))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Activity;
    use crate::audit_chain::{Line, Record};
    use crate::domain::client::ClientId;
    use crate::seal::{MasterKey, Sealer};
    use crate::store::audit::{Deed, FirstHandout};

    fn deed(client: &str, generation: u64, expires_at: i64) -> Deed {
        let [actor, action, object] = ["client:laptop", "token.first", "credential:main"].map(Line::of);
        let [outcome, request_id, address, detail] = ["ok", "", "", ""].map(Line::of);
        let at = Timestamp::from_unix(1);
        let handout = FirstHandout {
            client: ClientId::from_stored(client.to_owned()),
            credential: CredentialId::from_stored("main".to_owned()),
            generation,
            expires_at: Timestamp::from_unix(expires_at),
        };
        Deed {
            record: Record { at, actor, action, object, outcome, request_id, address, detail },
            handout: Some(handout),
        }
    }

    async fn left(store: &Store) -> Vec<(String, u64)> {
        let rows = sqlx::query("SELECT client_id, generation FROM handouts ORDER BY client_id, generation")
            .fetch_all(&store.readers)
            .await
            .unwrap();
        rows.iter().map(|row| (row.get("client_id"), count(row, "generation").unwrap())).collect()
    }

    #[tokio::test]
    async fn hand_outs_of_ended_tokens_are_forgotten_but_for_each_clients_newest() {
        let directory = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let path = directory.path().join("broker.db");
        let (store, _) = Store::open(&path, sealer, "i", Activity::default()).await.unwrap();
        let many = u64::from(FORGOTTEN_AT_ONCE) + 2;
        let mut deeds: Vec<Deed> = (1..=many).map(|generation| deed("busy", generation, 100)).collect();
        deeds.extend([deed("idle", 1, 100), deed("late", 1, 200), deed("late", 2, 199)]);
        store.append_deeds(&deeds).await.unwrap();
        store.prune_handouts(Timestamp::from_unix(100)).await.unwrap();
        assert_eq!(left(&store).await.len(), deeds.len(), "none has ended before");
        store.prune_handouts(Timestamp::from_unix(200)).await.unwrap();
        let expected = [("busy", many), ("idle", 1), ("late", 1), ("late", 2)];
        assert_eq!(left(&store).await, expected.map(|(client, generation)| (client.to_owned(), generation)));
    }
}
