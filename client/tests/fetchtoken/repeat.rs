//! Refusals: said outright, or by the same parent asking again (matrix C15).

use crate::machine::{Machine, end};
use crate::stub_broker::{StubBroker, not_modified, problem, token};

const REPEATING: &[&str] = &["--raw", "--repeat-means-refused"];

/// Generation 7 until somebody refuses it, then 8, which nobody may refuse yet.
fn rotating_broker() -> StubBroker {
    StubBroker::start(|_, asked| match asked.target() {
        "/codex?refused=c1.7" => token(8),
        "/codex?refused=c1.8" => problem(503, "too_soon", "Retry-After: 48\r\n"),
        _ if asked.if_none_match.is_some() => not_modified(),
        _ => token(7),
    })
}

#[test]
fn a_second_call_by_the_same_parent_is_a_refusal() {
    let broker = rotating_broker();
    let machine = Machine::for_broker(&broker);
    machine.run(REPEATING).gave(7);
    machine.run(REPEATING).gave(8);
    assert_eq!(broker.targets(), ["/codex", "/codex?refused=c1.7"]);
}

#[test]
fn the_stock_clients_storm_costs_one_refusal_for_each_generation() {
    let broker = rotating_broker();
    let machine = Machine::for_broker(&broker);
    machine.run(REPEATING).gave(7);
    machine.run(REPEATING).gave(8);
    for _ in 0..25 {
        machine.run(REPEATING).failed(75, "too_soon");
    }
    assert_eq!(broker.targets(), ["/codex", "/codex?refused=c1.7", "/codex?refused=c1.8"]);
    machine.raw().gave(8);
}

#[test]
fn without_the_flag_or_on_schedule_it_is_none() {
    let broker = rotating_broker();
    let machine = Machine::for_broker(&broker);
    for _ in 0..5 {
        machine.raw().gave(7);
    }
    machine.run(REPEATING).gave(7);
    machine.let_seconds_pass(300);
    machine.run(REPEATING).gave(7);
    assert_eq!(broker.targets(), ["/codex", "/codex"]);
    machine.let_seconds_pass(60);
    machine.run(&["--raw", "--repeat-means-refused=60"]).gave(7);
    assert_eq!(broker.count(), 2);
}

#[test]
fn another_parent_refuses_nothing() {
    let broker = rotating_broker();
    let machine = Machine::for_broker(&broker);
    for _ in 0..3 {
        // The trailing command keeps the shell from becoming the command itself: each run has a parent of its own.
        end(machine.in_shell("\"$0\" --raw --repeat-means-refused; exit $?")).gave(7);
    }
    assert_eq!(broker.targets(), ["/codex"]);
    assert_eq!(machine.cached(".parent-").len(), 1, "parents that have ended are forgotten");
}

#[test]
fn two_parents_with_the_same_refused_token_cost_one_rotation() {
    let broker = rotating_broker();
    let machine = Machine::for_broker(&broker);
    let script = "\"$0\" --raw --repeat-means-refused >first; touch started; \
                  while ! test -e go; do sleep 0.01; done; \"$0\" --raw --repeat-means-refused; exit $?";
    let other = machine.in_shell(script).spawn().unwrap();
    while !machine.path("project/started").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    machine.run(REPEATING).gave(7);
    machine.run(REPEATING).gave(8);
    std::fs::write(machine.path("project/go"), "").unwrap();
    crate::machine::finish(other).gave(8);
    assert_eq!(broker.targets(), ["/codex", "/codex?refused=c1.7"]);
}

#[test]
fn an_outright_refusal_replaces_what_is_cached() {
    let broker = rotating_broker();
    let machine = Machine::for_broker(&broker);
    machine.run(&["--raw", "--refused"]).gave(7);
    machine.run(&["--raw", "--refused"]).gave(8);
    machine.raw().gave(8);
    machine.run(&["--raw", "--refused"]).failed(75, "too_soon");
    assert_eq!(broker.targets(), ["/codex", "/codex?refused=c1.7", "/codex?refused=c1.8"]);
}

#[test]
fn who_refuses_while_another_does_refuses_the_same_token_and_not_its_successor() {
    let broker = StubBroker::start(|_, asked| match asked.target() {
        "/codex?refused=c1.7" => {
            // Long enough for the others to have started.
            std::thread::sleep(std::time::Duration::from_millis(1_000));
            token(8)
        }
        "/codex" => token(7),
        _ => problem(503, "too_soon", ""),
    });
    let machine = Machine::for_broker(&broker);
    machine.raw().gave(7);
    let children: Vec<_> = (0..5).map(|_| machine.start(&["--raw", "--refused"])).collect();
    for child in children {
        crate::machine::finish(child).gave(8);
    }
    assert_eq!(broker.targets(), ["/codex", "/codex?refused=c1.7"]);
}
