//! Moments as people type them.

use std::time::Duration;

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};

use crate::clock::Timestamp;

/// A moment, or a number of days from now or before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TypedTime {
    On(Timestamp),
    Days(Duration),
}

impl TypedTime {
    pub(super) fn ahead_of(self, now: Timestamp) -> Timestamp {
        match self {
            Self::On(moment) => moment,
            Self::Days(span) => now + span,
        }
    }

    pub(super) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::On(moment) => moment,
            Self::Days(span) => now - span,
        }
    }
}

/// `2027-01-31` (its first moment, UTC), `2027-01-31T18:00:00Z`, or `90d`.
pub(super) fn parse(text: &str) -> Result<TypedTime, &'static str> {
    if let Some(days) = text.strip_suffix('d') {
        let days: u64 = days.parse().map_err(|_| "write a number of days such as 90d")?;
        return Ok(TypedTime::Days(Duration::from_secs(days.min(36_500) * 86_400)));
    }
    let date = time::macros::format_description!("[year]-[month]-[day]");
    let midnight = || Date::parse(text, &date).ok().map(|date| date.midnight().assume_utc());
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(midnight);
    let moment = moment.ok_or("write a date such as 2027-01-31, a moment such as 2027-01-31T18:00:00Z, or 90d")?;
    Ok(TypedTime::On(Timestamp::from_unix(moment.unix_timestamp())))
}
