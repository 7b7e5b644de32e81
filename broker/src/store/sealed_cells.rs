//! Every sealed column, and sealing its cells anew under another key while they are used.

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Store, StoreError};
use crate::seal::Place;

/// So many cells are sealed anew in one transaction: few milliseconds in which other writers wait.
const BATCH: u32 = 64;

/// A column of sealed cells, and how a cell's [`Place`] follows from its row.
#[derive(Debug, Clone, Copy)]
pub struct SealedColumn {
    /// The table; also the place's.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The place's column.
    pub named: &'static str,
    /// The place's row: a column, or made of several.
    pub row: &'static str,
    /// The place's generation: a column, or 0.
    pub generation: &'static str,
    /// The primary key, as one text.
    pub key: &'static str,
}

const fn of(table: &'static str, column: &'static str, named: &'static str) -> SealedColumn {
    SealedColumn { table, column, named, row: "id", generation: "0", key: "id" }
}

const fn of_credential(column: &'static str, named: &'static str) -> SealedColumn {
    SealedColumn { generation: "generation", ..of("credentials", column, named) }
}

/// All of them. A test compares the list with the schema.
pub const SEALED: &[SealedColumn] = &[
    of_credential("access_token_sealed", "access_token"),
    of_credential("refresh_token_sealed", "refresh_token"),
    of_credential("id_token_sealed", "id_token"),
    SealedColumn { row: "credential_id", generation: "generation", ..of("kept_answers", "answer_sealed", "answer") },
    of("administrators", "password_sealed", "password"),
    of("session_keys", "key_sealed", "key"),
    SealedColumn {
        row: "actor || '/' || key",
        // With its length: no two rows may be one.
        key: "length(actor) || ':' || actor || key",
        ..of("repeated_requests", "answer_sealed", "answer_sealed")
    },
];

/// What one transaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Cells that are sealed under the current key now.
    pub moved: u64,
    /// Cells that do not open: left as they are.
    pub damaged: u64,
    /// Where to go on; `None` at the end of the column.
    pub next: Option<String>,
}

impl Store {
    /// Seals the next cells of a column anew that are not under the current key, in one transaction. `after` is where
    /// the last batch ended. Doing it again changes nothing.
    pub async fn reseal(&self, column: &SealedColumn, after: &str) -> Result<Batch, StoreError> {
        let _under_way = self.activity.begin();
        let SealedColumn { table, column: cell, row, generation, key, .. } = column;
        // A sealed cell's second to ninth byte name its key.
        let find = format!(
            "SELECT CAST({key} AS TEXT) AS k, {row} AS r, {generation} AS g, {cell} AS c FROM {table} \
             WHERE {cell} IS NOT NULL AND substr({cell}, 2, 8) <> $1 AND CAST({key} AS TEXT) > $2 ORDER BY 1 LIMIT {BATCH}"
        );
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(AssertSqlSafe(find))
            .bind(self.sealer.key_id().as_bytes().as_slice())
            .bind(after)
            .fetch_all(&mut *transaction)
            .await?;
        let mut batch = Batch::default();
        for found in &rows {
            let generation = u64::try_from(found.try_get::<i64, _>("g")?).unwrap_or_default();
            let place = Place { table, row: found.try_get("r")?, column: column.named, generation };
            let sealed: &[u8] = found.try_get("c")?;
            let key: &str = found.try_get("k")?;
            match self.sealer.open(&place, sealed) {
                Ok(plain) => {
                    let anew = self.sealer.seal(&place, &plain);
                    // Before the old form is gone.
                    if self.sealer.open(&place, &anew)? != plain {
                        return Err(StoreError::Impossible("a cell that was just sealed"));
                    }
                    put(&mut transaction, column, key, &anew).await?;
                    batch.moved += 1;
                }
                Err(_) => batch.damaged += 1,
            }
            batch.next = Some(key.to_owned());
        }
        transaction.commit().await?;
        Ok(batch)
    }

    /// The database names the key that seals now: no start without it, or without the ring that knows it.
    pub async fn note_key(&self) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE meta SET value = $1 WHERE key = 'key_id'")
            .bind(self.sealer.key_id().to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn put(
    connection: &mut SqliteConnection,
    column: &SealedColumn,
    key: &str,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let SealedColumn { table, column: cell, key: named, .. } = column;
    let update = format!("UPDATE {table} SET {cell} = $1 WHERE CAST({named} AS TEXT) = $2");
    sqlx::query(AssertSqlSafe(update)).bind(sealed).bind(key).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Activity;
    use crate::seal::{MasterKey, Sealer};

    async fn store(directory: &tempfile::TempDir) -> (Store, Sealer) {
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let path = directory.path().join("broker.db");
        let (store, _) = Store::open(&path, sealer.clone(), "i", Activity::default()).await.unwrap();
        (store, sealer)
    }

    #[tokio::test]
    async fn every_sealed_column_of_the_schema_is_in_the_list() {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = store(&directory).await;
        let found: Vec<(String, String)> = sqlx::query_as(
            "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND c.name LIKE '%\\_sealed' ESCAPE '\\' ORDER BY 1, 2",
        )
        .fetch_all(&store.writer)
        .await
        .unwrap();
        let mut listed: Vec<_> = SEALED.iter().map(|one| (one.table.to_owned(), one.column.to_owned())).collect();
        listed.sort();
        assert_eq!(listed, found, "a new sealed column is sealed anew when the key changes");
        for column in SEALED {
            assert_eq!(store.reseal(column, "").await.unwrap(), Batch::default(), "{column:?}");
        }
    }

    #[tokio::test]
    async fn more_cells_than_a_batch_are_moved_and_damaged_ones_are_left_and_counted() {
        let directory = tempfile::tempdir().unwrap();
        let (store, sealer) = store(&directory).await;
        let column = SEALED.iter().find(|column| column.table == "session_keys").unwrap();
        let mut transaction = store.begin().await.unwrap();
        for number in 0..150 {
            let id = format!("key-{number}");
            let place = Place { table: "session_keys", row: &id, column: "key", generation: 0 };
            let mut sealed = sealer.seal(&place, id.as_bytes());
            sealed[30] ^= u8::from(number == 70);
            sqlx::query("INSERT INTO session_keys (id, created_at, key_sealed) VALUES ($1, 0, $2)")
                .bind(&id)
                .bind(sealed)
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
        assert_eq!(store.reseal(column, "").await.unwrap(), Batch::default(), "nothing to do under the same key");
        sealer.succeed(&MasterKey::from_bytes([8; 32]));
        let (mut moved, mut damaged, mut batches, mut after) = (0, 0, 0, String::new());
        loop {
            let batch = store.reseal(column, &after).await.unwrap();
            (moved, damaged) = (moved + batch.moved, damaged + batch.damaged);
            let Some(next) = batch.next else { break };
            (after, batches) = (next, batches + 1);
        }
        assert_eq!((moved, damaged), (149, 1));
        assert_eq!(batches, 3);
        let alone = Sealer::new(&MasterKey::from_bytes([8; 32]));
        let rows: Vec<(String, Vec<u8>)> =
            sqlx::query_as("SELECT id, key_sealed FROM session_keys").fetch_all(&store.writer).await.unwrap();
        let opened = rows.iter().filter(|(id, sealed)| {
            let place = Place { table: "session_keys", row: id, column: "key", generation: 0 };
            alone.open(&place, sealed).is_ok_and(|plain| plain.as_slice() == id.as_bytes())
        });
        assert_eq!(opened.count(), 149, "under the new key only");
    }
}
