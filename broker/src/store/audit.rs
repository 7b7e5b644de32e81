//! The audit in the database: appended in one transaction for all that wait, read in order.

use std::sync::LazyLock;

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::rows::{count, moment, stored};
use super::{Store, StoreError};
use crate::audit_chain::{Entry, Line, Link, Record};
use crate::clock::Timestamp;
use crate::domain::client::ClientId;
use crate::domain::credential::CredentialId;

/// The first hand-out of one generation to one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstHandout {
    /// To whom.
    pub client: ClientId,
    /// Of what.
    pub credential: CredentialId,
    /// Of which generation.
    pub generation: u64,
    /// When that token ends.
    pub expires_at: Timestamp,
}

/// Something to be written down, and the hand-out that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The line of the audit.
    pub record: Record,
    /// Set for the first hand-out of a generation.
    pub handout: Option<FirstHandout>,
}

impl Store {
    /// Writes deeds at the end of the chain, all or none, and tells where the chain ends now.
    pub async fn append_deeds(&self, deeds: &[Deed]) -> Result<Link, StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        let mut last = head(&mut transaction).await?;
        let mut entries = Vec::with_capacity(deeds.len());
        for deed in deeds {
            let entry = Entry::after(last, deed.record.clone(), &self.sealer);
            last = entry.link;
            entries.push(entry);
        }
        let noted = deeds.iter().filter_map(|deed| Some((deed.handout.as_ref()?, deed.record.at)));
        insert(&mut transaction, &entries).await?;
        note(&mut transaction, &noted.collect::<Vec<_>>()).await?;
        transaction.commit().await?;
        Ok(last)
    }

    /// Whether the database takes writes: one that reaches the disk and leaves nothing behind.
    pub async fn try_to_write(&self) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        // An update to the same value would not change a page, and what is rolled back is not written.
        for statement in ["INSERT INTO meta (key, value) VALUES ('probe', '')", "DELETE FROM meta WHERE key = 'probe'"]
        {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Entries after `seq`, oldest first, at most `limit`.
    pub async fn audit_after(&self, seq: u64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query("SELECT * FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(stored(seq))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }

    /// The newest `limit` entries, oldest first.
    pub async fn audit_tail(&self, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query("SELECT * FROM (SELECT * FROM audit ORDER BY seq DESC LIMIT $1) ORDER BY seq")
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }
}

async fn head(connection: &mut SqliteConnection) -> Result<Link, StoreError> {
    let row = sqlx::query("SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(connection).await?;
    row.as_ref().map_or(Ok(Link::START), read_link)
}

/// So many rows in one statement: when ten thousand clients wait for their first hand-out, a statement for each row is
/// most of what they wait for.
const ROWS: usize = 32;

/// An INSERT of one row, and of [`ROWS`].
struct Insert {
    one: String,
    many: String,
}

impl Insert {
    fn into(table_and_columns: &str, columns: usize, then: &str) -> Self {
        let row = |number: usize| {
            let places: Vec<String> = (1..=columns).map(|column| format!("${}", number * columns + column)).collect();
            format!("({})", places.join(", "))
        };
        let sql = |rows: usize| {
            let values: Vec<String> = (0..rows).map(row).collect();
            format!("INSERT INTO {table_and_columns} VALUES {} {then}", values.join(", "))
        };
        Self { one: sql(1), many: sql(ROWS) }
    }

    /// The rows of each statement, and its text.
    fn statements<'a, T>(&'static self, rows: &'a [T]) -> impl Iterator<Item = (&'static str, &'a [T])> {
        let whole = rows.chunks_exact(ROWS);
        let rest = whole.remainder().chunks(1);
        whole.map(|rows| (self.many.as_str(), rows)).chain(rest.map(|rows| (self.one.as_str(), rows)))
    }
}

static INSERT_ENTRIES: LazyLock<Insert> = LazyLock::new(|| {
    Insert::into("audit (seq, at, actor, action, object, outcome, request_id, address, detail, mac)", 10, "")
});

static INSERT_HANDOUTS: LazyLock<Insert> = LazyLock::new(|| {
    Insert::into(
        "handouts (client_id, credential_id, generation, first_at, last_at, count, expires_at)",
        7,
        "ON CONFLICT (client_id, credential_id, generation) \
         DO UPDATE SET count = handouts.count + excluded.count, last_at = excluded.last_at",
    )
});

async fn insert(connection: &mut SqliteConnection, entries: &[Entry]) -> Result<(), StoreError> {
    for (sql, entries) in INSERT_ENTRIES.statements(entries) {
        let mut query = sqlx::query(sql);
        for Entry { link, record } in entries {
            query = query
                .bind(stored(link.seq))
                .bind(record.at.as_unix())
                .bind(record.actor.as_str())
                .bind(record.action.as_str())
                .bind(record.object.as_str())
                .bind(record.outcome.as_str())
                .bind(record.request_id.as_str())
                .bind(record.address.as_str())
                .bind(record.detail.as_str())
                .bind(link.mac.as_slice());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// The same hand-out may be noted twice in one statement: SQLite takes one row after the other. PostgreSQL would not.
async fn note(connection: &mut SqliteConnection, noted: &[(&FirstHandout, Timestamp)]) -> Result<(), StoreError> {
    for (sql, noted) in INSERT_HANDOUTS.statements(noted) {
        let mut query = sqlx::query(sql);
        for (handout, at) in noted {
            query = query
                .bind(handout.client.as_str())
                .bind(handout.credential.as_str())
                .bind(stored(handout.generation))
                .bind(at.as_unix())
                .bind(at.as_unix())
                .bind(1_i64)
                .bind(handout.expires_at.as_unix());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

fn read_link(row: &SqliteRow) -> Result<Link, StoreError> {
    let mac: &[u8] = row.try_get("mac")?;
    let mac = <[u8; 32]>::try_from(mac).map_err(|_| StoreError::Impossible("audit.mac"))?;
    Ok(Link { seq: count(row, "seq")?, mac })
}

fn read(row: &SqliteRow) -> Result<Entry, StoreError> {
    let line = |column: &'static str| Ok::<_, StoreError>(Line::as_stored(row.try_get(column)?));
    let record = Record {
        at: moment(row, "at")?,
        actor: line("actor")?,
        action: line("action")?,
        object: line("object")?,
        outcome: line("outcome")?,
        request_id: line("request_id")?,
        address: line("address")?,
        detail: line("detail")?,
    };
    Ok(Entry { link: read_link(row)?, record })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Activity;
    use crate::seal::{MasterKey, Sealer};

    fn deed(number: usize) -> Deed {
        let handout = FirstHandout {
            client: ClientId::from_stored(format!("c{}", number % 50)),
            credential: CredentialId::from_stored("4k2j".into()),
            generation: 1,
            expires_at: Timestamp::from_unix(900),
        };
        let line = |text: &str| Line::of(text);
        let record = Record {
            at: Timestamp::from_unix(number as i64),
            actor: line(&format!("client:{number}")),
            action: line("token.first"),
            object: line("credential:main"),
            outcome: line("ok"),
            request_id: line("r"),
            address: line("127.0.0.1"),
            detail: line(""),
        };
        Deed { record, handout: (!number.is_multiple_of(3)).then_some(handout) }
    }

    #[tokio::test]
    async fn a_try_reaches_the_disk_and_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.db");
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let (store, _) = Store::open(&path, sealer, "i", Activity::default()).await.unwrap();
        let rows = async || sqlx::query("SELECT key, value FROM meta").fetch_all(&store.writer).await.unwrap().len();
        let log = || std::fs::metadata(directory.path().join("broker.db-wal")).unwrap().len();
        let before = (rows().await, log());
        store.try_to_write().await.unwrap();
        store.try_to_write().await.unwrap();
        assert_eq!(rows().await, before.0);
        assert!(log() > before.1, "it was written");
        store.close().await;
    }

    #[tokio::test]
    async fn however_many_deeds_wait_they_are_appended_in_their_order() {
        let directory = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let path = directory.path().join("broker.db");
        let (store, _) = Store::open(&path, sealer.clone(), "i", Activity::default()).await.unwrap();
        let mut written = Vec::new();
        for count in [0, 1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 5] {
            let deeds: Vec<Deed> = (written.len()..written.len() + count).map(deed).collect();
            let end = store.append_deeds(&deeds).await.unwrap();
            written.extend(deeds);
            assert_eq!(end.seq, written.len() as u64);
        }
        let entries = store.audit_after(0, 10_000).await.unwrap();
        let mut last = Link::START;
        for (entry, deed) in entries.iter().zip(&written) {
            assert_eq!(*entry, Entry::after(last, deed.record.clone(), &sealer));
            last = entry.link;
        }
        assert_eq!(entries.len(), written.len());
        let noted = written.iter().filter_map(|deed| Some((deed.handout.as_ref()?, deed.record.at)));
        let of_seven: Vec<Timestamp> =
            noted.filter(|(handout, _)| handout.client.as_str() == "c7").map(|(_, at)| at).collect();
        let last = store.last_handout(&ClientId::from_stored("c7".into())).await.unwrap().unwrap();
        assert_eq!(Some(&last.last_at), of_seven.last());
    }
}
