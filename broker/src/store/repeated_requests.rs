//! Requests that may come twice: claimed before the deed, answered after it.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::domain::idempotency_key::Before;
use crate::seal::Place;

/// What names a request.
#[derive(Debug, Clone, Copy)]
pub struct RequestName<'a> {
    /// Who asks: an id, so that whoever gets a name after another is told nothing of that one's.
    pub actor: &'a str,
    /// The name that they gave it.
    pub key: &'a str,
}

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, which may hold a key.
    pub body: Zeroizing<Vec<u8>>,
}

/// What may be kept of them.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// What began before is forgotten.
    pub since: Timestamp,
    /// So many are kept, the newest.
    pub most: u32,
}

impl Store {
    /// Claims the name for this request, durably; or tells what came before under it, and changes nothing.
    pub async fn claim_request(
        &self,
        name: RequestName<'_>,
        request_mac: &[u8; 32],
        now: Timestamp,
        keeping: Keeping,
    ) -> Result<Option<Before<KeptAnswer>>, StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM repeated_requests WHERE begun_at < $1")
            .bind(keeping.since.as_unix())
            .execute(&mut *transaction)
            .await?;
        let row = sqlx::query("SELECT * FROM repeated_requests WHERE actor = $1 AND key = $2")
            .bind(name.actor)
            .bind(name.key)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(row) = row {
            return self.before(name, request_mac, &row).map(Some);
        }
        sqlx::query(
            "DELETE FROM repeated_requests WHERE begun_at < (SELECT MIN(begun_at) FROM \
             (SELECT begun_at FROM repeated_requests ORDER BY begun_at DESC LIMIT $1) newest) \
             AND (SELECT COUNT(*) FROM repeated_requests) >= $1",
        )
        .bind(i64::from(keeping.most))
        .execute(&mut *transaction)
        .await?;
        sqlx::query("INSERT INTO repeated_requests (actor, key, request_mac, begun_at) VALUES ($1, $2, $3, $4)")
            .bind(name.actor)
            .bind(name.key)
            .bind(request_mac.as_slice())
            .bind(now.as_unix())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(None)
    }

    fn before(
        &self,
        name: RequestName<'_>,
        request_mac: &[u8; 32],
        row: &SqliteRow,
    ) -> Result<Before<KeptAnswer>, StoreError> {
        if row.try_get::<&[u8], _>("request_mac")? != request_mac {
            return Ok(Before::Another);
        }
        let Some(status) = row.try_get::<Option<i64>, _>("status")? else { return Ok(Before::Unanswered) };
        let status = u16::try_from(status).map_err(|_| StoreError::Impossible("repeated_requests.status"))?;
        let body = self.sealer.open(&place(&row_of(name)), row.try_get("answer_sealed")?)?;
        Ok(Before::Answered(KeptAnswer { status, body }))
    }

    /// Keeps the answer.
    pub async fn answer_request(&self, name: RequestName<'_>, answer: &KeptAnswer) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE repeated_requests SET status = $1, answer_sealed = $2 WHERE actor = $3 AND key = $4")
            .bind(i64::from(answer.status))
            .bind(self.sealer.seal(&place(&row_of(name)), &answer.body))
            .bind(name.actor)
            .bind(name.key)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Removes what began before.
    pub async fn forget_requests(&self, before: Timestamp) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM repeated_requests WHERE begun_at < $1")
            .bind(before.as_unix())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Nothing was done: the name is free again.
    pub async fn release_request(&self, name: RequestName<'_>) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM repeated_requests WHERE actor = $1 AND key = $2")
            .bind(name.actor)
            .bind(name.key)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn row_of(name: RequestName<'_>) -> String {
    format!("{}/{}", name.actor, name.key)
}

fn place(row: &str) -> Place<'_> {
    Place { table: "repeated_requests", row, column: "answer_sealed", generation: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Activity;
    use crate::seal::{MasterKey, Sealer};

    const NAME: RequestName<'_> = RequestName { actor: "admin:anna", key: "k1" };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    async fn store(directory: &std::path::Path) -> Store {
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        Store::open(&directory.join("broker.db"), sealer, "i", Activity::default()).await.unwrap().0
    }

    async fn claim(store: &Store, name: RequestName<'_>, mac: u8, now: i64, most: u32) -> Option<Before<KeptAnswer>> {
        let keeping = Keeping { since: at(now - 100), most };
        store.claim_request(name, &[mac; 32], at(now), keeping).await.unwrap()
    }

    #[tokio::test]
    async fn a_name_is_claimed_once_and_its_answer_kept_sealed() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path()).await;
        assert_eq!(claim(&store, NAME, 1, 1_000, 10).await, None);
        assert_eq!(claim(&store, NAME, 1, 1_000, 10).await, Some(Before::Unanswered));
        assert_eq!(claim(&store, NAME, 2, 1_000, 10).await, Some(Before::Another));
        let elsewhere = RequestName { actor: "admin:otto", ..NAME };
        assert_eq!(claim(&store, elsewhere, 2, 1_000, 10).await, None, "a name belongs to who gave it");
        let answer = KeptAnswer { status: 200, body: Zeroizing::new(b"canary-of-a-key".to_vec()) };
        store.answer_request(NAME, &answer).await.unwrap();
        assert_eq!(claim(&store, NAME, 1, 1_000, 10).await, Some(Before::Answered(answer)));
        store.close().await;
        let file = std::fs::read(directory.path().join("broker.db")).unwrap();
        assert!(!file.windows(15).any(|part| part == b"canary-of-a-key"));
    }

    #[tokio::test]
    async fn an_old_answer_goes_also_when_nobody_asks_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path()).await;
        for (key, now) in [("old", 1_000), ("new", 2_000)] {
            assert_eq!(claim(&store, RequestName { key, ..NAME }, 1, now, 10).await, None);
        }
        store.forget_requests(at(2_000)).await.unwrap();
        let keeping = Keeping { since: at(0), most: 10 };
        for (key, before) in [("old", None), ("new", Some(Before::Unanswered))] {
            let name = RequestName { key, ..NAME };
            assert_eq!(store.claim_request(name, &[1; 32], at(2_000), keeping).await.unwrap(), before, "{key}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_was_sealed_anew_is_still_told() {
        let directory = tempfile::tempdir().unwrap();
        let before = store(directory.path()).await;
        assert_eq!(claim(&before, NAME, 1, 1_000, 10).await, None);
        let answer = KeptAnswer { status: 200, body: Zeroizing::new(b"{}".to_vec()) };
        before.answer_request(NAME, &answer).await.unwrap();
        let column = super::super::sealed_cells::SEALED.iter().find(|column| column.table == "repeated_requests");
        let mut place = place("admin:anna/k1");
        (place.table, place.column) = (column.unwrap().table, column.unwrap().named);
        assert_eq!(place, super::place("admin:anna/k1"), "the place that a change of keys opens is the one used here");
        assert_eq!(before.reseal(column.unwrap(), "").await.unwrap().damaged, 0);
        assert_eq!(claim(&before, NAME, 1, 1_000, 10).await, Some(Before::Answered(answer)));
    }

    #[tokio::test]
    async fn what_is_old_or_too_much_is_forgotten_and_what_did_nothing_is_free() {
        let directory = tempfile::tempdir().unwrap();
        let store = store(directory.path()).await;
        let named = |key| RequestName { actor: "admin:anna", key };
        for (key, now) in [("a", 1_000), ("b", 1_001), ("c", 1_002)] {
            assert_eq!(claim(&store, named(key), 1, now, 3).await, None);
        }
        // A fourth: the oldest goes.
        assert_eq!(claim(&store, named("d"), 1, 1_003, 2).await, None);
        assert_eq!(claim(&store, named("c"), 1, 1_003, 9).await, Some(Before::Unanswered));
        assert_eq!(claim(&store, named("a"), 1, 1_003, 9).await, None);
        // A day later.
        assert_eq!(claim(&store, named("c"), 1, 1_103, 9).await, None);
        store.release_request(named("c")).await.unwrap();
        assert_eq!(claim(&store, named("c"), 2, 1_103, 9).await, None);
    }
}
