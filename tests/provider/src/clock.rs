//! The provider's own idea of what time it is: the only place that asks the machine.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// The machine's clock, moved by an offset.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_s: AtomicI64,
}

impl Clock {
    /// Unix seconds.
    #[expect(clippy::disallowed_methods, reason = "the one place of this crate that asks for the time")]
    pub(crate) fn now(&self) -> i64 {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX).saturating_add(self.offset_s())
    }

    pub(crate) fn offset_s(&self) -> i64 {
        self.offset_s.load(Ordering::Relaxed)
    }

    pub(crate) fn set_offset_s(&self, seconds: i64) {
        self.offset_s.store(seconds, Ordering::Relaxed);
    }
}

/// For the header `Date` (RFC 9110 §5.6.7).
pub(crate) fn http_date(now: i64) -> String {
    let format =
        format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    moment(now).format(&format).unwrap_or_default()
}

/// For JSON: `2026-09-30T08:15:30Z`.
pub(crate) fn rfc3339(now: i64) -> String {
    moment(now).format(&Rfc3339).unwrap_or_default()
}

fn moment(now: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
