//! Credentials in the database: each change is a compare-and-swap on what its author believed.

use scorpiox_wire::Secret;
use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::rows::{count, maybe_moment, moment, read_pause, read_state, stored, write_pause, write_state};
use super::{Store, StoreError, Swap};
use crate::clock::Timestamp;
use crate::domain::credential::{Credential, CredentialId, Name, Owner, Pause};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::rotation::Rotation;
use crate::domain::token_set::TokenSet;
use crate::seal::{Place, Sealer};

const TABLE: &str = "credentials";

/// A credential as it was found.
#[derive(Debug)]
pub struct Found {
    /// The credential; without tokens when one of its sealed cells does not open (matrix S1).
    pub credential: Credential,
    /// What does not open, for a person.
    pub damage: Option<String>,
}

/// Who had a refresh token before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The credential that owns or owned it.
    pub credential: CredentialId,
    /// Its name, while the credential exists.
    pub name: Option<String>,
}

impl Store {
    /// All credentials, in the order of their names.
    pub async fn credentials(&self) -> Result<Vec<Found>, StoreError> {
        let _under_way = self.activity.begin();
        let rows = sqlx::query("SELECT * FROM credentials ORDER BY name").fetch_all(&self.writer).await?;
        rows.iter().map(|row| read(row, &self.sealer)).collect()
    }

