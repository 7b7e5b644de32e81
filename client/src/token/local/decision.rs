//! Whether to redeem a refresh token: what the file says, what is on record, and what is asked. Pure.

use std::time::Duration;

use crate::auth_file::Login;

use super::journal::{Doubt, Fingerprint, Record};

/// A token is renewed when it ends sooner than this.
pub const RENEW_BEFORE_END_S: i64 = 300;
/// The same for a token that does not say when it ends: this long after it was obtained.
const RENEW_OPAQUE_AFTER_S: i64 = 8 * 24 * 3600;
/// Who asks for another token right after a renewal means the one before it.
const JUST_RENEWED_S: i64 = 60;
/// How long a refresh token is left alone after a presentation whose answer is unknown: the first time, the second, …
const QUIET: [Duration; 4] = [
    Duration::from_secs(2 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];
/// The same after a refusal that is no verdict. Three of them are one.
const AFTER_REFUSAL: Duration = Duration::from_secs(60 * 60);

/// Why another token may be needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A good token: another one only when this one ends.
    Good,
    /// The provider refused the one that was given last.
    Refused,
    /// A person wants another one.
    Forced,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The token in the file is what is needed.
    Serve,
    /// Redeem the refresh token.
    Renew,
    /// Leave the refresh token alone.
    Keep(Reason),
}

/// Why a refresh token is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There is none.
    NoRefreshToken,
    /// The login has ended.
    Ended {
        /// The server's word.
        code: String,
    },
    /// It was presented and nobody knows what became of it.
    InDoubt {
        /// When it may be presented again, milliseconds since the epoch.
        again_ms: i64,
    },
    /// It was not redeemed, and the server or the network needs time.
    Resting {
        /// When it may be presented again.
        again_ms: i64,
        /// What happened.
        why: String,
    },
    /// Redeeming it now would burn it.
    TooEarly {
        /// When it may be presented.
        again_ms: i64,
    },
    /// It was obtained a moment ago.
    JustRenewed,
    /// Another command is renewing it and has not finished.
    UnderWay,
    /// The record or the lock cannot be kept here: without them nothing is presented.
    NoPlace {
        /// What is in the way.
        why: String,
    },
}

/// What to do for a need.
pub fn decide(need: Need, login: &Login, record: &Record, now_ms: i64) -> Step {
    if need == Need::Good && !is_due(login, now_ms) {
        return Step::Serve;
    }
    let Some(refresh_token) = &login.refresh_token else { return Step::Keep(Reason::NoRefreshToken) };
    let about = record.about(&Fingerprint::of(refresh_token));
    if let Some(reason) = about.and_then(|record| on_record(record, now_ms)) {
        return Step::Keep(reason);
    }
    let just_now = |at: i64| (0..JUST_RENEWED_S).contains(&(now_ms / 1000 - at));
    match login.earliest_refresh_at.map(|at| at.saturating_mul(1000)) {
        Some(again_ms) if again_ms > now_ms => Step::Keep(Reason::TooEarly { again_ms }),
        _ if need != Need::Forced && login.refreshed_at.is_some_and(just_now) => Step::Keep(Reason::JustRenewed),
        _ => Step::Renew,
    }
}

/// What a record about a refresh token means for it now.
pub fn on_record(record: &Record, now_ms: i64) -> Option<Reason> {
    match record {
        Record::Clear => None,
        Record::Ended { code, .. } => Some(Reason::Ended { code: code.clone() }),
        Record::Resting { until_ms, why, .. } => {
            (*until_ms > now_ms).then(|| Reason::Resting { again_ms: *until_ms, why: why.clone() })
        }
        Record::Sent(doubt) => {
            let again_ms = doubt.since_ms.saturating_add(millis(quiet_time(doubt)));
            (again_ms > now_ms).then_some(Reason::InDoubt { again_ms })
        }
    }
}

fn quiet_time(doubt: &Doubt) -> Duration {
    let nth = usize::try_from(doubt.presented.saturating_sub(1)).unwrap_or(usize::MAX);
    if doubt.refused > 0 { AFTER_REFUSAL } else { QUIET[nth.min(QUIET.len() - 1)] }
}

