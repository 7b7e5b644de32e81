use std::cell::RefCell;

use super::super::cache::tests::{answer, settings};
use super::*;
use crate::clock::fixed::TestClock;

const NOW: i64 = 1_700_000_000_000;

/// A broker that says what the test told it, in order, and writes down what it was asked.
#[derive(Default)]
struct Script {
    answers: RefCell<Vec<Result<HttpAnswer, Failure>>>,
    asked: RefCell<Vec<Question>>,
}

impl Exchange for Script {
    fn ask(&self, question: &Question, _: Duration) -> Result<HttpAnswer, Failure> {
        self.asked.borrow_mut().push(question.clone());
        self.answers.borrow_mut().remove(0)
    }
}

struct Machine {
    _dir: tempfile::TempDir,
    settings: RemoteSettings,
    owner: Owner,
    state: StateDirectory,
    script: Script,
    clock: TestClock,
}

impl Machine {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings("000000000001", 'A', "https://b.example/codex");
        let state = StateDirectory::new(Some(dir.path().join("s")));
        let owner = Owner::new(&settings);
        Self { _dir: dir, settings, owner, state, script: Script::default(), clock: TestClock::at(NOW) }
    }

    fn broker_says(&self, answer: Result<HttpAnswer, Failure>) {
        self.script.answers.borrow_mut().push(answer);
    }

    fn broker_gives(&self, generation: u64) {
        self.broker_says(http(200, &serde_json::to_string(&answer(generation)).unwrap()));
    }

    fn fetch(&self, ask: &Ask) -> (Result<u64, u8>, Vec<String>) {
        let remote = Remote {
            settings: &self.settings,
            owner: &self.owner,
            state: &self.state,
            exchange: &self.script,
            clock: &self.clock,
            within: Duration::from_millis(3_500),
        };
        let mut talk = Talk::default();
        let fetched = remote.fetch(ask, &mut talk);
        let fetched = fetched.map(|f| f.tag.unwrap().generation).map_err(|failure| failure.class.exit_code());
        (fetched, talk.lines(false).map(str::to_owned).collect())
    }

    fn current(&self) -> Result<u64, u8> {
        self.fetch(&Ask::Current).0
    }

    fn asked(&self) -> Vec<Question> {
        self.script.asked.take()
    }

    fn after_seconds(&self, seconds: u64) {
        // Each command begins anew; only the time of day goes on.
        self.clock.unix_ms.set(self.clock.unix_ms.get() + i64::try_from(seconds).unwrap() * 1000);
        self.clock.elapsed.set(Duration::ZERO);
    }
}

fn http(status: u16, body: &str) -> Result<HttpAnswer, Failure> {
    Ok(HttpAnswer { status, retry_after: None, body: body.as_bytes().to_vec().into() })
}

fn unreachable_broker() -> Result<HttpAnswer, Failure> {
    Err(Failure::temporary("cannot reach b.example"))
}

fn tag(generation: u64) -> TokenTag {
    TokenTag { credential: "c1".into(), generation }
}

fn plain() -> Question {
    Question { have: None, refused: None }
}

fn revalidation(generation: u64) -> Question {
    Question { have: Some(tag(generation)), refused: None }
}

fn refusal(generation: u64) -> Question {
    Question { have: None, refused: Some(tag(generation)) }
}

#[test]
fn a_fresh_answer_costs_no_request_and_a_stale_one_is_revalidated() {
    let machine = Machine::new();
    machine.broker_gives(7);
    assert_eq!((machine.current(), machine.current()), (Ok(7), Ok(7)));
    assert_eq!(machine.asked(), [plain()]);
    machine.after_seconds(300);
    machine.broker_says(http(304, ""));
    assert_eq!((machine.current(), machine.current()), (Ok(7), Ok(7)));
    assert_eq!(machine.asked(), [revalidation(7)]);
    machine.after_seconds(300);
    machine.broker_gives(8);
    assert_eq!((machine.current(), machine.asked()), (Ok(8), vec![revalidation(7)]));
}

#[test]
fn an_outage_is_not_noticed_until_the_token_ends() {
    let machine = Machine::new();
    machine.broker_gives(7);
    machine.current().unwrap();
    machine.after_seconds(400);
    machine.broker_says(unreachable_broker());
    let (fetched, warnings) = machine.fetch(&Ask::Current);
    assert_eq!(fetched, Ok(7));
    assert_eq!(warnings, ["cannot reach b.example; the token it gave earlier works for another 8 min"]);
    assert_eq!(machine.current(), Ok(7), "the outage is remembered: no second request");
    assert_eq!(machine.asked(), [plain(), revalidation(7)]);
    machine.after_seconds(600);
    machine.broker_says(unreachable_broker());
    assert_eq!((machine.current(), machine.current()), (Err(75), Err(75)));
    assert_eq!(machine.asked(), [plain()]);
}

