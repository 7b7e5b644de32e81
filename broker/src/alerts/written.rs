//! What the database knows of alerts, so that only what changed is written.

use std::collections::BTreeMap;

use super::Notice;
use crate::domain::alarm::{Key, Memory, Standing};
use crate::store::alarms::{AlarmChanges, Placed};

/// What the database knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    alarms: BTreeMap<Key, Standing>,
    /// The place of each notice, by sink and id.
    places: BTreeMap<(String, String), u64>,
    next_place: u64,
}

impl Written {
    /// What is to be written so that the database knows this, and what it knows then.
    pub fn towards<'a>(
        &self,
        memory: &Memory,
        waiting: impl Iterator<Item = (&'a str, &'a Notice)>,
    ) -> (AlarmChanges, Self) {
        let mut changes = AlarmChanges::default();
        let mut after = Self { alarms: BTreeMap::new(), places: BTreeMap::new(), next_place: self.next_place };
        for (key, standing) in &memory.0 {
            // How long it has not been seen is not written.
            let standing = Standing { unseen_since: None, ..standing.clone() };
            if self.alarms.get(key) != Some(&standing) {
                changes.standing.push((key.clone(), standing.clone()));
            }
            after.alarms.insert(key.clone(), standing);
        }
        changes.over = self.alarms.keys().filter(|key| !after.alarms.contains_key(key)).cloned().collect();
        for (sink, notice) in waiting {
            let named = (sink.to_owned(), notice.id.clone());
            let place = self.places.get(&named).copied().unwrap_or_else(|| {
                let place = after.next_place;
                after.next_place += 1;
                changes.waiting.push(Placed { sink: sink.to_owned(), place, notice: notice.clone() });
                place
            });
            after.places.insert(named, place);
        }
        let gone = self.places.iter().filter(|(named, _)| !after.places.contains_key(named));
        changes.gone = gone.map(|((sink, _), place)| (sink.clone(), *place)).collect();
        (changes, after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::alarm::What;

    fn notice(id: &str) -> Notice {
        Notice::kept(id.to_owned(), Timestamp::from_unix(8), "{}".to_owned())
    }

    fn memory(subjects: impl IntoIterator<Item = usize>) -> Memory {
        let standing = Standing { since: Timestamp::from_unix(7), reason: "r".into(), unseen_since: None };
        let key = |number| Key { what: What::Reauth, subject: format!("s{number}") };
        Memory(subjects.into_iter().map(|number| (key(number), standing.clone())).collect())
    }

    #[test]
    fn a_delivery_among_a_thousand_alarms_writes_one_row() {
        let memory = memory(0..1_000);
        let notices: Vec<Notice> = (0..250).map(|number| notice(&format!("msg_{number}"))).collect();
        let waiting = |from: usize| notices[from..].iter().map(|notice| ("webhook", notice));
        let (changes, written) = Written::default().towards(&memory, waiting(0));
        assert_eq!((changes.standing.len(), changes.waiting.len()), (1_000, 250));
        let (changes, written) = written.towards(&memory, waiting(1));
        assert_eq!(changes, AlarmChanges { gone: vec![("webhook".into(), 0)], ..AlarmChanges::default() });
        let (changes, _) = written.towards(&memory, waiting(1));
        assert_eq!(changes, AlarmChanges::default());
    }

    #[test]
    fn an_alarm_that_ends_or_begins_anew_is_one_row_and_not_having_been_seen_is_none() {
        let (_, written) = Written::default().towards(&memory(0..3), std::iter::empty());
        let mut later = memory(1..4);
        for (place, standing) in later.0.values_mut().enumerate() {
            match place {
                0 => standing.unseen_since = Some(Timestamp::from_unix(9)),
                1 => standing.since = Timestamp::from_unix(9),
                _ => {}
            }
        }
        let (changes, _) = written.towards(&later, std::iter::empty());
        let subjects: Vec<&str> = changes.standing.iter().map(|(key, _)| key.subject.as_str()).collect();
        assert_eq!(subjects, ["s2", "s3"]);
        assert_eq!(changes.over.iter().map(|key| key.subject.as_str()).collect::<Vec<_>>(), ["s0"]);
    }

    #[test]
    fn a_place_is_never_used_twice() {
        let (first, second) = (notice("a"), notice("b"));
        let (_, written) = Written::default().towards(&Memory::default(), [("webhook", &first)].into_iter());
        let both = [("webhook", &first), ("webhook", &second)];
        let (_, written) = written.towards(&Memory::default(), both.into_iter());
        let (_, written) = written.towards(&Memory::default(), std::iter::empty());
        let (changes, _) = written.towards(&Memory::default(), [("webhook", &first)].into_iter());
        assert_eq!(changes.waiting[0].place, 2);
    }
}