/// The duration as milliseconds.
pub fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Whether the token ends soon, or may have ended.
fn is_due(login: &Login, now_ms: i64) -> bool {
    let now = now_ms / 1000;
    match (login.expires_at, login.refreshed_at) {
        (Some(end), _) => end <= now + RENEW_BEFORE_END_S,
        (None, Some(at)) => now - at > RENEW_OPAQUE_AFTER_S,
        (None, None) => login.access_token.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use scorpiox_wire::Secret;

    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn login(left: Option<i64>, refreshed_ago: i64) -> Login {
        Login {
            access_token: Some(Secret::new("a")),
            refresh_token: Some(Secret::new("r")),
            expires_at: left.map(|left| NOW + left),
            refreshed_at: Some(NOW - refreshed_ago),
            ..Login::default()
        }
    }

    fn step(need: Need, login: &Login, record: &Record) -> Step {
        decide(need, login, record, NOW * 1000)
    }

    #[test]
    fn a_token_is_renewed_in_its_last_five_minutes_or_when_somebody_cannot_use_it() {
        let cases = [
            (Need::Good, Some(301), 3600, Step::Serve),
            (Need::Good, Some(300), 3600, Step::Renew),
            (Need::Good, Some(-5), 3600, Step::Renew),
            (Need::Good, None, 8 * 24 * 3600, Step::Serve),
            (Need::Good, None, 8 * 24 * 3600 + 1, Step::Renew),
            (Need::Refused, Some(3600), 61, Step::Renew),
            (Need::Refused, Some(3600), 59, Step::Keep(Reason::JustRenewed)),
            (Need::Refused, Some(3600), -59, Step::Renew),
            (Need::Good, Some(10), 5, Step::Keep(Reason::JustRenewed)),
            (Need::Forced, Some(3600), 5, Step::Renew),
        ];
        for (need, left, refreshed_ago, expected) in cases {
            let step = step(need, &login(left, refreshed_ago), &Record::Clear);
            assert_eq!(step, expected, "{need:?} {left:?} {refreshed_ago}");
        }
    }

    #[test]
    fn what_is_on_record_protects_the_refresh_token_from_everybody() {
        let refresh_token = Fingerprint::of(&Secret::new("r"));
        let sent = |ago_s: i64, presented, refused| {
            let since_ms = (NOW - ago_s) * 1000;
            Record::Sent(Doubt { refresh_token: refresh_token.clone(), since_ms, presented, refused })
        };
        let resting = |left: i64| Record::Resting {
            refresh_token: refresh_token.clone(),
            until_ms: (NOW + left) * 1000,
            why: "w".into(),
        };
        let in_doubt = |left: i64| Step::Keep(Reason::InDoubt { again_ms: (NOW + left) * 1000 });
        let ended = Record::Ended { refresh_token: refresh_token.clone(), code: "c".into() };
        let cases = [
            (sent(119, 1, 0), in_doubt(1)),
            (sent(120, 1, 0), Step::Renew),
            (sent(120, 2, 0), in_doubt(180)),
            (sent(300, 3, 0), in_doubt(600)),
            (sent(900, 9, 0), in_doubt(2700)),
            (sent(3600, 9, 0), Step::Renew),
            (sent(120, 1, 1), in_doubt(3480)),
            (resting(1), Step::Keep(Reason::Resting { again_ms: (NOW + 1) * 1000, why: "w".into() })),
            (resting(0), Step::Renew),
            (ended, Step::Keep(Reason::Ended { code: "c".into() })),
        ];
        for (record, expected) in cases {
            for need in [Need::Refused, Need::Forced, Need::Good] {
                assert_eq!(step(need, &login(Some(10), 3600), &record), expected, "{need:?} {record:?}");
            }
            assert_eq!(step(Need::Good, &login(Some(3600), 3600), &record), Step::Serve);
            let mut other = login(Some(10), 3600);
            other.refresh_token = Some(Secret::new("of a later login"));
            assert_eq!(step(Need::Good, &other, &record), Step::Renew, "{record:?} is about another token");
        }
    }

    #[test]
    fn a_refresh_token_is_not_presented_before_its_time() {
        let mut early = login(Some(10), 3600);
        early.earliest_refresh_at = Some(NOW + 1);
        assert_eq!(
            step(Need::Forced, &early, &Record::Clear),
            Step::Keep(Reason::TooEarly { again_ms: (NOW + 1) * 1000 })
        );
        early.earliest_refresh_at = Some(NOW);
        assert_eq!(step(Need::Forced, &early, &Record::Clear), Step::Renew);
        early.refresh_token = None;
        assert_eq!(step(Need::Forced, &early, &Record::Clear), Step::Keep(Reason::NoRefreshToken));
    }
}
