//! Looks at the disk at the moment when a refresh token is presented: was it written down first?

use std::path::PathBuf;

use scorpiox_broker::activity::Activity;
use scorpiox_broker::seal::Sealer;
use scorpiox_wire::Secret;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row};

/// The files of the life that is under way.
#[derive(Clone)]
pub(super) struct Records {
    pub(super) database: PathBuf,
    pub(super) mark: PathBuf,
    pub(super) sealer: Sealer,
    pub(super) activity: Activity,
}

impl Records {
    /// What is missing on the disk for this presentation, for a person.
    pub(super) async fn complaint(&self, refresh_token: &Secret) -> Option<String> {
        let _under_way = self.activity.begin();
        match self.look(refresh_token).await {
            Ok(complaint) => complaint,
            Err(error) => Some(format!("the database could not be read when a token was presented: {error}")),
        }
    }

    async fn look(&self, refresh_token: &Secret) -> Result<Option<String>, sqlx::Error> {
        let fingerprint = self.sealer.fingerprint(refresh_token).to_string();
        let mut connection = SqliteConnectOptions::new().filename(&self.database).read_only(true).connect().await?;
        let row =
            sqlx::query("SELECT id, state, epoch FROM credentials WHERE fingerprint = $1 ORDER BY state = 'sent' DESC")
                .bind(&fingerprint)
                .fetch_optional(&mut connection)
                .await?;
        let complaint = match row {
            Some(row) => self.compare(row.get("id"), row.get("state"), row.get("epoch")),
            None => {
                // A login may have taken the place of the one that was armed; then only its name is left.
                let known = sqlx::query("SELECT 1 FROM fingerprints WHERE fingerprint = $1")
                    .bind(&fingerprint)
                    .fetch_optional(&mut connection)
                    .await?;
                known.is_none().then(|| "a token was presented that the database never knew".to_owned())
            }
        };
        connection.close().await?;
        Ok(complaint)
    }

    fn compare(&self, id: &str, state: &str, epoch: i64) -> Option<String> {
        if state != "sent" {
            return Some(format!("a token was presented while its row said '{state}'"));
        }
        let mark = std::fs::read_to_string(&self.mark).unwrap_or_default();
        let prefix = format!("credential {id} ");
        let marked = mark.lines().find_map(|line| line.strip_prefix(&prefix)?.split(' ').next()?.parse::<i64>().ok());
        match marked {
            Some(marked) if marked >= epoch => None,
            marked => Some(format!("a token was presented under epoch {epoch} while the mark said {marked:?}")),
        }
    }
}
