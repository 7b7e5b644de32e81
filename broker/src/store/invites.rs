//! Invites: kept as MACs, used once.

use sqlx::Row;

use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::domain::client::ClientId;

/// What recognises an invite.
pub type InviteMac = [u8; 32];

impl Store {
    /// An invite for this client, in place of the one it had. Those whose time is over go.
    pub async fn save_invite(
        &self,
        client: &ClientId,
        mac: &InviteMac,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM invites WHERE client_id = $1 OR expires_at <= $2")
            .bind(client.as_str())
            .bind(now.as_unix())
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO invites (client_id, mac, created_at, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(client.as_str())
            .bind(mac.as_slice())
            .bind(now.as_unix())
            .bind(expires_at.as_unix())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whose invite this is, while it may be used. A wrong one costs no write.
    pub async fn find_invite(&self, mac: &InviteMac, now: Timestamp) -> Result<Option<ClientId>, StoreError> {
        let _under_way = self.activity.begin();
        let row = sqlx::query("SELECT client_id FROM invites WHERE mac = $1 AND expires_at > $2")
            .bind(mac.as_slice())
            .bind(now.as_unix())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| Ok(ClientId::from_stored(row.try_get("client_id")?))).transpose()
    }

    /// Uses an invite up: true for the one who did.
    pub async fn use_invite(&self, mac: &InviteMac, now: Timestamp) -> Result<bool, StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        let done = sqlx::query("DELETE FROM invites WHERE mac = $1 AND expires_at > $2")
            .bind(mac.as_slice())
            .bind(now.as_unix())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(done.rows_affected() == 1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::activity::Activity;
    use crate::seal::{MasterKey, Sealer};

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    #[tokio::test]
    async fn an_invite_is_found_until_it_ends_is_replaced_or_was_used_once() {
        let directory = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let path = directory.path().join("broker.db");
        let (store, _) = Store::open(&path, sealer, "i", Activity::default()).await.unwrap();
        let client = ClientId::from_stored("c1".into());
        sqlx::query("INSERT INTO clients (id, name, created_at, key_id, key_mac) VALUES ('c1', 'anna', 0, 'k', x'00')")
            .execute(&store.writer)
            .await
            .unwrap();
        let end = NOW + Duration::from_secs(900);
        let (first, second) = ([1; 32], [2; 32]);
        store.save_invite(&client, &first, NOW, end).await.unwrap();
        assert_eq!(store.find_invite(&first, NOW).await.unwrap(), Some(client.clone()));
        assert_eq!(store.find_invite(&first, end).await.unwrap(), None);
        assert!(!store.use_invite(&first, end).await.unwrap());
        store.save_invite(&client, &second, NOW, end).await.unwrap();
        assert_eq!(store.find_invite(&first, NOW).await.unwrap(), None);
        assert!(store.use_invite(&second, NOW).await.unwrap());
        assert!(!store.use_invite(&second, NOW).await.unwrap());
        assert_eq!(store.find_invite(&second, NOW).await.unwrap(), None);
        store.close().await;
    }
}