#[test]
fn a_broker_that_cannot_decide_leaves_the_token_that_we_have() {
    for (status, body) in [(503, r#"{"code":"busy","message":"m"}"#), (500, "oops"), (200, "garbage"), (302, "")] {
        let machine = Machine::new();
        machine.broker_gives(7);
        machine.current().unwrap();
        machine.after_seconds(400);
        machine.broker_says(http(status, body));
        assert_eq!(machine.current(), Ok(7), "{status}");
    }
}

#[test]
fn a_refusal_by_the_broker_deletes_what_was_cached() {
    for (status, code, exit_code) in [(401, "unauthorized", 77), (403, "forbidden", 77), (409, "paused", 69)] {
        let machine = Machine::new();
        machine.broker_gives(7);
        machine.current().unwrap();
        machine.after_seconds(400);
        machine.broker_says(http(status, &format!(r#"{{"code":"{code}","message":"m"}}"#)));
        assert_eq!((machine.current(), machine.current()), (Err(exit_code), Err(exit_code)), "{code}");
        machine.after_seconds(10);
        machine.broker_says(unreachable_broker());
        assert_eq!(machine.current(), Err(75), "an outage must not bring the deleted token back");
        assert_eq!(machine.asked(), [plain(), revalidation(7), plain()]);
    }
}

#[test]
fn a_refused_token_is_replaced_and_refused_only_once() {
    let machine = Machine::new();
    machine.broker_gives(7);
    machine.current().unwrap();
    machine.broker_gives(8);
    assert_eq!(machine.fetch(&Ask::OtherThan(tag(7))).0, Ok(8));
    assert_eq!(machine.fetch(&Ask::OtherThan(tag(7))).0, Ok(8), "somebody has replaced it");
    assert_eq!(machine.current(), Ok(8));
    assert_eq!(machine.asked(), [plain(), refusal(7)]);
}

#[test]
fn a_refusal_that_comes_too_soon_is_an_error_and_not_repeated() {
    let machine = Machine::new();
    machine.broker_gives(7);
    machine.current().unwrap();
    let too_soon = r#"{"code":"too_soon","message":"renewed 12 s ago"}"#;
    machine.broker_says(http(503, too_soon));
    for _ in 0..25 {
        assert_eq!(machine.fetch(&Ask::OtherThanLast).0, Err(75));
    }
    assert_eq!(machine.asked(), [plain(), refusal(7)]);
    assert_eq!(machine.current(), Ok(7), "who does not refuse it still gets it");
    machine.after_seconds(10);
    machine.broker_gives(8);
    assert_eq!(machine.fetch(&Ask::OtherThanLast).0, Ok(8));
}

#[test]
fn a_refused_token_is_never_the_answer_to_its_refusal_when_the_broker_is_away() {
    let machine = Machine::new();
    machine.broker_gives(7);
    machine.current().unwrap();
    machine.broker_says(unreachable_broker());
    assert_eq!(machine.fetch(&Ask::OtherThanLast).0, Err(75));
}

#[test]
fn a_broker_that_insists_on_the_same_token_is_believed_for_a_while() {
    let machine = Machine::new();
    machine.broker_gives(7);
    machine.current().unwrap();
    machine.broker_gives(7);
    for _ in 0..25 {
        assert_eq!(machine.fetch(&Ask::OtherThan(tag(7))).0, Ok(7));
    }
    assert_eq!(machine.asked(), [plain(), refusal(7)]);
}

#[test]
fn who_waits_for_a_stuck_process_gets_an_error_in_time() {
    let machine = Machine::new();
    let Locking::Acquired(_held) = machine.state.try_lock(&format!("{}.lock", machine.owner.file_stem())) else {
        panic!("free")
    };
    assert_eq!(machine.current(), Err(75));
    assert!(machine.clock.elapsed.get() < Duration::from_secs(4));
    assert_eq!(machine.asked(), []);
}

#[test]
fn without_a_place_for_a_cache_the_token_still_comes_with_a_warning() {
    let mut machine = Machine::new();
    machine.state = StateDirectory::new(None);
    machine.broker_gives(7);
    let (fetched, warnings) = machine.fetch(&Ask::Current);
    assert_eq!(fetched, Ok(7));
    assert!(warnings[0].starts_with("the token cannot be cached: "), "{warnings:?}");
}
