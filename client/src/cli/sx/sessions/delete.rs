//! Conversations that are deleted for good.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use jiff::tz::TimeZone;
use rustyline::DefaultEditor;

use super::list::{row, width};
use super::{named, not_at_hand, short};
use crate::cli::outcome;
use crate::clock::Clock;
use crate::failure::{Class, Failure};
use crate::session::store::Store;
use crate::talk::Talk;

/// Which ones.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deletion<'a> {
    /// These.
    Named(&'a [String]),
    /// All that were not used for so long.
    OlderThan(Duration),
}

/// Whether the person has said yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    Given,
    Asked,
}

/// Deletes them: all that are meant exist, or none is deleted.
pub(super) fn delete(
    store: &Store,
    deletion: &Deletion<'_>,
    consent: Consent,
    clock: &dyn Clock,
    talk: &mut Talk,
) -> Result<(), Failure> {
    let ids = meant(store, deletion, clock)?;
    if ids.is_empty() {
        talk.warn("no conversation is that old");
        return Ok(());
    }
    if consent == Consent::Asked && !agrees(store, &ids)? {
        talk.warn("nothing is deleted");
        return Ok(());
    }
    let mut failed = None;
    for id in ids {
        match store.remove(&id) {
            Ok(()) => outcome::answer(&format!("deleted {}\n", short(&id)))?,
            Err(error) => failed = failed.or(Some(not_at_hand(&id, &error))),
        }
    }
    failed.map_or(Ok(()), Err)
}

fn meant(store: &Store, deletion: &Deletion<'_>, clock: &dyn Clock) -> Result<Vec<String>, Failure> {
    match deletion {
        Deletion::Named(words) => {
            let mut ids = words.iter().map(|word| named(store, word)).collect::<Result<Vec<_>, _>>()?;
            ids.sort();
            ids.dedup();
            Ok(ids)
        }
        Deletion::OlderThan(age) => {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            let before = clock.unix_ms().saturating_sub(age);
            let old = store.all().into_iter().filter(|glance| glance.used_unix_ms < before);
            Ok(old.map(|glance| glance.session.id).collect())
        }
    }
}

/// Nobody who says nothing has said yes.
fn agrees(store: &Store, ids: &[String]) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        let failure = Failure::new(Class::Usage, "nobody can be asked here");
        return Err(failure.with_hint("--yes deletes without asking"));
    }
    let zone = TimeZone::system();
    for glance in store.all().iter().filter(|glance| ids.contains(&glance.session.id)) {
        outcome::answer(&row(glance, true, width(), &zone))?;
    }
    let question = match ids.len() {
        1 => "delete it for good? (yes, no) ".to_owned(),
        count => format!("delete these {count} for good? (yes, no) "),
    };
    let answer = DefaultEditor::new().and_then(|mut editor| editor.readline(&question));
    Ok(answer.is_ok_and(|answer| matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
}

/// Reads `12h`, `30d`, `8w`.
pub(super) fn age(text: &str) -> Result<Duration, String> {
    const HOUR: u64 = 3600;
    let wrong = || "expected a number of hours, days or weeks: 12h, 30d, 8w".to_owned();
    let unit = match text.chars().last() {
        Some('h') => HOUR,
        Some('d') => 24 * HOUR,
        Some('w') => 7 * 24 * HOUR,
        Some(_) | None => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    number.checked_mul(unit).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_and_a_unit() {
        assert_eq!(age("12h"), Ok(Duration::from_secs(12 * 3600)));
        assert_eq!(age("30d"), Ok(Duration::from_secs(30 * 86_400)));
        assert_eq!(age("8w"), Ok(Duration::from_secs(56 * 86_400)));
        for wrong in ["", "d", "30", "-1d", "1 d", "1y", "99999999999999999999d", "18446744073709551615w", "1é"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
