//! Moments as people on this machine say them: `14:05 Tuesday (CET)`.

use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, Zoned};

use crate::clock::Timestamp;

/// The time zone in which moments are told.
#[derive(Debug, Clone)]
pub struct LocalTime(TimeZone);

impl LocalTime {
    /// The machine's own: `TZ`, or `/etc/localtime`.
    pub fn system() -> Self {
        Self(TimeZone::system())
    }

    /// Greenwich.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// So many hours ahead of Greenwich, all year.
    #[cfg(test)]
    pub fn fixed_hours_east(hours: i8) -> Self {
        Self(TimeZone::fixed(jiff::tz::offset(hours)))
    }

    /// `14:05 Tuesday (CET)` within six days of `now`, `14:05 on 24 December 2026 (CET)` beyond.
    pub fn told(&self, moment: Timestamp, now: Timestamp) -> String {
        let Ok(instant) = Instant::from_second(moment.as_unix()) else { return moment.to_string() };
        let local = Zoned::new(instant, self.0.clone());
        let near = moment.since(now).max(now.since(moment)).as_secs() < 6 * 24 * 3600;
        let format = if near { "%H:%M %A (%Z)" } else { "%H:%M on %-d %B %Y (%Z)" };
        local.strftime(format).to_string()
    }

    /// `2026-12-24 14:05:00 CET`.
    pub fn exactly(&self, moment: Timestamp) -> String {
        match Instant::from_second(moment.as_unix()) {
            Ok(instant) => Zoned::new(instant, self.0.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
            Err(_) => moment.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_as_people_in_its_zone_say_it() {
        // 2023-11-14 22:13:20 UTC, a Tuesday.
        let now = Timestamp::from_unix(1_700_000_000);
        assert_eq!(LocalTime::utc().told(now, now), "22:13 Tuesday (UTC)");
        let east = LocalTime::fixed_hours_east(2);
        assert_eq!(east.told(now, now), "00:13 Wednesday (+02)");
        let far = Timestamp::from_unix(1_700_000_000 + 40 * 24 * 3600);
        assert_eq!(LocalTime::utc().told(far, now), "22:13 on 24 December 2023 (UTC)");
        assert_eq!(LocalTime::utc().exactly(now), "2023-11-14 22:13:20 UTC");
        assert_eq!(LocalTime::utc().told(Timestamp::from_unix(i64::MAX), now), format!("unix:{}", i64::MAX));
    }
}
