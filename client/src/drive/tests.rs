use std::sync::atomic::Ordering;

use super::record::Unrecorded;
use super::*;
use crate::backend::address::BackendAddress;
use crate::backend::identity::Identity;
use crate::backend::renewal::Tokens;
use crate::clock::fixed::TestClock;
use crate::settings::Trust;
use crate::token::Fetched;
use crate::token::chain::Wanted;

struct NoTokens;

impl Tokens for NoTokens {
    fn fetch(&self, _: &Wanted, _: &mut Talk) -> Result<Fetched, Failure> {
        Err(Failure::temporary("no token"))
    }
}

/// Tools of which the person stops the turn while the first one runs, or before.
struct Stopping<'a> {
    stop: &'a AtomicBool,
    ran: Vec<String>,
}

impl Tools for Stopping<'_> {
    fn specs(&self) -> &[ToolSpec] {
        &[]
    }

    fn run(&mut self, call: &Call) -> Output {
        self.ran.push(call.call_id.clone());
        self.stop.store(true, Ordering::Relaxed);
        Output::Text("done".into())
    }
}

struct Nobody;

impl Watcher for Nobody {
    fn see(&mut self, _: Sight<'_>) {}
}

/// Which of two calls run, and how that ends.
fn ran(stopped: bool) -> (Vec<String>, Result<(), Ended>) {
    let identity = Identity::read(&|_| None).unwrap();
    let address = BackendAddress::read(&|_| None).unwrap();
    let backend = Backend { address, identity, proxy: None, trust: Trust::System(None), tokens: &NoTokens };
    let manner = Manner {
        model: Model::unknown("m"),
        instructions: String::new(),
        context: Vec::new(),
        effort: None,
        summary: None,
        compact_at_tokens: None,
        session_id: "s".into(),
    };
    let (clock, stop) = (TestClock::default(), AtomicBool::new(stopped));
    let driver = Driver::new(&backend, manner, &clock, &stop, Duration::from_secs(1));
    let call = |id: &str| Call { call_id: id.into(), name: "n".into(), given: Given::Arguments("{}".into()) };
    let calls = [call("one"), call("two")];
    let mut turn = Turn::begin(vec![Item::user("Go.")]);
    let (mut history, mut talk) = (History::default(), Talk::default());
    let mut tools = Stopping { stop: &stop, ran: Vec::new() };
    let mut under = Under {
        history: &mut history,
        tools: &mut tools,
        watcher: &mut Nobody,
        recorder: &mut Unrecorded,
        talk: &mut talk,
        turn_state: None,
    };
    let ended = driver.run_tools(&calls, &mut turn, &mut under);
    (tools.ran, ended)
}

#[test]
fn no_tool_begins_after_the_person_has_stopped_the_turn() {
    assert_eq!(ran(true), (vec![], Err(Ended::Stopped)));
    assert_eq!(ran(false), (vec!["one".to_owned()], Err(Ended::Stopped)));
}
