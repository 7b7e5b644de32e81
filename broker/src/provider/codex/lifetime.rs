//! When an access token ends, from sources of which none is trusted.

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::claims::whole_number;
use crate::clock::Timestamp;

/// What is assumed when nothing usable says when a token ends.
pub const DEFAULT_LIFE: Duration = Duration::from_secs(60 * 60);
/// A living token is given at least this, so that a server that hands out shorter ones causes no tight loop.
pub const SHORTEST_LIFE: Duration = Duration::from_secs(10);
/// No token is believed to live longer than this.
pub const LONGEST_LIFE: Duration = Duration::from_secs(60 * 24 * 60 * 60);

/// An `exp` farther ahead is nonsense (year 9999, milliseconds), not a long life.
const FARTHEST_EXP: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// When an access token that arrived at `received_at` ends.
///
/// The earlier of `expires_in` and the token's own `exp`, as far as they make sense; [`DEFAULT_LIFE`] if neither does;
/// between [`SHORTEST_LIFE`] and [`LONGEST_LIFE`]. A token whose `exp` has passed keeps that moment, so that everybody
/// sees it as expired (matrix R11).
pub(super) fn expires_at(received_at: Timestamp, expires_in: &Value, exp: Option<i64>) -> Timestamp {
    let exp = exp.map(Timestamp::from_unix).filter(|exp| plausible(*exp, received_at));
    if let Some(past) = exp.filter(|exp| *exp <= received_at) {
        return past;
    }
    let lives = [positive_seconds(expires_in), exp.map(|exp| exp.since(received_at))];
    let life = lives.into_iter().flatten().min().unwrap_or(DEFAULT_LIFE);
    received_at + life.clamp(SHORTEST_LIFE, LONGEST_LIFE)
}

/// Before when the refresh token must not be redeemed (*P 24*): Unix seconds or RFC 3339.
///
/// Not later than the longest life: a nonsensical value must not end renewal for ever.
pub(super) fn earliest_refresh_at(received_at: Timestamp, value: &Value) -> Option<Timestamp> {
    let moment = match value {
        Value::String(text) => match OffsetDateTime::parse(text.trim(), &Rfc3339) {
            Ok(moment) => moment.unix_timestamp(),
            Err(_) => text.trim().parse().ok()?,
        },
        other => whole_number(other)?,
    };
    (moment > 0).then(|| Timestamp::from_unix(moment).min(received_at + LONGEST_LIFE))
}

fn plausible(exp: Timestamp, received_at: Timestamp) -> bool {
    exp > Timestamp::default() && exp <= received_at + FARTHEST_EXP
}

fn positive_seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::String(text) => text.trim().parse().ok()?,
        other => whole_number(other)?,
    };
    u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}
