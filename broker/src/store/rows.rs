//! Rows ↔ domain: how states and endings are written.

use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::StoreError;
use crate::clock::Timestamp;
use crate::domain::answer::Ending;
use crate::domain::credential::Pause;
use crate::domain::rotation::{Doubt, Idle, Quarantine, Reauth, Resting, State};

/// `state_detail` as JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Detail {
    Idle(Idle),
    InDoubt(Doubt),
    Reauth { ending: String, fingerprint: String, after: Option<String> },
    Quarantine { cause: String },
}

/// The columns `state` and `state_detail`.
pub(super) fn write_state(state: &State) -> (&'static str, String) {
    let (name, detail) = match state {
        State::Resting(resting) => ("resting", write_resting(resting)),
        State::Claimed(resting) => ("claimed", write_resting(resting)),
        State::Sent(resting) => ("sent", write_resting(resting)),
        State::Reauth(reauth) => {
            let detail = Detail::Reauth {
                ending: ENDINGS.write(reauth.ending).to_owned(),
                fingerprint: reauth.fingerprint.to_string(),
                after: reauth.after.clone(),
            };
            ("reauth", detail)
        }
        State::Quarantine(cause) => ("quarantine", Detail::Quarantine { cause: CAUSES.write(*cause).to_owned() }),
    };
    (name, serde_json::to_string(&detail).expect("plain data is always JSON"))
}

/// The reverse of [`write_state`].
pub(super) fn read_state(name: &str, detail: &str) -> Result<State, StoreError> {
    const IMPOSSIBLE: StoreError = StoreError::Impossible("credentials.state");
    let detail = serde_json::from_str(detail).map_err(|_| IMPOSSIBLE)?;
    let state = match (name, detail) {
        ("resting", Detail::Idle(idle)) => State::Resting(Resting::Idle(idle)),
        ("resting", Detail::InDoubt(doubt)) => State::Resting(Resting::InDoubt(doubt)),
        ("claimed", Detail::Idle(idle)) => State::Claimed(Resting::Idle(idle)),
        ("claimed", Detail::InDoubt(doubt)) => State::Claimed(Resting::InDoubt(doubt)),
        ("sent", Detail::Idle(idle)) => State::Sent(Resting::Idle(idle)),
        ("sent", Detail::InDoubt(doubt)) => State::Sent(Resting::InDoubt(doubt)),
        ("reauth", Detail::Reauth { ending, fingerprint, after }) => {
            let fingerprint = fingerprint.parse().map_err(|_| IMPOSSIBLE)?;
            State::Reauth(Reauth { ending: ENDINGS.read(&ending).ok_or(IMPOSSIBLE)?, fingerprint, after })
        }
        ("quarantine", Detail::Quarantine { cause }) => State::Quarantine(CAUSES.read(&cause).ok_or(IMPOSSIBLE)?),
        _ => return Err(IMPOSSIBLE),
    };
    Ok(state)
}

fn write_resting(resting: &Resting) -> Detail {
    match resting {
        Resting::Idle(idle) => Detail::Idle(*idle),
        Resting::InDoubt(doubt) => Detail::InDoubt(doubt.clone()),
    }
}

/// An enum and its words in the database.
struct Words<T: 'static>(&'static [(T, &'static str)]);

impl<T: Copy + PartialEq> Words<T> {
    fn write(&self, value: T) -> &'static str {
        self.0.iter().find(|(known, _)| *known == value).expect("the table holds every value").1
    }

    fn read(&self, text: &str) -> Option<T> {
        self.0.iter().find(|(_, known)| *known == text).map(|(value, _)| *value)
    }
}

const ENDINGS: Words<Ending> = Words(&[
    (Ending::Reused, "reused"),
    (Ending::Expired, "expired"),
    (Ending::Invalidated, "invalidated"),
    (Ending::InvalidGrant, "invalid_grant"),
    (Ending::RefusedThrice, "refused_thrice"),
    (Ending::DoubtTooLong, "doubt_too_long"),
]);

const CAUSES: Words<Quarantine> = Words(&[
    (Quarantine::BehindMark, "behind_mark"),
    (Quarantine::BehindWitness, "behind_witness"),
    (Quarantine::OtherAccount, "other_account"),
    (Quarantine::Damaged, "damaged"),
    (Quarantine::Restored, "restored"),
]);

const PAUSES: Words<Pause> = Words(&[(Pause::None, "none"), (Pause::Renewal, "renewal"), (Pause::All, "all")]);

/// The column `pause`.
pub(super) fn write_pause(pause: Pause) -> &'static str {
    PAUSES.write(pause)
}

/// The reverse of [`write_pause`].
pub(super) fn read_pause(text: &str) -> Result<Pause, StoreError> {
    PAUSES.read(text).ok_or(StoreError::Impossible("credentials.pause"))
}

/// A counter column; SQLite has no unsigned integers.
pub(super) fn count(row: &SqliteRow, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<i64, _>(column)?).map_err(|_| StoreError::Impossible(column))
}

/// A counter as SQLite stores it.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).expect("counters of claims, token sets and rows stay far below 2^63")
}

/// A column of Unix seconds.
pub(super) fn moment(row: &SqliteRow, column: &'static str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_unix(row.try_get(column)?))
}

/// A column of Unix seconds that may be NULL.
pub(super) fn maybe_moment(row: &SqliteRow, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_unix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fingerprint::Fingerprint;

    #[test]
    fn every_state_reads_back_as_it_was_written() {
        let idle = Resting::Idle(Idle { refusals: 1, weak_grants: 2, not_before: Some(3) });
        let doubt = Doubt { since: 1, why: "cut \"off\"".into(), probes: 2, refusals: 0, not_before: 9 };
        let in_doubt = Resting::InDoubt(doubt);
        let mut states: Vec<State> = [idle, in_doubt]
            .into_iter()
            .flat_map(|resting| {
                [State::Resting(resting.clone()), State::Claimed(resting.clone()), State::Sent(resting)]
            })
            .collect();
        states.extend(ENDINGS.0.iter().map(|(ending, _)| {
            let fingerprint = Fingerprint::from_bytes([9; 16]);
            State::Reauth(Reauth { ending: *ending, fingerprint, after: Some("answer lost".into()) })
        }));
        states.extend(CAUSES.0.iter().map(|(cause, _)| State::Quarantine(*cause)));
        for state in states {
            let (name, detail) = write_state(&state);
            assert_eq!(read_state(name, &detail).unwrap(), state);
        }
    }

    #[test]
    fn a_state_that_was_tampered_with_is_an_error_and_not_a_default() {
        let quarantine = r#"{"quarantine":{"cause":"damaged"}}"#;
        for (name, detail) in [("resting", "{}"), ("sent", ""), ("idle", r#"{"idle":{}}"#), ("reauth", quarantine)] {
            assert!(read_state(name, detail).is_err(), "{name} {detail}");
        }
    }
}
