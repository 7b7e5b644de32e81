use super::*;
use crate::conversation::event::{Completed, Event};
use crate::conversation::history::ABORTED;
use crate::conversation::item::{Content, Role};
use crate::conversation::reply::Reply;
use crate::conversation::samples::{freeform, function, output, output_of_freeform};

fn answer(items: Vec<Item>, whose_move: Move) -> Answer {
    let mut reply = Reply::default();
    for item in items {
        reply.take(Event::Item(item)).unwrap();
    }
    reply.take(Event::Completed(Completed { usage: None, whose_move })).unwrap();
    reply.finish().unwrap()
}

fn said(text: &str) -> Item {
    Item::message(Role::Assistant, vec![Content::OutputText { text: text.to_owned() }])
}

fn text(text: &str) -> Output {
    Output::Text(text.to_owned())
}

fn calls(turn: &Turn) -> Vec<Call> {
    match turn.next() {
        Next::RunTools(calls) => calls,
        next => panic!("no tools to run: {next:?}"),
    }
}

/// A turn that has two calls open, and the calls.
fn with_open_calls() -> (Turn, Vec<Call>) {
    let mut turn = Turn::begin(vec![Item::user("prompt")]);
    turn.answered(answer(vec![function("a"), freeform("b")], Move::Person));
    let calls = calls(&turn);
    (turn, calls)
}

#[test]
fn a_turn_asks_runs_asks_again_and_is_done() {
    let mut history = History::of(vec![Item::user("earlier")]);
    let (mut turn, open) = with_open_calls();
    assert_eq!(open.iter().map(|call| call.call_id.as_str()).collect::<Vec<_>>(), ["a", "b"]);

    // The second one is faster; the outputs stand in the order of the calls.
    turn.ran(&open[1], text("patched"));
    assert_eq!(turn.next(), Next::RunTools(vec![open[0].clone()]));
    turn.ran(&open[0], text("made"));
    assert_eq!(turn.next(), Next::Ask);
    let asked = vec![
        Item::user("prompt"),
        function("a"),
        freeform("b"),
        output("a", "made"),
        output_of_freeform("b", "patched"),
    ];
    assert_eq!(turn.items(), asked);

    turn.answered(answer(vec![said("done")], Move::Person));
    assert_eq!(turn.next(), Next::Done);
    turn.finish(&mut history);
    assert_eq!(history.items(), [vec![Item::user("earlier")], asked, vec![said("done")]].concat());
}

#[test]
fn a_model_that_wants_the_move_is_asked_again() {
    let mut turn = Turn::begin(vec![Item::user("prompt")]);
    turn.answered(answer(vec![said("wait")], Move::Model));
    assert_eq!(turn.next(), Next::Ask);
    turn.answered(answer(vec![], Move::Person));
    assert_eq!(turn.next(), Next::Done);
}

#[test]
fn a_call_is_run_before_anybody_has_the_move() {
    for whose_move in [Move::Person, Move::Model] {
        let mut turn = Turn::begin(vec![]);
        turn.answered(answer(vec![function("a"), said("meanwhile")], whose_move));
        assert_eq!(calls(&turn).len(), 1);
    }
}

#[test]
fn a_turn_that_failed_before_any_tool_ran_leaves_the_conversation_as_it_was() {
    let before = History::of(vec![Item::user("earlier"), said("yes")]);
    let mut history = before.clone();
    Turn::begin(vec![Item::user("prompt")]).fail(&mut history);
    with_open_calls().0.fail(&mut history);
    assert_eq!(history, before);
}

#[test]
fn a_turn_that_failed_after_a_tool_ran_keeps_what_was_done() {
    let mut history = History::default();
    let (mut turn, open) = with_open_calls();
    turn.ran(&open[0], text("made"));
    turn.ran(&open[1], text("patched"));
    turn.fail(&mut history);
    let done = [function("a"), freeform("b"), output("a", "made"), output_of_freeform("b", "patched")];
    assert_eq!(history.items()[1..5], done);
    assert_eq!(history.items()[5..], [Item::developer(FAILED)]);
}

#[test]
fn a_turn_that_was_stopped_leaves_a_conversation_that_can_go_on() {
    let mut history = History::default();
    let (mut turn, open) = with_open_calls();
    turn.ran(&open[1], text("patched"));
    turn.stop(&mut history);
    let expected = [
        Item::user("prompt"),
        function("a"),
        output("a", ABORTED),
        freeform("b"),
        output_of_freeform("b", "patched"),
        Item::developer(STOPPED),
    ];
    assert_eq!(history.items(), expected);

    let mut history = History::default();
    Turn::begin(vec![Item::user("prompt")]).stop(&mut history);
    assert_eq!(history.items(), [Item::user("prompt"), Item::developer(STOPPED)]);
}

#[test]
fn a_turn_that_was_cut_off_keeps_what_was_complete() {
    let mut history = History::default();
    let (mut turn, open) = with_open_calls();
    turn.ran(&open[0], text("made"));
    turn.cut_off(&mut history);
    let expected = [
        Item::user("prompt"),
        function("a"),
        freeform("b"),
        output_of_freeform("b", ABORTED),
        output("a", "made"),
        Item::developer(CUT_OFF),
    ];
    assert_eq!(history.items(), expected);
}

#[test]
fn no_call_runs_twice() {
    let mut turn = Turn::begin(vec![]);
    turn.answered(answer(vec![function("a"), function("a"), freeform("a")], Move::Person));
    let open = calls(&turn);
    assert_eq!(open.len(), 1);
    turn.ran(&open[0], text("made"));
    // Said again in a later answer, it is not run again, and nothing is left to do.
    turn.answered(answer(vec![function("a")], Move::Person));
    assert_eq!(turn.next(), Next::Done);
    assert_eq!(turn.items(), [function("a"), output("a", "made")]);
}

#[test]
fn what_nobody_waits_for_changes_nothing() {
    let (mut turn, open) = with_open_calls();
    turn.answered(answer(vec![said("unasked")], Move::Person));
    turn.ran(&open[0], text("first"));
    turn.ran(&open[0], text("second"));
    let unknown = Call { call_id: "z".to_owned(), ..open[0].clone() };
    turn.ran(&unknown, text("unknown"));
    assert_eq!(turn.next(), Next::RunTools(vec![open[1].clone()]));
    turn.ran(&open[1], text("patched"));
    assert_eq!(turn.items().len(), 5);
    assert_eq!(turn.items()[3], output("a", "first"));
    turn.ran(&open[1], text("late"));
    assert_eq!(turn.items().len(), 5);
}
