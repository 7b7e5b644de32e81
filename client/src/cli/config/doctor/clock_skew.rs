//! Whether this machine and the broker agree on the time: tokens end by the clock.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

use super::report::{Line, State};
use crate::clock::Clock;
use crate::http::{Patience, Way};
use crate::settings::{RemoteSettings, Surroundings};
use crate::token::proxy;

const PATIENCE: Duration = Duration::from_secs(4);
/// Less than this may be the network, and does no harm.
const HARMLESS_SECONDS: i64 = 30;

/// Asks the broker for the time of day. `None` when it does not say: that it does not answer is told elsewhere.
pub(super) fn look(remote: &RemoteSettings, surroundings: &Surroundings<'_>, clock: &dyn Clock) -> Option<Line> {
    let proxy = proxy::choose(surroundings.environment, &remote.url).ok()?;
    let way =
        Way { url: &remote.url, proxy: proxy.as_deref(), trust: &remote.trust, user_agent: "scorpiox-config doctor" };
    // Answered by a broker without a key, and by anything else with an error that has a date too.
    let address = url::Url::parse(remote.url.as_str()).ok()?.join("/healthz").ok()?;
    let answer = way.agent(Patience::Whole(PATIENCE)).ok()?.get(address.as_str()).call().ok()?;
    let date = answer.headers().get("date")?.to_str().ok()?;
    Some(line(theirs(date)? - clock.unix_ms() / 1000))
}

fn theirs(date: &str) -> Option<i64> {
    DateTimeParser::new().parse_timestamp(date).ok().map(|time| time.as_second())
}

/// How it stands when the broker's clock is so many seconds ahead of ours.
fn line(ahead: i64) -> Line {
    let relation = match ahead {
        ahead if ahead.abs() <= HARMLESS_SECONDS => {
            return Line::new(State::Ok, "clock", "agrees with the broker's");
        }
        1.. => "behind",
        _ => "ahead of",
    };
    let text = format!("this machine's clock is {} s {relation} the broker's", ahead.abs());
    Line::new(State::Warn, "clock", text).next(Some("set it, for example: timedatectl set-ntp true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_that_matters_is_told_with_its_direction() {
        assert_eq!(line(-30).state, State::Ok);
        assert_eq!(line(31).text, "this machine's clock is 31 s behind the broker's");
        assert_eq!(line(-3600).text, "this machine's clock is 3600 s ahead of the broker's");
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        assert_eq!(theirs("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(theirs("yesterday"), None);
    }
}
