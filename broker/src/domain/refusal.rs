//! What a client's "the provider refused it" may cause: at most one rotation per generation, and rarely.

use std::collections::VecDeque;
use std::time::Duration;

use scorpiox_wire::TokenTag;

use super::credential::CredentialId;
use crate::clock::Timestamp;

/// The minimum age is not doubled beyond this.
const MINIMUM_AGE_LIMIT: Duration = Duration::from_secs(60 * 60);
/// So many rotations may one client's refusals cause in a day.
const PER_CLIENT_AND_DAY: usize = 6;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a refusal is about, as seen by the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// An older token, or another credential's: the current one is the answer.
    Past,
    /// The token that is being served.
    Current,
    /// A newer one than we know: the database was rolled back (matrix S2b).
    Future,
}

/// What a tag is about.
pub fn about(tag: &TokenTag, credential: &CredentialId, generation: u64) -> About {
    if tag.credential != credential.as_str() || tag.generation < generation {
        return About::Past;
    }
    if tag.generation == generation { About::Current } else { About::Future }
}

/// When refusals caused rotations, newest last: of one credential, or of one client.
#[derive(Debug, Clone, Default)]
pub struct History(VecDeque<Timestamp>);

impl History {
    /// A refusal caused a rotation.
    pub fn note(&mut self, now: Timestamp) {
        self.forget_before(now);
        self.0.push_back(now);
    }

    fn forget_before(&mut self, now: Timestamp) {
        while self.0.front().is_some_and(|moment| now.since(*moment) >= DAY) {
            self.0.pop_front();
        }
    }

    fn today(&self, now: Timestamp) -> usize {
        self.0.iter().filter(|moment| now.since(**moment) < DAY).count()
    }
}

/// When a refusal of the current token may cause a rotation: `Ok` now, `Err` not before. A token must be `minimum` old,
/// twice that for each rotation that refusals caused within a day.
pub fn admit(
    obtained_at: Timestamp,
    credential: &History,
    client: &History,
    minimum: Duration,
    now: Timestamp,
) -> Result<(), Timestamp> {
    let doublings = u32::try_from(credential.today(now)).unwrap_or(u32::MAX).min(6);
    let age = minimum.saturating_mul(1 << doublings).min(MINIMUM_AGE_LIMIT.max(minimum));
    // An obtained_at ahead of now is a calendar that went back: that says nothing of the token's age.
    let ripe = if obtained_at > now { now } else { obtained_at + age };
    let oldest_today = client.0.iter().find(|moment| now.since(**moment) < DAY);
    let rested = match oldest_today {
        Some(moment) if client.today(now) >= PER_CLIENT_AND_DAY => *moment + DAY,
        Some(_) | None => now,
    };
    let moment = ripe.max(rested);
    if moment > now { Err(moment) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMUM: Duration = Duration::from_secs(60);
    const NOW: Timestamp = Timestamp::from_unix(1_000_000);

    fn ago(seconds: u64) -> Timestamp {
        NOW - Duration::from_secs(seconds)
    }

    fn history(rotations: &[u64]) -> History {
        History(rotations.iter().map(|seconds| ago(*seconds)).collect())
    }

    #[test]
    fn a_tag_is_about_the_past_the_present_or_the_future() {
        let id = CredentialId::from_stored("abc".into());
        let tag = |text: &str| text.parse::<TokenTag>().unwrap();
        assert_eq!(about(&tag("abc.6"), &id, 7), About::Past);
        assert_eq!(about(&tag("other.9"), &id, 7), About::Past);
        assert_eq!(about(&tag("abc.7"), &id, 7), About::Current);
        assert_eq!(about(&tag("abc.8"), &id, 7), About::Future);
    }

    #[test]
    fn a_young_token_is_not_renewed_and_the_age_doubles_up_to_an_hour() {
        let cases: [(&[u64], u64); 6] = [
            (&[], 60),
            (&[500], 120),
            (&[900, 500], 240),
            (&[9_000, 8_000, 7_000, 6_000, 5_000, 4_000], 3_600),
            (&[9_000, 8_000, 7_000, 6_000, 5_000, 4_000, 3_000], 3_600),
            (&[90_000, 89_000], 60),
        ];
        for (rotations, age) in cases {
            let credential = history(rotations);
            let nobody = History::default();
            assert_eq!(admit(ago(age), &credential, &nobody, MINIMUM, NOW), Ok(()), "{rotations:?}");
            assert_eq!(
                admit(ago(age - 1), &credential, &nobody, MINIMUM, NOW),
                Err(NOW + Duration::from_secs(1)),
                "{rotations:?}"
            );
        }
    }

    #[test]
    fn the_seventh_of_a_client_in_a_day_waits_for_the_first_to_be_a_day_old() {
        let client = history(&[80_000, 70_000, 60_000, 50_000, 40_000, 30_000]);
        assert_eq!(admit(ago(7_200), &History::default(), &client, MINIMUM, NOW), Err(ago(80_000) + DAY));
        let five = history(&[90_000, 70_000, 60_000, 50_000, 40_000, 30_000]);
        assert_eq!(admit(ago(7_200), &History::default(), &five, MINIMUM, NOW), Ok(()));
    }

    #[test]
    fn history_forgets_what_is_a_day_old() {
        let mut history = history(&[90_000, 80_000]);
        history.note(NOW);
        assert_eq!(history.0.len(), 2);
    }
}