    /// A first login: the row, and the name of its refresh token.
    pub async fn insert_credential(&self, credential: &Credential, now: Timestamp) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO credentials (id, name, provider, account_id, created_at, pause, epoch, generation, state, \
             state_detail, access_token_sealed, refresh_token_sealed, fingerprint, expires_at, obtained_at) \
             VALUES ($1, $2, 'codex', $3, $4, 'none', 0, 0, 'resting', '', x'', x'', '', 0, 0)",
        )
        .bind(credential.id.as_str())
        .bind(credential.name.as_str())
        .bind(&credential.owner.account_id)
        .bind(credential.created_at.as_unix())
        .execute(&mut *transaction)
        .await?;
        write_tokens(&mut transaction, credential, &self.sealer).await?;
        remember(&mut transaction, credential, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Replaces the token set after a grant or a login, if the generation is still `expected`.
    ///
    /// The pause is left alone: an administrator may have changed it meanwhile.
    pub async fn settle(&self, next: &Credential, expected: u64, now: Timestamp) -> Result<Swap, StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        let current = sqlx::query("SELECT generation, fingerprint, epoch FROM credentials WHERE id = $1")
            .bind(next.id.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(current) = current else { return Ok(Swap::Superseded) };
        let generation = count(&current, "generation")?;
        if generation != expected {
            // A commit whose outcome was unknown may have happened: then this is the same answer once more.
            let fingerprint: &str = current.try_get("fingerprint")?;
            let ours = next.tokens.as_ref().map(|tokens| tokens.fingerprint.to_string());
            let same = generation == next.rotation.generation && ours.as_deref() == Some(fingerprint);
            return Ok(if same { Swap::Done } else { Swap::Superseded });
        }
        write_tokens(&mut transaction, next, &self.sealer).await?;
        remember(&mut transaction, next, now).await?;
        transaction.commit().await?;
        Ok(Swap::Done)
    }

    /// Moves the rotation on, if epoch and generation are still those of `before`.
    pub async fn advance(&self, id: &CredentialId, before: &Rotation, after: &Rotation) -> Result<Swap, StoreError> {
        let _under_way = self.activity.begin();
        let (state, detail) = write_state(&after.state);
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "UPDATE credentials SET epoch = $1, state = $2, state_detail = $3 \
             WHERE id = $4 AND epoch = $5 AND generation = $6",
        )
        .bind(stored(after.epoch))
        .bind(state)
        .bind(detail)
        .bind(id.as_str())
        .bind(stored(before.epoch))
        .bind(stored(before.generation))
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        transaction.commit().await?;
        Ok(if changed == 1 { Swap::Done } else { Swap::Superseded })
    }

    /// How the rotation stands on disk; `None` when the credential is gone. Asked when the outcome of a commit is
    /// unknown.
    pub async fn rotation(&self, id: &CredentialId) -> Result<Option<Rotation>, StoreError> {
        let _under_way = self.activity.begin();
        let row = sqlx::query("SELECT epoch, generation, state, state_detail FROM credentials WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.writer)
            .await?;
        row.as_ref().map(read_rotation).transpose()
    }

    /// Switches renewal, or all of it, off and on.
    pub async fn set_pause(&self, id: &CredentialId, pause: Pause) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE credentials SET pause = $1 WHERE id = $2")
            .bind(write_pause(pause))
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Removes a credential; the names of its refresh tokens stay, so that no old copy comes back.
    pub async fn remove_credential(&self, id: &CredentialId) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let mut transaction = self.begin().await?;
        for statement in ["DELETE FROM grants WHERE credential_id = $1", "DELETE FROM credentials WHERE id = $1"] {
            sqlx::query(statement).bind(id.as_str()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Whose this refresh token is or was.
    pub async fn seen(&self, fingerprint: Fingerprint) -> Result<Option<Seen>, StoreError> {
        let _under_way = self.activity.begin();
        let row = sqlx::query(
            "SELECT f.credential_id, c.name FROM fingerprints f LEFT JOIN credentials c ON c.id = f.credential_id \
             WHERE f.fingerprint = $1",
        )
        .bind(fingerprint.to_string())
        .fetch_optional(&self.writer)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let credential = CredentialId::from_stored(row.try_get("credential_id")?);
        Ok(Some(Seen { credential, name: row.try_get("name")? }))
    }

    /// Keeps an answer that was obtained and may not be published. One that is kept already is not kept again: a start
    /// that did not come to its end finds it in its slot once more.
    pub async fn keep_answer(
        &self,
        id: &CredentialId,
        rotation: &Rotation,
        reason: &str,
        answer: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let _under_way = self.activity.begin();
        let place =
            Place { table: "kept_answers", row: id.as_str(), column: "answer", generation: rotation.generation };
        let mut transaction = self.begin().await?;
        let kept = sqlx::query(
            "SELECT answer_sealed FROM kept_answers \
             WHERE credential_id = $1 AND epoch = $2 AND generation = $3 AND reason = $4",
        )
        .bind(id.as_str())
        .bind(stored(rotation.epoch))
        .bind(stored(rotation.generation))
        .bind(reason)
        .fetch_all(&mut *transaction)
        .await?;
        for row in &kept {
            // Compared by what it says: a database that was put back may give an epoch to two answers.
            let sealed: &[u8] = row.try_get("answer_sealed")?;
            if self.sealer.open(&place, sealed).is_ok_and(|opened| opened.as_slice() == answer) {
                return Ok(());
            }
        }
        let sealed = self.sealer.seal(&place, answer);
        sqlx::query(
            "INSERT INTO kept_answers (credential_id, epoch, generation, reason, kept_at, answer_sealed) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id.as_str())
        .bind(stored(rotation.epoch))
        .bind(stored(rotation.generation))
        .bind(reason)
        .bind(now.as_unix())
        .bind(sealed)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How many answers are kept for a credential.
    pub async fn kept_answers(&self, id: &CredentialId) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM kept_answers WHERE credential_id = $1")
            .bind(id.as_str())
            .fetch_one(&self.writer)
            .await?;
        count(&row, "n")
    }
}

async fn write_tokens(
    connection: &mut SqliteConnection,
    credential: &Credential,
    sealer: &Sealer,
) -> Result<(), StoreError> {
    let tokens = credential.tokens.as_ref().ok_or(StoreError::Impossible("a token set without tokens"))?;
    let generation = credential.rotation.generation;
    let seal = |column, secret: &Secret| {
        let place = Place { table: TABLE, row: credential.id.as_str(), column, generation };
        sealer.seal(&place, secret.expose().as_bytes())
    };
    let (state, detail) = write_state(&credential.rotation.state);
    sqlx::query(
        "UPDATE credentials SET account_id = $1, user_id = $2, email = $3, plan_type = $4, epoch = $5, \
         generation = $6, state = $7, state_detail = $8, access_token_sealed = $9, refresh_token_sealed = $10, \
         id_token_sealed = $11, fingerprint = $12, expires_at = $13, obtained_at = $14, earliest_refresh_at = $15 \
         WHERE id = $16",
    )
    .bind(&credential.owner.account_id)
    .bind(&credential.owner.user_id)
    .bind(&credential.email)
    .bind(&credential.plan_type)
    .bind(stored(credential.rotation.epoch))
    .bind(stored(generation))
    .bind(state)
    .bind(detail)
    .bind(seal("access_token", &tokens.access_token))
    .bind(seal("refresh_token", &tokens.refresh_token))
    .bind(tokens.id_token.as_ref().map(|id_token| seal("id_token", id_token)))
    .bind(tokens.fingerprint.to_string())
    .bind(tokens.expires_at.as_unix())
    .bind(tokens.obtained_at.as_unix())
    .bind(tokens.earliest_refresh_at.map(Timestamp::as_unix))
    .bind(credential.id.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

async fn remember(
    connection: &mut SqliteConnection,
    credential: &Credential,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tokens = credential.tokens.as_ref().ok_or(StoreError::Impossible("a token set without tokens"))?;
    sqlx::query(
        "INSERT INTO fingerprints (fingerprint, credential_id, generation, seen_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (fingerprint) DO NOTHING",
    )
    .bind(tokens.fingerprint.to_string())
    .bind(credential.id.as_str())
    .bind(stored(credential.rotation.generation))
    .bind(now.as_unix())
    .execute(connection)
    .await?;
    Ok(())
}

fn read(row: &SqliteRow, sealer: &Sealer) -> Result<Found, StoreError> {
    let id = CredentialId::from_stored(row.try_get("id")?);
    let name = Name::parse(row.try_get("name")?).map_err(|_| StoreError::Impossible("credentials.name"))?;
    let rotation = read_rotation(row)?;
    let (tokens, damage) = match read_tokens(row, &id, rotation.generation, sealer) {
        Ok(tokens) => (Some(tokens), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let credential = Credential {
        name,
        owner: Owner { account_id: row.try_get("account_id")?, user_id: row.try_get("user_id")? },
        email: row.try_get("email")?,
        plan_type: row.try_get("plan_type")?,
        created_at: moment(row, "created_at")?,
        pause: read_pause(row.try_get("pause")?)?,
        rotation,
        tokens,
        id,
    };
    Ok(Found { credential, damage })
}

fn read_rotation(row: &SqliteRow) -> Result<Rotation, StoreError> {
    let state = read_state(row.try_get("state")?, row.try_get("state_detail")?)?;
    Ok(Rotation { epoch: count(row, "epoch")?, generation: count(row, "generation")?, state })
}

fn read_tokens(row: &SqliteRow, id: &CredentialId, generation: u64, sealer: &Sealer) -> Result<TokenSet, StoreError> {
    let open = |column: &'static str, sealed: &[u8]| -> Result<Secret, StoreError> {
        let place = Place { table: TABLE, row: id.as_str(), column, generation };
        let opened = sealer.open(&place, sealed)?;
        let text = std::str::from_utf8(&opened).map_err(|_| StoreError::Impossible("a sealed token"))?;
        Ok(Secret::new(text))
    };
    let refresh_token = open("refresh_token", row.try_get("refresh_token_sealed")?)?;
    let id_token: Option<&[u8]> = row.try_get("id_token_sealed")?;
    let fingerprint = sealer.fingerprint(&refresh_token);
    if fingerprint.to_string() != row.try_get::<&str, _>("fingerprint")? {
        return Err(StoreError::Impossible("credentials.fingerprint"));
    }
    Ok(TokenSet {
        access_token: open("access_token", row.try_get("access_token_sealed")?)?,
        id_token: id_token.map(|sealed| open("id_token", sealed)).transpose()?,
        refresh_token,
        fingerprint,
        expires_at: moment(row, "expires_at")?,
        obtained_at: moment(row, "obtained_at")?,
        earliest_refresh_at: maybe_moment(row, "earliest_refresh_at")?,
    })
}
