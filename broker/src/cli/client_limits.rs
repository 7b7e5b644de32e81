//! Limits of a client, as they are typed and as they are told.

use clap::Args;
use scorpiox_wire::admin::ClientLimits;

use super::typed_time::{self, TypedTime};
use super::wording::Wording;
use crate::clock::Timestamp;
use crate::domain::network::Network;

#[derive(Debug, Clone, Default, Args)]
pub(super) struct TypedLimits {
    /// Token requests in a minute: a number, "usual" or "unlimited"
    #[arg(long, value_name = "N", value_parser = rate)]
    requests_per_minute: Option<TypedRate>,
    /// Tokens in an hour: a number, "usual" or "unlimited"; an answer that nothing has changed is none
    #[arg(long, value_name = "N", value_parser = rate)]
    handouts_per_hour: Option<TypedRate>,
    /// Address or network from which it may ask; several times for several. Replaces those it had
    #[arg(long, value_name = "NETWORK")]
    allow: Vec<Network>,
    /// It may ask from anywhere
    #[arg(long, conflicts_with = "allow")]
    allow_anywhere: bool,
    /// When its access ends: 2027-01-31 (its first moment, UTC), 2027-01-31T18:00:00Z, 90d, or "never"
    #[arg(long, value_name = "WHEN", value_parser = end)]
    expires: Option<End>,
}

/// Nothing is the usual rate, 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TypedRate(Option<u32>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Never,
    At(TypedTime),
}

impl TypedLimits {
    /// Whether nothing was typed.
    pub(super) fn is_empty(&self) -> bool {
        let Self { requests_per_minute, handouts_per_hour, allow, allow_anywhere, expires } = self;
        requests_per_minute.is_none()
            && handouts_per_hour.is_none()
            && allow.is_empty()
            && !allow_anywhere
            && expires.is_none()
    }

    /// The limits that a client has, with what was typed in place of what it had.
    pub(super) fn over(self, had: ClientLimits, now: Timestamp) -> ClientLimits {
        let allow = if self.allow_anywhere {
            Vec::new()
        } else if self.allow.is_empty() {
            had.allow
        } else {
            self.allow.iter().map(Network::to_string).collect()
        };
        let expires_at = match self.expires {
            None => had.expires_at,
            Some(End::Never) => None,
            Some(End::At(typed)) => Some(typed.ahead_of(now).as_unix()),
        };
        ClientLimits {
            requests_per_minute: self.requests_per_minute.map_or(had.requests_per_minute, |typed| typed.0),
            handouts_per_hour: self.handouts_per_hour.map_or(had.handouts_per_hour, |typed| typed.0),
            allow,
            expires_at,
        }
    }
}

/// What of a client's limits is not as usual, in one line; empty when all is.
pub(super) fn in_words(limits: &ClientLimits, wording: &Wording) -> String {
    let rate = |number: Option<u32>, span: &str| match number {
        None => None,
        Some(0) => Some(format!("unlimited in a{span}")),
        Some(count) => Some(format!("{count} in a{span}")),
    };
    let mut words = Vec::new();
    words.extend(rate(limits.requests_per_minute, " minute").map(|rate| format!("requests {rate}")));
    words.extend(rate(limits.handouts_per_hour, "n hour").map(|rate| format!("tokens {rate}")));
    if !limits.allow.is_empty() {
        words.push(format!("from {}", limits.allow.join(", ")));
    }
    words.extend(limits.expires_at.map(|at| format!("until {}", wording.date(at))));
    words.join("; ")
}

fn rate(text: &str) -> Result<TypedRate, &'static str> {
    match text {
        "usual" => Ok(TypedRate(None)),
        "unlimited" => Ok(TypedRate(Some(0))),
        number => match number.parse() {
            Ok(count) if count > 0 => Ok(TypedRate(Some(count))),
            Ok(_) | Err(_) => Err("write a number from 1, \"usual\" or \"unlimited\"; to stop a client: client pause"),
        },
    }
}

fn end(text: &str) -> Result<End, &'static str> {
    if text == "never" {
        return Ok(End::Never);
    }
    typed_time::parse(text).map(End::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_348_800);

    #[test]
    fn an_end_is_a_date_a_moment_a_number_of_days_or_never() {
        for (text, at) in [
            ("2027-01-31", Some(1_801_353_600)),
            ("2027-01-31T18:00:00Z", Some(1_801_418_400)),
            ("2027-01-31T20:00:00+02:00", Some(1_801_418_400)),
            ("1d", Some(NOW.as_unix() + 86_400)),
            ("never", None),
        ] {
            let typed = TypedLimits { expires: Some(end(text).unwrap()), ..TypedLimits::default() };
            let had = ClientLimits { expires_at: Some(7), ..ClientLimits::default() };
            assert_eq!(typed.over(had, NOW).expires_at, at, "{text}");
        }
        for text in ["", "soon", "31.01.2027", "2027-02-30", "-1d", "d", "2027-01-31 18:00"] {
            assert!(end(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_of_nothing_is_no_rate() {
        assert_eq!(rate("usual"), Ok(TypedRate(None)));
        assert_eq!(rate("unlimited"), Ok(TypedRate(Some(0))));
        assert_eq!(rate("5"), Ok(TypedRate(Some(5))));
        for text in ["0", "-1", "1.5", "", "never"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_was_not_typed_stays() {
        let had = ClientLimits {
            requests_per_minute: Some(5),
            handouts_per_hour: Some(6),
            allow: vec!["10.0.0.0/8".into()],
            expires_at: Some(7),
        };
        assert!(TypedLimits::default().is_empty());
        assert_eq!(TypedLimits::default().over(had.clone(), NOW), had);
        let anywhere = TypedLimits { allow_anywhere: true, ..TypedLimits::default() };
        assert!(!anywhere.is_empty());
        assert_eq!(anywhere.over(had.clone(), NOW), ClientLimits { allow: Vec::new(), ..had });
    }
}
