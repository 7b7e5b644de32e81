//! A second connection to the broker's database: to lock it, look into it, or damage it.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};
use tokio::runtime::Runtime;

/// A connection that a test holds.
#[derive(Debug)]
pub struct Database {
    connection: SqliteConnection,
    runtime: Runtime,
}

impl Database {
    /// Opens the database of this data directory.
    ///
    /// # Panics
    /// When it is not there.
    pub fn of(data: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let options = SqliteConnectOptions::new().filename(data.join("broker.db"));
        let connection = runtime.block_on(options.connect()).expect("the database opens");
        Self { connection, runtime }
    }

    /// Runs a statement; how many rows it touched.
    pub fn execute(&mut self, sql: &str) -> u64 {
        let run = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection);
        self.runtime.block_on(run).unwrap_or_else(|error| panic!("{sql}: {error}")).rows_affected()
    }

    /// The first column of every row.
    pub fn column<T>(&mut self, sql: &str) -> Vec<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.connection);
        let rows: Vec<SqliteRow> = self.runtime.block_on(rows).unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Flips one bit in the middle of a cell.
    ///
    /// # Panics
    /// When there is no such cell.
    pub fn flip_a_bit(&mut self, table: &str, column: &str, row: &str) {
        let mut cell = self.column::<Vec<u8>>(&format!("SELECT {column} FROM {table} WHERE {row}")).remove(0);
        let middle = cell.len() / 2;
        cell[middle] ^= 0x10;
        let digits: String = cell.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(self.execute(&format!("UPDATE {table} SET {column} = x'{digits}' WHERE {row}")), 1);
    }

    /// Keeps every writer out until [`Self::unlock`] or the end of this connection.
    pub fn lock(&mut self) {
        self.execute("BEGIN IMMEDIATE");
    }

    /// Lets writers in again.
    pub fn unlock(&mut self) {
        self.execute("ROLLBACK");
    }
}
