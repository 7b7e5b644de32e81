//! What was told to people, and what still waits to be told. It is small, and written as a whole.

use sqlx::Row;

use super::rows::{moment, stored};
use super::{Store, StoreError};
use crate::alerts::Notice;
use crate::domain::alarm::{Key, Memory, Standing, What};

/// Notices for each sink, by its name, oldest first.
pub type Waiting = Vec<(String, Notice)>;

impl Store {
    /// What was told, and what waits. A kind of condition that only a newer version knows is left out.
    pub async fn alarms(&self) -> Result<(Memory, Waiting), StoreError> {
        let _under_way = self.activity.begin();
        let mut memory = Memory::default();
        for row in sqlx::query("SELECT * FROM alarms").fetch_all(&self.writer).await? {
            let Some(what) = What::named(row.try_get("what")?) else { continue };
            let key = Key { what, subject: row.try_get("subject")? };
            let standing =
                Standing { since: moment(&row, "since")?, reason: row.try_get("reason")?, unseen_since: None };
            memory.0.insert(key, standing);
        }
        let rows = sqlx::query("SELECT * FROM notices ORDER BY sink, place").fetch_all(&self.writer).await?;
        let waiting = rows.iter().map(|row| {
            let notice =
                Notice { id: row.try_get("id")?, made_at: moment(row, "made_at")?, body: row.try_get("body")? };
            Ok((row.try_get("sink")?, notice))
        });
        Ok((memory, waiting.collect::<Result<_, StoreError>>()?))
    }

    /// Replaces both.
    pub async fn save_alarms(&self, memory: &Memory, waiting: &Waiting) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM alarms").execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM notices").execute(&mut *transaction).await?;
        for (key, standing) in &memory.0 {
            sqlx::query("INSERT INTO alarms (what, subject, since, reason) VALUES ($1, $2, $3, $4)")
                .bind(key.what.as_str())
                .bind(&key.subject)
                .bind(standing.since.as_unix())
                .bind(&standing.reason)
                .execute(&mut *transaction)
                .await?;
        }
        for (place, (sink, notice)) in waiting.iter().enumerate() {
            sqlx::query("INSERT INTO notices (sink, place, id, made_at, body) VALUES ($1, $2, $3, $4, $5)")
                .bind(sink)
                .bind(stored(place as u64))
                .bind(&notice.id)
                .bind(notice.made_at.as_unix())
                .bind(&notice.body)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Activity;
    use crate::clock::Timestamp;
    use crate::seal::{MasterKey, Sealer};

    #[tokio::test]
    async fn what_was_told_and_what_waits_is_there_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let path = directory.path().join("broker.db");
        let open = || Store::open(&path, sealer.clone(), "i", Activity::default());
        let (store, _) = open().await.unwrap();
        let mut memory = Memory::default();
        let key = Key { what: What::Reauth, subject: "main".into() };
        let standing = Standing { since: Timestamp::from_unix(7), reason: "r".into(), unseen_since: None };
        memory.0.insert(key, standing);
        let notice = |id: &str| Notice { id: id.into(), made_at: Timestamp::from_unix(8), body: "{}".into() };
        let waiting = vec![("command".to_owned(), notice("b")), ("webhook".to_owned(), notice("a"))];
        store.save_alarms(&memory, &waiting).await.unwrap();
        store.save_alarms(&memory, &waiting).await.unwrap();
        store.close().await;
        let (store, _) = open().await.unwrap();
        assert_eq!(store.alarms().await.unwrap(), (memory, waiting));
        store.close().await;
    }
}
