use std::cell::RefCell;

use scorpiox_wire::Secret;

use super::SourceName::{Local, Remote, Ssh};
use super::*;
use crate::clock::fixed::TestClock;
use crate::token::{AccessToken, Token};

const WHOLE: Duration = Duration::from_millis(3_500);

/// What a source does.
#[derive(Clone)]
enum Does {
    Gives,
    Fails(Failure),
    /// Takes all of the time that it has, and fails.
    Hangs,
}

struct Script {
    order: Vec<SourceName>,
    does: Vec<(SourceName, Does)>,
    asked: RefCell<Vec<(SourceName, Ask)>>,
    clock: TestClock,
}

impl Script {
    fn new(does: &[(SourceName, Does)]) -> Self {
        let order = does.iter().map(|(source, _)| *source).collect();
        Self { order, does: does.to_vec(), asked: RefCell::default(), clock: TestClock::default() }
    }

    fn fetch(&self, wanted: &Wanted) -> (Result<SourceName, Unserved>, Vec<String>) {
        let mut talk = Talk::default();
        let fetched = fetch(self, wanted, WHOLE, &self.clock, &mut talk);
        (fetched.map(|fetched| fetched.token.source), talk.lines(false).map(str::to_owned).collect())
    }

    fn asked(&self) -> Vec<SourceName> {
        self.asked.borrow().iter().map(|(source, _)| *source).collect()
    }
}

impl Sources for Script {
    fn order(&self) -> &[SourceName] {
        &self.order
    }

    fn fetch(&self, source: SourceName, ask: &Ask, within: Duration, _: &mut Talk) -> Result<Fetched, Failure> {
        self.asked.borrow_mut().push((source, ask.clone()));
        let (_, does) = self.does.iter().find(|(name, _)| *name == source).unwrap();
        match does {
            Does::Gives => Ok(given_by(source)),
            Does::Fails(failure) => Err(failure.clone()),
            Does::Hangs => {
                self.clock.advance(within);
                Err(Failure::unreachable("it did not answer in time"))
            }
        }
    }
}

fn given_by(source: SourceName) -> Fetched {
    let access_token = AccessToken::parse(&Secret::new("eyJ.x.y")).unwrap();
    Fetched { token: Token { access_token, expires_at: None, account_id: None, source }, tag: None }
}

fn away() -> Does {
    Does::Fails(Failure::unreachable("cannot reach b.example").with_hint("is it running?"))
}

fn not_set_up() -> Does {
    Does::Fails(Failure::unconfigured("no address"))
}

fn refuses(class: Class) -> Does {
    Does::Fails(Failure::new(class, "no"))
}

#[test]
fn the_first_source_that_answers_is_the_only_one_asked_and_nothing_is_said() {
    let script = Script::new(&[(Remote, Does::Gives), (Local, Does::Gives)]);
    assert_eq!(script.fetch(&Wanted::Current), (Ok(Remote), vec![]));
    assert_eq!(script.asked(), [Remote]);
}

#[test]
fn in_place_of_one_that_is_away_or_not_set_up_the_next_is_asked_and_that_is_said() {
    for (first, why) in [(away(), "remote: cannot reach b.example"), (not_set_up(), "remote: no address")] {
        let script = Script::new(&[(Remote, first), (Local, Does::Gives)]);
        let line = format!("this token is from local, because {why}");
        assert_eq!(script.fetch(&Wanted::Current), (Ok(Local), vec![line]));
    }
    let script = Script::new(&[(Remote, away()), (Ssh, not_set_up()), (Local, Does::Gives)]);
    let (fetched, said) = script.fetch(&Wanted::Current);
    assert_eq!(fetched, Ok(Local));
    assert_eq!(said, ["this token is from local, because remote: cannot reach b.example; ssh: no address"]);
}

#[test]
fn a_refusal_is_the_end_and_no_other_source_is_asked() {
    for class in [Class::KeyOrGrant, Class::PersonMustAct, Class::Temporary, Class::Configuration] {
        let script = Script::new(&[(Remote, refuses(class)), (Local, Does::Gives)]);
        let (unserved, said) = script.fetch(&Wanted::Current);
        assert_eq!((unserved.unwrap_err().class(), script.asked(), said), (class, vec![Remote], vec![]));
    }
}

#[test]
fn when_all_fail_each_has_a_line_and_the_first_one_counts() {
    let script = Script::new(&[(Remote, away()), (Ssh, not_set_up()), (Local, refuses(Class::PersonMustAct))]);
    let unserved = script.fetch(&Wanted::Current).0.unwrap_err();
    assert_eq!(unserved.class(), Class::Temporary);
    let lines: Vec<_> = unserved.lines().collect();
    assert_eq!(lines, ["remote: cannot reach b.example; is it running?", "ssh: no address", "local: no"]);
}

#[test]
fn a_single_source_is_not_named() {
    let script = Script::new(&[(Remote, refuses(Class::KeyOrGrant))]);
    let unserved = script.fetch(&Wanted::Current).0.unwrap_err();
    assert_eq!(unserved.lines().collect::<Vec<_>>(), ["no"]);
}

#[test]
fn a_refused_token_is_replaced_by_its_source_or_by_none() {
    let tag = TokenTag { credential: "c1".into(), generation: 7 };
    for (tag, ask) in [(Some(tag.clone()), Ask::OtherThan(tag)), (None, Ask::OtherThanLast)] {
        let script = Script::new(&[(Remote, away()), (Local, Does::Gives)]);
        let given = |source| Wanted::OtherThan(Given { source, tag: tag.clone() });
        assert!(script.fetch(&given(Remote)).0.is_err());
        assert_eq!(script.fetch(&given(Local)).0, Ok(Local));
        assert_eq!(*script.asked.borrow(), [(Remote, ask.clone()), (Local, ask)]);
    }
}

#[test]
fn sources_that_hang_leave_enough_for_those_behind_them() {
    let script = Script::new(&[(Remote, Does::Hangs), (Ssh, Does::Hangs), (Local, Does::Gives)]);
    assert_eq!(script.fetch(&Wanted::Current).0, Ok(Local));
    assert_eq!(script.clock.elapsed.get(), WHOLE - least(Local));
    let script = Script::new(&[(Remote, Does::Hangs), (Local, Does::Hangs), (Ssh, Does::Hangs)]);
    assert!(script.fetch(&Wanted::Current).0.is_err());
    assert_eq!(script.clock.elapsed.get(), WHOLE);
}

#[test]
fn one_that_fails_at_once_leaves_its_share_to_the_next() {
    assert_eq!(share(WHOLE, &[]), WHOLE);
    assert_eq!(share(WHOLE, &[Local]), WHOLE - least(Local));
    let little = Duration::from_millis(300);
    assert_eq!(share(little, &[Ssh, Local]), little / 3);
}
