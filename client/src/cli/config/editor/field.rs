//! What the editor knows of one setting: what it is for, what it may be, and every place in which it stands.

use zeroize::Zeroizing;

use crate::settings::catalog::{self, Entry};
use crate::settings::key::Key;
use crate::settings::written::Origin;

/// A setting as the editor shows it.
#[derive(Clone)]
pub struct Field {
    /// What there is to know about it.
    pub entry: Entry,
    /// Where it stands, the winner first.
    pub candidates: Vec<Candidate>,
}

/// How strong a place is: the value in the strongest place holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(pub u16);

/// A value in one place.
#[derive(Clone)]
pub struct Candidate {
    /// How strong the place is.
    pub rank: Rank,
    /// The place.
    pub origin: Origin,
    /// May hold a secret.
    pub text: Zeroizing<String>,
}

/// What is to become of a setting in the file that is edited.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// It gets this value.
    Set(Zeroizing<String>),
    /// It is taken out.
    Unset,
}

/// The value that holds and where it comes from.
pub enum Holding<'a> {
    /// It is not saved yet.
    Draft(&'a str),
    /// It stands somewhere.
    Written(&'a Candidate),
    /// It stands nowhere, and this is what that means.
    Default(&'static str),
    /// It stands nowhere.
    Nothing,
}

impl Holding<'_> {
    /// The value; empty when there is none. May be a secret.
    pub fn text(&self) -> &str {
        match self {
            Self::Draft(text) => text,
            Self::Written(candidate) => &candidate.text,
            Self::Default(text) => text,
            Self::Nothing => "",
        }
    }
}

impl Field {
    /// Which.
    pub fn key(&self) -> Key {
        self.entry.key
    }

    /// What holds once `change` is made in the file of rank `edited`.
    pub fn holding<'a>(&'a self, change: Option<&'a Change>, edited: Rank) -> Holding<'a> {
        let written = match change {
            None => self.candidates.first(),
            Some(Change::Unset) => self.candidates.iter().find(|candidate| candidate.rank != edited),
            Some(Change::Set(text)) => match self.shadow(edited) {
                Some(stronger) => Some(stronger),
                None => return Holding::Draft(text),
            },
        };
        match (written, self.entry.default) {
            (Some(candidate), _) => Holding::Written(candidate),
            (None, Some(text)) => Holding::Default(text),
            (None, None) => Holding::Nothing,
        }
    }

    /// What is wrong with the value that holds: it may have been written by another hand.
    pub fn fault_of(&self, holding: &Holding<'_>) -> Option<String> {
        match holding {
            Holding::Draft(_) | Holding::Written(_) => catalog::check(self.key(), holding.text()).err(),
            Holding::Default(_) | Holding::Nothing => None,
        }
    }

    /// What makes a change in the file of rank `edited` useless.
    pub fn shadow(&self, edited: Rank) -> Option<&Candidate> {
        self.candidates.first().filter(|candidate| candidate.rank > edited)
    }

    /// What stands in the file of rank `edited`.
    pub fn in_file(&self, edited: Rank) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.rank == edited)
    }

    /// The change that leads to `text` in the file of rank `edited`; none when it stands there already.
    pub fn change_to(&self, text: &str, edited: Rank) -> Option<Change> {
        match (text, self.in_file(edited)) {
            ("", None) => None,
            ("", Some(_)) => Some(Change::Unset),
            (text, Some(candidate)) if candidate.text.as_str() == text => None,
            (text, _) => Some(Change::Set(Zeroizing::new(text.to_owned()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Rank = Rank(20);
    const PROJECT: Rank = Rank(30);
    const ENVIRONMENT: Rank = Rank(50);

    fn field(places: &[(Rank, &str)]) -> Field {
        let candidate = |(rank, text): &(Rank, &str)| Candidate {
            rank: *rank,
            origin: Origin::Environment,
            text: Zeroizing::new((*text).to_owned()),
        };
        Field { entry: Entry::of(Key::ContextClearThreshold), candidates: places.iter().map(candidate).collect() }
    }

    fn set(text: &str) -> Option<Change> {
        Some(Change::Set(Zeroizing::new(text.to_owned())))
    }

    #[test]
    fn the_strongest_place_holds_also_after_a_change() {
        let everywhere: &[_] = &[(ENVIRONMENT, "e"), (PROJECT, "p"), (USER, "u")];
        let files: &[_] = &[(PROJECT, "p"), (USER, "u")];
        let cases = [
            (everywhere, None, USER, "e"),
            (everywhere, set("x"), PROJECT, "e"),
            (files, None, USER, "p"),
            (files, set("x"), USER, "p"),
            (files, set("x"), PROJECT, "x"),
            (files, Some(Change::Unset), PROJECT, "u"),
            (files, Some(Change::Unset), USER, "p"),
            (&files[1..], set("x"), PROJECT, "x"),
            (&files[1..], Some(Change::Unset), USER, "190000"),
            (&[], None, USER, "190000"),
        ];
        for (places, change, edited, expected) in cases {
            assert_eq!(field(places).holding(change.as_ref(), edited).text(), expected, "{places:?} {edited:?}");
        }
    }

    #[test]
    fn a_change_that_changes_nothing_is_none() {
        let field = field(&[(PROJECT, "p"), (USER, "u")]);
        assert!(field.change_to("u", USER).is_none());
        assert!(field.change_to("u", PROJECT) == set("u"));
        assert!(field.change_to("", USER) == Some(Change::Unset));
        assert!(field.change_to("", ENVIRONMENT).is_none(), "it does not stand there");
    }
}
