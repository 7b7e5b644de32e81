//! A mass event in a few words: what many have in common is told of some, and counted for the others.

use crate::domain::alarm::{Change, What};

/// So many changes of one kind are told one by one; the others are counted.
pub const TOLD_EACH: usize = 10;

/// The command that lists what such conditions are about.
pub fn list_of(what: What) -> &'static str {
    match what {
        What::ClientEnds => "scorpiox-broker client list",
        What::AdminKeyEnds => "scorpiox-broker admin key list",
        _ => "scorpiox-broker credential list",
    }
}

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// This.
    Change(Change),
    /// So many more of that kind began.
    MoreRaised(What, usize),
    /// So many more of that kind are over.
    MoreResolved(What, usize),
}

/// The changes of one look, in their order.
pub fn digest(changes: Vec<Change>) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for change in changes {
        let more = match &change {
            Change::Raised(condition) => Told::MoreRaised(condition.key.what, 1),
            Change::Resolved(key, _) => Told::MoreResolved(key.what, 1),
        };
        if told.iter().filter(|other| other.is_like(&more)).count() < TOLD_EACH {
            told.push(Told::Change(change));
        } else if !told.iter_mut().any(|other| other.count(&more)) {
            told.push(more);
        }
    }
    told
}

impl Told {
    /// The kind, and whether it is over.
    fn kind(&self) -> (What, bool) {
        match self {
            Self::Change(Change::Raised(condition)) => (condition.key.what, false),
            Self::Change(Change::Resolved(key, _)) => (key.what, true),
            Self::MoreRaised(what, _) => (*what, false),
            Self::MoreResolved(what, _) => (*what, true),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.kind() == other.kind()
    }

    /// True when this counts such changes, and has counted one more.
    fn count(&mut self, more: &Self) -> bool {
        let is_like = self.is_like(more);
        match self {
            Self::MoreRaised(_, count) | Self::MoreResolved(_, count) if is_like => {
                *count += 1;
                true
            }
            Self::Change(_) | Self::MoreRaised(..) | Self::MoreResolved(..) => false,
        }
    }

    /// Smaller is more urgent: what began comes before what is over, then the kinds in their own order.
    pub fn urgency(&self) -> usize {
        let (what, is_over) = self.kind();
        urgency(what, is_over)
    }
}

/// See [`Told::urgency`].
pub fn urgency(what: What, is_over: bool) -> usize {
    let place = What::ALL.iter().position(|known| *known == what).unwrap_or(What::ALL.len());
    if is_over { What::ALL.len() + place } else { place }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::alarm::{Condition, Key, Standing};

    fn key(what: What, number: usize) -> Key {
        Key { what, subject: format!("s{number}") }
    }

    fn raised(what: What, number: usize) -> Change {
        Change::Raised(Condition { key: key(what, number), reason: "r".into(), next: None })
    }

    fn resolved(what: What, number: usize) -> Change {
        let standing = Standing { since: Timestamp::from_unix(7), reason: "r".into(), unseen_since: None };
        Change::Resolved(key(what, number), standing)
    }

    #[test]
    fn beyond_ten_of_a_kind_the_others_are_counted() {
        let mut changes = vec![raised(What::Fenced, 0)];
        changes.extend((0..300).map(|number| raised(What::Quarantine, number)));
        changes.extend((0..11).map(|number| resolved(What::Quarantine, number)));
        let told = digest(changes.clone());
        let (first, rest) = told.split_at(1 + TOLD_EACH);
        assert!(first.iter().zip(&changes).all(|(told, change)| *told == Told::Change(change.clone())));
        assert_eq!(rest[0], Told::MoreRaised(What::Quarantine, 290));
        assert_eq!(rest[1..1 + TOLD_EACH].iter().filter(|told| matches!(told, Told::Change(_))).count(), TOLD_EACH);
        assert_eq!(rest[1 + TOLD_EACH..], [Told::MoreResolved(What::Quarantine, 1)]);
    }

    #[test]
    fn ten_of_a_kind_are_told_one_by_one() {
        let changes: Vec<Change> = (0..TOLD_EACH).map(|number| raised(What::Reauth, number)).collect();
        assert_eq!(digest(changes.clone()), changes.into_iter().map(Told::Change).collect::<Vec<_>>());
    }

    #[test]
    fn what_began_is_more_urgent_than_what_is_over_and_the_kinds_have_an_order() {
        let urgencies = [
            Told::Change(raised(What::Fenced, 1)),
            Told::MoreRaised(What::ClientEnds, 5),
            Told::MoreRaised(What::AdminKeyEnds, 5),
            Told::Change(resolved(What::Fenced, 1)),
            Told::MoreResolved(What::ClientEnds, 5),
        ]
        .map(|told| told.urgency());
        assert!(urgencies.is_sorted_by(|one, other| one < other), "{urgencies:?}");
    }
}
