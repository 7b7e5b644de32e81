//! A copy of the whole database at one moment, made while it is used.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::rows::count;
use super::{Store, StoreError};
use crate::backup::manifest::Reached;

impl Store {
    /// Writes a copy to `path`, where no file is, checks it, and tells how far each credential had come in it. It has no
    /// keys of sessions: it does not know which sessions will have been ended when it comes back.
    pub async fn snapshot(&self, path: &Path) -> Result<Vec<Reached>, StoreError> {
        let _under_way = self.activity.begin();
        let target = path.to_str().ok_or(StoreError::Impossible("the path of a copy"))?;
        // A connection of its own: readers and the writer go on meanwhile.
        let mut source = SqliteConnectOptions::clone(&self.readers.connect_options()).connect().await?;
        sqlx::query("VACUUM INTO $1").bind(target).execute(&mut source).await?;
        source.close().await?;
        // The copy is one file.
        let options = SqliteConnectOptions::new().filename(path).journal_mode(SqliteJournalMode::Delete);
        let mut copy = options.connect().await?;
        sqlx::query("DELETE FROM session_keys").execute(&mut copy).await?;
        let reached = examine(&mut copy).await?;
        copy.close().await?;
        Ok(reached)
    }
}

async fn examine(copy: &mut SqliteConnection) -> Result<Vec<Reached>, StoreError> {
    let verdict: String = sqlx::query("PRAGMA integrity_check(1)").fetch_one(&mut *copy).await?.try_get(0)?;
    if verdict != "ok" {
        return Err(StoreError::Impossible("its own structure: the copy is damaged, and so is the database"));
    }
    let rows = sqlx::query("SELECT id, name, epoch, generation FROM credentials ORDER BY name").fetch_all(copy).await?;
    rows.iter()
        .map(|row| {
            Ok(Reached {
                id: row.try_get("id")?,
                name: row.try_get("name")?,
                epoch: count(row, "epoch")?,
                generation: count(row, "generation")?,
            })
        })
        .collect()
}
