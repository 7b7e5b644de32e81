//! The embedded database: connect, migrate, read back what was asked for.
//!
//! One writing connection, so that writers wait in a fair queue in this process instead of for SQLite's lock, and a
//! few reading ones. Every write runs in an explicit transaction: in autocommit a failed commit of a `RETURNING`
//! statement is dropped unseen.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Row, Sqlite, Transaction};

use crate::activity::Activity;
use crate::seal::{KeyId, OpenError, Sealer};

pub mod administrators;
pub mod alarms;
pub mod audit;
pub mod checkpoint;
mod client_pages;
pub mod clients;
pub mod credentials;
pub mod holders;
pub mod invites;
pub mod repeated_requests;
mod rows;
pub mod sealed_cells;
mod snapshot;
pub mod stand_ins;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// The broker's database.
#[derive(Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    sealer: Sealer,
    activity: Activity,
}

const PUT_BACK: &str =
    "Put key-ring back from where the data directory came from, or restore a backup. Nothing was changed";

/// Why the database cannot be used at all: the process should not start.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// SQLite, or the disk under it.
    #[error("cannot open the database {path}: {source}")]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// A migration failed, or the database was made by a newer version.
    #[error("cannot bring the database {path} up to date: {source}")]
    Migration {
        /// Which.
        path: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// A setting did not take: durability is not what we promise.
    #[error("the database did not take {pragma} = {wanted}, it says {got}")]
    Pragma {
        /// The setting.
        pragma: &'static str,
        /// What we need.
        wanted: &'static str,
        /// What it is.
        got: String,
    },
    /// Sealed under another master key.
    #[error(
        "the database is sealed under the master key {needed}; the one given is {given}, and no file 'key-ring' tells of \
         the other: {PUT_BACK}"
    )]
    OtherKey {
        /// The key's id in the database.
        needed: KeyId,
        /// The id of the key that was given.
        given: KeyId,
    },
    /// The keys make other names and MACs than those in the database: the ring is missing, or not the one of this data.
    #[error(
        "the file 'key-ring' is missing or not the one of this data: names and MACs in the database are made with the key \
         {needed}, and these keys make them with {given}. {PUT_BACK}"
    )]
    OtherNames {
        /// The id of the key that made the names in the database.
        needed: KeyId,
        /// The id of the one that would make them now.
        given: KeyId,
    },
}

/// Why one operation failed; the process goes on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite, or the disk under it. When it comes from a commit, whether it happened is unknown.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// A row holds something that we never write.
    #[error("the database holds an impossible value in {0}")]
    Impossible(&'static str),
    /// A sealed cell does not open.
    #[error("a sealed cell does not open: {0}")]
    Sealed(#[from] OpenError),
}

/// What a compare-and-swap found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Swap {
    /// The row was as expected and is now as asked.
    Done,
    /// The row has moved on: nothing was changed.
    Superseded,
}

impl Store {
    /// Opens the database, makes it if it is not there, and brings its schema up to date.
    ///
    /// `instance` is written into a new database and read from an old one. Nothing is written to a database that is
    /// sealed under another key.
    pub async fn open(
        path: &Path,
        sealer: Sealer,
        instance: &str,
        activity: Activity,
    ) -> Result<(Self, String), OpeningError> {
        let database = |source| OpeningError::Database { path: path.to_owned(), source };
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(30))
            .idle_timeout(None)
            .max_lifetime(None)
            .after_release(|connection, _| Box::pin(is_usable(connection)))
            .connect_with(options(path).create_if_missing(true))
            .await
            .map_err(database)?;
        read_back(&writer).await?;
        check_key(&writer, &sealer).await?;
        MIGRATIONS.run(&writer).await.map_err(|source| OpeningError::Migration { path: path.to_owned(), source })?;
        let instance = claim_identity(&writer, &sealer, instance).await.map_err(database)?;
        let readers = SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(2)
            .idle_timeout(Duration::from_secs(60))
            .connect_lazy_with(options(path).read_only(true));
        Ok((Self { writer, readers, sealer, activity }, instance))
    }

    /// Waits for what is under way, empties the log into the database and closes the files.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        if let Err(error) = self.empty_log().await {
            // Nothing is lost: the next start reads the log.
            tracing::warn!(%error, "the database's log was not emptied");
        }
    }

    /// Empties the log into the database. Old forms of what was changed are in neither afterwards.
    ///
    /// The last connection that is closed empties it by itself. But one that was on its way back to its pool when the
    /// worker that had used it ended is closed by a thread for which nobody waits, perhaps not before the process has gone.
    pub async fn empty_log(&self) -> Result<(), sqlx::Error> {
        let options = self.writer.connect_options();
        let mut log = options.get_filename().as_os_str().to_owned();
        log.push("-wal");
        if !Path::new(&log).exists() {
            return Ok(());
        }
        let mut connection = SqliteConnectOptions::clone(&options).create_if_missing(false).connect().await?;
        let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut connection).await?;
        // One that is in the way is told in the row and is no error.
        let is_busy = row.try_get::<i64, _>(0)? != 0;
        connection.close().await?;
        if is_busy {
            let in_the_way = "another connection is still reading it";
            return Err(std::io::Error::new(std::io::ErrorKind::ResourceBusy, in_the_way).into());
        }
        Ok(())
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }
}

