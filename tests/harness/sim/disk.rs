//! Places for a world's files, and disks that fail.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

/// A memory-backed directory where there is one, else the usual place for temporary files.
pub fn in_memory() -> PathBuf {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() }
}

/// From now on SQLite refuses every insert and update of these tables, and rolls the transaction back by itself, as on a
/// disk that takes no more.
///
/// # Panics
/// When it does not take the order.
pub async fn refuse_writes(database: &Path, tables: &[&str]) {
    let mut connection = open(database).await;
    for table in tables {
        for verb in ["INSERT", "UPDATE"] {
            let order = format!(
                "CREATE TRIGGER IF NOT EXISTS sabotage_{verb}_{table} BEFORE {verb} ON {table} \
                 BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END"
            );
            sqlx::query(AssertSqlSafe(order)).execute(&mut connection).await.expect("SQLite takes a trigger");
        }
    }
    connection.close().await.expect("a connection can be closed");
}

/// SQLite takes everything again.
///
/// # Panics
/// When it does not take the order.
pub async fn accept_writes(database: &Path) {
    let mut connection = open(database).await;
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'sabotage%'")
            .fetch_all(&mut connection)
            .await
            .expect("the schema can be read");
    for name in names {
        let order = format!("DROP TRIGGER {name}");
        sqlx::query(AssertSqlSafe(order)).execute(&mut connection).await.expect("a trigger can be dropped");
    }
    connection.close().await.expect("a connection can be closed");
}

/// Executes one statement.
///
/// # Panics
/// When SQLite does not take it.
pub async fn execute(database: &Path, statement: &str) {
    let mut connection = open(database).await;
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.expect("SQLite takes it");
    connection.close().await.expect("a connection can be closed");
}

/// Flips one bit in the middle of a credential's cell.
///
/// # Panics
/// When there is no such cell.
pub async fn flip_bit(database: &Path, column: &str, name: &str) {
    let mut connection = open(database).await;
    let mut cell: Vec<u8> =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT {column} FROM credentials WHERE name = $1")))
            .bind(name)
            .fetch_one(&mut connection)
            .await
            .expect("there is such a cell");
    let middle = cell.len() / 2;
    cell[middle] ^= 1;
    sqlx::query(AssertSqlSafe(format!("UPDATE credentials SET {column} = $1 WHERE name = $2")))
        .bind(cell)
        .bind(name)
        .execute(&mut connection)
        .await
        .expect("the cell can be written");
    connection.close().await.expect("a connection can be closed");
}

async fn open(database: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(database).connect().await.expect("the database can be opened")
}

/// A small disk of its own, so that it can really be full.
pub struct SmallDisk {
    directory: TempDir,
}

impl SmallDisk {
    /// A disk of so many bytes; `None` where mounting is not allowed, and then says so.
    ///
    /// # Panics
    /// When no directory can be made for it.
    pub fn mount(bytes: usize) -> Option<Self> {
        let directory = tempfile::Builder::new().prefix("scorpiox-disk-").tempdir().expect("a directory can be made");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes},mode=700"), "none"])
            .arg(directory.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self { directory });
        }
        eprintln!("LEFT OUT: a disk that is really full, because this user may not mount one (root may)");
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Fills it to the last byte.
    ///
    /// # Panics
    /// When not even the ballast's name can be written.
    pub fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file can be made");
        let mut block = vec![1_u8; 1 << 16];
        while !block.is_empty() {
            if ballast.write_all(&block).is_err() {
                block.truncate(block.len() / 2);
            }
        }
    }

    /// Makes room again.
    ///
    /// # Panics
    /// When it was not full.
    pub fn make_room(&self) {
        fs::remove_file(self.ballast()).expect("the ballast is there");
    }

    fn ballast(&self) -> PathBuf {
        self.directory.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: threads of a broker that was killed may still hold its files.
        let _ = Command::new("umount").arg("-l").arg(self.directory.path()).status();
    }
}
