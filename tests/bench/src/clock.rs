//! The machine's clocks: this program is about real time.

use std::time::{Instant, SystemTime};

/// Now, to measure a span with.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Unix seconds.
#[expect(clippy::disallowed_methods, reason = "tokens of a real broker end by the machine's clock")]
pub(crate) fn unix() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the machine's clock is after 1970");
    i64::try_from(since.as_secs()).expect("Unix seconds fit")
}