/// On a full disk SQLite rolls a transaction back by itself. sqlx does not notice, counts one that is open for ever, and
/// can begin no other on this connection: it is closed, and the pool opens the next one.
async fn is_usable(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // Behind whatever the last owner has queued, a rollback above all.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What was sealed under a key that was changed since must not be left in a page that is free.
        .pragma("secure_delete", "ON")
        .busy_timeout(Duration::from_secs(5))
}

/// SQLite ignores a pragma that it cannot honour, so the answer is checked and not the asking.
async fn read_back(pool: &SqlitePool) -> Result<(), OpeningError> {
    for (pragma, statement, wanted) in [
        ("journal_mode", "PRAGMA journal_mode", "wal"),
        ("synchronous", "PRAGMA synchronous", "2"),
        ("foreign_keys", "PRAGMA foreign_keys", "1"),
        ("secure_delete", "PRAGMA secure_delete", "1"),
    ] {
        let row = sqlx::query(statement)
            .fetch_one(pool)
            .await
            .map_err(|source| OpeningError::Database { path: PathBuf::new(), source })?;
        let got = row.try_get::<String, _>(0).or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()));
        match got {
            Ok(got) if got == wanted => {}
            got => return Err(OpeningError::Pragma { pragma, wanted, got: got.unwrap_or_default() }),
        }
    }
    Ok(())
}

