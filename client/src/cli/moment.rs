//! A moment as a person reads it: local time, and how long until then.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// `16:42, in 3 h 39 min` today, `Sun 29 Nov 09:15, in 6 d 13 h` later, with the year when it is
/// another one.
pub(super) fn moment(at: i64, now: i64, zone: &TimeZone) -> String {
    let local = |seconds: i64| Timestamp::from_second(seconds).ok().map(|time| time.to_zoned(zone.clone()));
    let (Some(then), Some(today)) = (local(at), local(now)) else { return "at an unknown time".to_owned() };
    if at <= now {
        return "now".to_owned();
    }
    let form = match () {
        () if then.date() == today.date() => "%H:%M",
        () if then.year() == today.year() => "%a %d %b %H:%M",
        () => "%d %b %Y %H:%M",
    };
    // Without a known zone the time is UTC, and says so.
    let utc = if zone.is_unknown() { " UTC" } else { "" };
    format!("{}{utc}, in {}", then.strftime(form), span(at - now))
}

fn span(seconds: i64) -> String {
    match seconds {
        DAY.. => format!("{} d {} h", seconds / DAY, seconds % DAY / HOUR),
        HOUR.. => format!("{} h {} min", seconds / HOUR, seconds % HOUR / MINUTE),
        _ => format!("{} min", (seconds + MINUTE - 1) / MINUTE),
    }
}
