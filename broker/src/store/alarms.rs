//! What was told to people, and what still waits to be told.

use sqlx::{Row, SqliteConnection};

use super::rows::{moment, stored};
use super::{Store, StoreError};
use crate::alerts::Notice;
use crate::domain::alarm::{Key, Memory, Standing, What};

/// Notices for each sink, by its name, oldest first.
pub type Waiting = Vec<(String, Notice)>;

/// A notice, and where it stands among those of its sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Whose.
    pub sink: String,
    /// Its place; smaller is earlier.
    pub place: u64,
    /// What is to be told.
    pub notice: Notice,
}

/// What is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmChanges {
    /// Conditions that are over.
    pub over: Vec<Key>,
    /// Conditions that were told.
    pub standing: Vec<(Key, Standing)>,
    /// Notices that do not wait any more, by sink and place.
    pub gone: Vec<(String, u64)>,
    /// Notices that wait now.
    pub waiting: Vec<Placed>,
}

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
            let notice = Notice::kept(row.try_get("id")?, moment(row, "made_at")?, row.try_get("body")?);
            Ok((row.try_get("sink")?, notice))
        });
        Ok((memory, waiting.collect::<Result<_, StoreError>>()?))
    }

    /// Writes these changes, and nothing else.
    pub async fn change_alarms(&self, changes: &AlarmChanges) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        write(&mut transaction, changes).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The same in place of all that was written before.
    pub async fn replace_alarms(&self, changes: &AlarmChanges) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM alarms").execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM notices").execute(&mut *transaction).await?;
        write(&mut transaction, changes).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn write(connection: &mut SqliteConnection, changes: &AlarmChanges) -> Result<(), StoreError> {
    for key in &changes.over {
        sqlx::query("DELETE FROM alarms WHERE what = $1 AND subject = $2")
            .bind(key.what.as_str())
            .bind(&key.subject)
            .execute(&mut *connection)
            .await?;
    }
    for (key, standing) in &changes.standing {
        sqlx::query(
            "INSERT INTO alarms (what, subject, since, reason) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (what, subject) DO UPDATE SET since = excluded.since, reason = excluded.reason",
        )
        .bind(key.what.as_str())
        .bind(&key.subject)
        .bind(standing.since.as_unix())
        .bind(&standing.reason)
        .execute(&mut *connection)
        .await?;
    }
    for (sink, place) in &changes.gone {
        sqlx::query("DELETE FROM notices WHERE sink = $1 AND place = $2")
            .bind(sink)
            .bind(stored(*place))
            .execute(&mut *connection)
            .await?;
    }
    for Placed { sink, place, notice } in &changes.waiting {
        sqlx::query("INSERT INTO notices (sink, place, id, made_at, body) VALUES ($1, $2, $3, $4, $5)")
            .bind(sink)
            .bind(stored(*place))
            .bind(&notice.id)
            .bind(notice.made_at.as_unix())
            .bind(&notice.body)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
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
        let standing = Standing { since: Timestamp::from_unix(7), reason: "r".into(), unseen_since: None };
        let key = |subject: &str| Key { what: What::Reauth, subject: subject.into() };
        let notice = |id: &str| Notice::kept(id.into(), Timestamp::from_unix(8), "{}".into());
        let placed = |sink: &str, place, id| Placed { sink: sink.into(), place, notice: notice(id) };
        let first = AlarmChanges {
            standing: vec![(key("main"), standing.clone()), (key("other"), standing.clone())],
            waiting: vec![placed("command", 0, "a"), placed("command", 1, "b"), placed("webhook", 2, "a")],
            ..AlarmChanges::default()
        };
        store.replace_alarms(&first).await.unwrap();
        store.replace_alarms(&first).await.unwrap();
        let anew = Standing { since: Timestamp::from_unix(9), ..standing };
        let then = AlarmChanges {
            over: vec![key("other")],
            standing: vec![(key("main"), anew.clone())],
            gone: vec![("command".into(), 0)],
            waiting: vec![placed("command", 3, "c")],
        };
        store.change_alarms(&then).await.unwrap();
        store.close().await;
        let (store, _) = open().await.unwrap();
        let memory = Memory([(key("main"), anew)].into());
        let waiting = [("command", "b"), ("command", "c"), ("webhook", "a")];
        let waiting = waiting.map(|(sink, id)| (sink.to_owned(), notice(id))).to_vec();
        assert_eq!(store.alarms().await.unwrap(), (memory, waiting));
        store.close().await;
    }
}