async fn meta(connection: &mut SqliteConnection, key: &str) -> Result<Option<String>, sqlx::Error> {
    let row = sqlx::query("SELECT value FROM meta WHERE key = $1").bind(key).fetch_optional(connection).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// Before the first write: a database that exists must be ours to open.
async fn check_key(pool: &SqlitePool, sealer: &Sealer) -> Result<(), OpeningError> {
    let database = |source| OpeningError::Database { path: PathBuf::new(), source };
    let mut connection = pool.acquire().await.map_err(database)?;
    let exists = sqlx::query("SELECT 1 FROM sqlite_master WHERE name = 'meta'")
        .fetch_optional(&mut *connection)
        .await
        .map_err(database)?;
    if exists.is_none() {
        return Ok(());
    }
    let mut noted = async |key| {
        let text = meta(&mut connection, key).await.map_err(database)?;
        Ok(text.and_then(|text| KeyId::from_str(&text).ok()))
    };
    if let Some(needed) = noted("key_id").await?
        && !sealer.knows(needed)
    {
        return Err(OpeningError::OtherKey { needed, given: sealer.key_id() });
    }
    match noted("names_id").await? {
        Some(needed) if needed != sealer.names_id() => {
            Err(OpeningError::OtherNames { needed, given: sealer.names_id() })
        }
        Some(_) | None => Ok(()),
    }
}

async fn claim_identity(pool: &SqlitePool, sealer: &Sealer, instance: &str) -> Result<String, sqlx::Error> {
    let (key_id, names_id) = (sealer.key_id().to_string(), sealer.names_id().to_string());
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    // A database of before names_id was noted gets it now.
    for (key, value) in [("instance", instance), ("key_id", &key_id), ("names_id", &names_id)] {
        sqlx::query("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING")
            .bind(key)
            .bind(value)
            .execute(&mut *transaction)
            .await?;
    }
    let known = meta(&mut transaction, "instance").await?;
    transaction.commit().await?;
    Ok(known.unwrap_or_else(|| instance.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::MasterKey;

    #[tokio::test]
    async fn a_store_is_closed_with_an_empty_log_also_while_a_connection_of_its_own_is_late() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.db");
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let (store, _) = Store::open(&path, sealer, "i", Activity::default()).await.unwrap();
        let mut late = options(&path).connect().await.unwrap();
        sqlx::query("SELECT * FROM meta").fetch_all(&mut late).await.unwrap();
        store.close().await;
        assert_eq!(std::fs::metadata(directory.path().join("broker.db-wal")).unwrap().len(), 0);
        late.close().await.unwrap();
    }

    #[tokio::test]
    async fn a_log_that_a_reader_holds_is_reported_as_not_emptied() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.db");
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let (store, _) = Store::open(&path, sealer, "i", Activity::default()).await.unwrap();
        let mut reader = options(&path).connect().await.unwrap();
        sqlx::query("BEGIN").execute(&mut reader).await.unwrap();
        sqlx::query("SELECT * FROM meta").fetch_all(&mut reader).await.unwrap();
        let error = store.empty_log().await.unwrap_err();
        assert!(error.to_string().contains("still reading"), "{error}");
        reader.close().await.unwrap();
        store.close().await;
    }

    /// After a change of the master key from 7 to 8.
    fn changed() -> Sealer {
        let (former, current) = (MasterKey::from_bytes([7; 32]), MasterKey::from_bytes([8; 32]));
        Sealer::with(&current, std::slice::from_ref(&former), former.key_id())
    }

    #[tokio::test]
    async fn s3_keys_without_their_ring_make_other_names_and_are_refused_before_anything_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.db");
        let (store, _) = Store::open(&path, changed(), "i", Activity::default()).await.unwrap();
        store.close().await;
        let before = std::fs::read(&path).unwrap();
        let alone = |byte| Sealer::new(&MasterKey::from_bytes([byte; 32]));
        let refused = Store::open(&path, alone(8), "i", Activity::default()).await.err().unwrap();
        assert!(matches!(refused, OpeningError::OtherNames { .. }), "{refused}");
        assert!(refused.to_string().contains("'key-ring' is missing"), "{refused}");
        let refused = Store::open(&path, alone(7), "i", Activity::default()).await.err().unwrap();
        assert!(matches!(refused, OpeningError::OtherKey { .. }) && refused.to_string().contains("Put key-ring back"));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        Store::open(&path, changed(), "i", Activity::default()).await.unwrap();
    }

    #[tokio::test]
    async fn a_database_from_before_names_were_noted_notes_them_at_its_next_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.db");
        let (store, _) = Store::open(&path, changed(), "i", Activity::default()).await.unwrap();
        sqlx::query("DELETE FROM meta WHERE key = 'names_id'").execute(&store.writer).await.unwrap();
        store.close().await;
        let (store, instance) = Store::open(&path, changed(), "another", Activity::default()).await.unwrap();
        assert_eq!(instance, "i");
        store.close().await;
        let alone = Sealer::new(&MasterKey::from_bytes([8; 32]));
        assert!(Store::open(&path, alone, "i", Activity::default()).await.is_err());
    }

    #[tokio::test]
    async fn s4_a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broker.db");
        let sealer = Sealer::new(&MasterKey::from_bytes([7; 32]));
        let (store, _) = Store::open(&path, sealer.clone(), "i", Activity::default()).await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                     VALUES (9999, 'later', TRUE, x'00', 0)";
        sqlx::query(newer).execute(&store.writer).await.unwrap();
        store.close().await;
        let before = std::fs::read(&path).unwrap();
        let refused = Store::open(&path, sealer, "i", Activity::default()).await.err().unwrap();
        assert!(matches!(refused, OpeningError::Migration { .. }), "{refused}");
        assert!(refused.to_string().contains("9999"), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
