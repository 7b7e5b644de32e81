//! The stream of an answer, at its limits of time and size.

use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fake_provider::{Account, FakeProvider, Script, Settings, Step};
use scorpiox_client::backend::address::{self, BackendAddress};
use scorpiox_client::backend::exchange::Backend;
use scorpiox_client::backend::identity::Identity;
use scorpiox_client::backend::renewal::Tokens;
use scorpiox_client::backend::stream::{ModelStream, Question, Unanswered};
use scorpiox_client::clock::SystemClock;
use scorpiox_client::conversation::event::Event;
use scorpiox_client::conversation::fault::Remedy;
use scorpiox_client::failure::Failure;
use scorpiox_client::model::responses::Shape;
use scorpiox_client::settings::{SourceName, Trust};
use scorpiox_client::talk::Talk;
use scorpiox_client::token::chain::Wanted;
use scorpiox_client::token::{AccessToken, Fetched, Token};
use scorpiox_wire::Secret;

/// Always the same token.
struct One(Token);

impl Tokens for One {
    fn fetch(&self, _: &Wanted, _: &mut Talk) -> Result<Fetched, Failure> {
        Ok(Fetched { token: self.0.clone(), tag: None })
    }
}

/// Plays a script to a stream that is given up after so much silence; its outcome, and how many events were shown.
fn play(script: Script, silence: Duration) -> (Result<(), String>, usize) {
    play_until(script, silence, &AtomicBool::new(false))
}

/// The same until somebody says stop.
fn play_until(script: Script, silence: Duration, stop: &AtomicBool) -> (Result<(), String>, usize) {
    let provider = FakeProvider::start(Settings::default());
    let login = provider.login(&Account::default());
    provider.script(script);
    let base = format!("{}/backend-api/codex", provider.url());
    let environment = |name: &str| (name == address::VARIABLE).then(|| OsString::from(&base));
    let access_token = AccessToken::parse(&Secret::new(login.access_token)).unwrap();
    let token = Token { access_token, expires_at: None, account_id: None, source: SourceName::Local };
    let tokens = One(token.clone());
    let backend = Backend {
        address: BackendAddress::read(&environment).unwrap(),
        identity: Identity::read(&environment).unwrap(),
        proxy: None,
        trust: Trust::System(None),
        tokens: &tokens,
    };
    let clock = SystemClock::start();
    let stream = ModelStream::new(&backend, &clock, stop, silence);
    let question = Question { body: b"{}", shape: Shape::Classic, session_id: "s", turn_state: None };
    let mut shown = 0;
    let outcome = stream.ask(&question, &token, &mut |event: Option<&Event>| shown += usize::from(event.is_some()));
    let outcome = outcome.map(drop).map_err(|error| match error {
        Unanswered::Fault(fault) => {
            assert_eq!(fault.remedy, Remedy::AskAgain { after: None });
            fault.to_string()
        }
        Unanswered::Failure(failure) => panic!("{failure}"),
        Unanswered::Stopped => "stopped".to_owned(),
    });
    (outcome, shown)
}

#[test]
fn an_answer_that_falls_silent_is_given_up() {
    let mut script = Script::message("Hello.");
    script.steps.insert(2, Step::DelayMs(120_000));
    let (outcome, shown) = play(script, Duration::from_millis(500));
    assert_eq!((outcome.unwrap_err().as_str(), shown), ("the answer fell silent", 2));
}

#[test]
fn comments_do_not_keep_an_answer_alive() {
    let drip = (0..4_000).flat_map(|_| [Step::Raw(": still here\n\n".into()), Step::DelayMs(20)]);
    let (outcome, _) = play(Script { steps: drip.collect() }, Duration::from_millis(500));
    assert_eq!(outcome.unwrap_err(), "the answer fell silent");
}

#[test]
fn a_slow_answer_that_goes_on_is_read_to_its_end() {
    let mut script = Script::message("Hello.");
    script.steps = script.steps.into_iter().flat_map(|step| [step, Step::DelayMs(300)]).collect();
    let (outcome, shown) = play(script, Duration::from_millis(1_500));
    assert_eq!((outcome, shown), (Ok(()), 6));
}

#[test]
fn a_hundred_thousand_small_events_and_a_large_one_are_read() {
    let small = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n\n".repeat(100_000);
    let large = format!("data: {{\"type\":\"unknown\",\"pad\":\"{}\"}}\n\n", "x".repeat(20 * 1024 * 1024));
    let mut script = Script::message("Hello.");
    script.steps.splice(1..1, [Step::Raw(small), Step::Raw(large)]);
    let (outcome, shown) = play(script, Duration::from_secs(60));
    assert_eq!((outcome, shown), (Ok(()), 100_006));
}

#[test]
fn what_follows_the_end_is_not_read() {
    let mut script = Script::message("Hello.");
    script.steps.push(Step::DelayMs(120_000));
    assert_eq!(play(script, Duration::from_secs(60)), (Ok(()), 6));
}

#[test]
fn an_answer_is_stopped_in_the_middle_of_its_silence() {
    let mut script = Script::message("Hello.");
    script.steps.insert(2, Step::DelayMs(120_000));
    let stop = AtomicBool::new(false);
    let (outcome, shown) = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(600));
            stop.store(true, Ordering::Relaxed);
        });
        play_until(script, Duration::from_secs(60), &stop)
    });
    assert_eq!((outcome.unwrap_err().as_str(), shown), ("stopped", 2));
}
