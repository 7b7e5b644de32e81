//! Administrators, admin keys, what sessions are signed with, and sessions that were ended.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use zeroize::Zeroizing;

use super::rows::{count, maybe_moment, moment, stored};
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::domain::administrator::{Account, AdminKeyEntry, PasswordHash};
use crate::domain::client::KeyMac;
use crate::domain::credential::Name;
use crate::domain::scope::Scopes;
use crate::seal::Place;

/// What sessions are signed with.
#[derive(Clone)]
pub struct SessionKey {
    /// Its name in a token's header.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The key.
    pub key: Zeroizing<[u8; 32]>,
}

/// A session that was ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedSession {
    /// Which.
    pub id: String,
    /// When its last token has ended by itself, so that nobody needs to remember it.
    pub until: Timestamp,
}

fn place<'a>(table: &'a str, row: &'a str, column: &'a str) -> Place<'a> {
    Place { table, row, column, generation: 0 }
}

impl Store {
    /// All administrators, in the order of their names.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query("SELECT * FROM administrators ORDER BY name").fetch_all(&self.writer).await?;
        rows.iter().map(|row| self.account(row)).collect()
    }

    /// A new administrator.
    pub async fn insert_account(&self, account: &Account) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO administrators (id, name, scopes, created_at, password_sealed, password_set_at, session_epoch) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&account.id)
        .bind(account.name.as_str())
        .bind(account.scopes.to_string())
        .bind(account.created_at.as_unix())
        .bind(self.sealed_password(account))
        .bind(account.password_set_at.as_unix())
        .bind(stored(account.session_epoch))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Other scopes, another password, or another epoch of sessions.
    pub async fn update_account(&self, account: &Account) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE administrators SET password_sealed = $1, password_set_at = $2, session_epoch = $3, scopes = $4 \
             WHERE id = $5",
        )
        .bind(self.sealed_password(account))
        .bind(account.password_set_at.as_unix())
        .bind(stored(account.session_epoch))
        .bind(account.scopes.to_string())
        .bind(&account.id)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets an administrator.
    pub async fn remove_account(&self, id: &str) -> Result<(), StoreError> {
        self.delete("DELETE FROM administrators WHERE id = $1", id).await
    }

    /// All admin keys, in the order of their names.
    pub async fn admin_keys(&self) -> Result<Vec<AdminKeyEntry>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query("SELECT * FROM admin_keys ORDER BY name").fetch_all(&self.writer).await?;
        rows.iter().map(key_entry).collect()
    }

    /// A new admin key.
    pub async fn insert_admin_key(&self, key: &AdminKeyEntry) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO admin_keys (id, name, scopes, created_at, expires_at, key_mac) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&key.id)
        .bind(key.name.as_str())
        .bind(key.scopes.to_string())
        .bind(key.created_at.as_unix())
        .bind(key.expires_at.map(Timestamp::as_unix))
        .bind(key.mac.as_bytes().as_slice())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets an admin key.
    pub async fn remove_admin_key(&self, id: &str) -> Result<(), StoreError> {
        self.delete("DELETE FROM admin_keys WHERE id = $1", id).await
    }

    /// What sessions are signed with, oldest first.
    pub async fn session_keys(&self) -> Result<Vec<SessionKey>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query("SELECT * FROM session_keys ORDER BY serial").fetch_all(&self.writer).await?;
        rows.iter().map(|row| self.session_key(row)).collect()
    }

    /// The next key that signs; those with an id in `ended` are forgotten in the same transaction.
    pub async fn add_session_key(&self, key: &SessionKey, ended: &[String]) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let sealed = self.sealer.seal(&place("session_keys", &key.id, "key"), key.key.as_slice());
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO session_keys (serial, id, created_at, key_sealed) \
             SELECT COALESCE(MAX(serial), 0) + 1, $1, $2, $3 FROM session_keys",
        )
        .bind(&key.id)
        .bind(key.created_at.as_unix())
        .bind(sealed)
        .execute(&mut *transaction)
        .await?;
        for id in ended {
            sqlx::query("DELETE FROM session_keys WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Sessions that were ended and would still be good at `now`.
    pub async fn ended_sessions(&self, now: Timestamp) -> Result<Vec<EndedSession>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query("SELECT * FROM ended_sessions WHERE until > $1").bind(now.as_unix());
        let rows = rows.fetch_all(&self.writer).await?;
        rows.iter().map(|row| Ok(EndedSession { id: row.try_get("id")?, until: moment(row, "until")? })).collect()
    }

    /// Ends a session; what has ended by itself at `now` is forgotten.
    pub async fn end_session(&self, session: &EndedSession, now: Timestamp) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM ended_sessions WHERE until <= $1 OR id = $2")
            .bind(now.as_unix())
            .bind(&session.id)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO ended_sessions (id, until) VALUES ($1, $2)")
            .bind(&session.id)
            .bind(session.until.as_unix())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn delete(&self, statement: &'static str, id: &str) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query(statement).bind(id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    fn sealed_password(&self, account: &Account) -> Vec<u8> {
        self.sealer.seal(&place("administrators", &account.id, "password"), &account.password.to_bytes())
    }

    fn account(&self, row: &SqliteRow) -> Result<Account, StoreError> {
        let id: String = row.try_get("id")?;
        let password = self.sealer.open(&place("administrators", &id, "password"), row.try_get("password_sealed")?)?;
        let password = PasswordHash::from_bytes(&password);
        Ok(Account {
            name: name(row, "administrators.name")?,
            scopes: scopes(row, "administrators.scopes")?,
            created_at: moment(row, "created_at")?,
            password: password.ok_or(StoreError::Impossible("administrators.password"))?,
            password_set_at: moment(row, "password_set_at")?,
            session_epoch: count(row, "session_epoch")?,
            id,
        })
    }

    fn session_key(&self, row: &SqliteRow) -> Result<SessionKey, StoreError> {
        let id: String = row.try_get("id")?;
        let key = self.sealer.open(&place("session_keys", &id, "key"), row.try_get("key_sealed")?)?;
        let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| StoreError::Impossible("session_keys.key"))?;
        Ok(SessionKey { id, created_at: moment(row, "created_at")?, key: Zeroizing::new(key) })
    }
}

fn key_entry(row: &SqliteRow) -> Result<AdminKeyEntry, StoreError> {
    let mac: &[u8] = row.try_get("key_mac")?;
    let mac = <[u8; 32]>::try_from(mac).map_err(|_| StoreError::Impossible("admin_keys.key_mac"))?;
    Ok(AdminKeyEntry {
        id: row.try_get("id")?,
        name: name(row, "admin_keys.name")?,
        scopes: scopes(row, "admin_keys.scopes")?,
        created_at: moment(row, "created_at")?,
        expires_at: maybe_moment(row, "expires_at")?,
        mac: KeyMac::from_bytes(mac),
    })
}

fn name(row: &SqliteRow, column: &'static str) -> Result<Name, StoreError> {
    Name::parse(row.try_get("name")?).map_err(|_| StoreError::Impossible(column))
}

fn scopes(row: &SqliteRow, column: &'static str) -> Result<Scopes, StoreError> {
    Scopes::parse(row.try_get("scopes")?).ok_or(StoreError::Impossible(column))
}
