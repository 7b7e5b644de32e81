//! All that was said, in the order and completeness in which the backend takes it.

use std::collections::{HashMap, HashSet};

use super::images;
use super::item::{Call, Given, Item, Output};
use super::size::{self, Said};

/// The answer to a call that was never run to its end.
pub const ABORTED: &str = "aborted";

/// A conversation between two turns. Every call in it has exactly one output, of the call's own kind, somewhere behind
/// it; there is no output without a call. Reasoning stays where it was, in front of what it led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    items: Vec<Item>,
    /// What the backend said last of its size; `None` after a change that nobody has measured.
    said: Option<Said>,
    /// In tokens: below this a compaction would bring nothing.
    compact_not_below: u64,
}

impl History {
    /// The conversation of these items; what does not fit together is mended as [`complete`] says, and images that are
    /// too old to be sent are not kept.
    pub fn of(items: Vec<Item>) -> Self {
        Self { items: kept(items), ..Self::default() }
    }

    /// The same, of which the backend last said that it takes so many tokens.
    pub fn measured(self, tokens: u64) -> Self {
        let items = self.items.len();
        Self { said: Some(Said { tokens, items }), ..self }
    }

    /// Its items, oldest first.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// How many tokens it takes, as far as anybody knows: as the backend said, and estimated from there on.
    pub fn tokens(&self) -> u64 {
        let (said, counted) = self.said.map_or((0, 0), |said| (said.tokens, said.items));
        said + size::of_items(self.items.iter().skip(counted))
    }

    /// Below so many tokens no compaction is worth trying.
    pub(super) fn compact_not_below(&self) -> u64 {
        self.compact_not_below
    }

    /// A compaction at this size brought nothing: the next one waits until a tenth has been added.
    pub fn compacted_in_vain(&mut self, tokens: u64) {
        self.compact_not_below = tokens.saturating_add(tokens / 10).max(1);
    }

    /// Adds what one turn brought, and what was said of its size; mended like the rest.
    pub(super) fn extend(&mut self, items: Vec<Item>, said: Option<Said>) {
        let before = self.items.len();
        self.items.extend(items);
        self.items = kept(std::mem::take(&mut self.items));
        self.said = said.map(|said| Said { items: before + said.items, ..said }).or(self.said);
    }

    /// It consists of these items from now on.
    pub(super) fn replace(&mut self, items: Vec<Item>) {
        *self = Self::of(items);
    }

    /// The backend says that an image is none, and does not say which one: all go. How many there were.
    pub fn leave_out_images(&mut self) -> usize {
        images::leave_out(&mut self.items, usize::MAX, images::REFUSED)
    }
}

/// The same items, mended, without images that would not be sent any more: they are the largest part of it.
fn kept(items: Vec<Item>) -> Vec<Item> {
    let mut items = complete(items);
    let old = images::too_old(&items);
    images::leave_out(&mut items, old, images::OLD);
    items
}

/// The same items such that the backend takes them:
///
/// * a call without an output gets one directly behind it: [`ABORTED`];
/// * an output without a call before it, of another kind than its call, or for a call that has one, is left out;
/// * a second call of the same id is left out.
pub fn complete(items: Vec<Item>) -> Vec<Item> {
    let answered = answered(&items);
    let (mut calls, mut outputs) = (HashMap::new(), HashSet::new());
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        if let Some((call_id, kind)) = output_kind(&item) {
            if calls.get(call_id) == Some(&kind) && outputs.insert(call_id.to_owned()) {
                kept.push(item);
            }
            continue;
        }
        let Some(call) = item.as_call() else {
            kept.push(item);
            continue;
        };
        if calls.contains_key(&call.call_id) {
            continue;
        }
        calls.insert(call.call_id.clone(), kind(&call));
        kept.push(item);
        if !answered.contains(&call.call_id) {
            outputs.insert(call.call_id.clone());
            kept.push(call.answered(Output::Text(ABORTED.to_owned())));
        }
    }
    kept
}

/// The two kinds of calls, which are never answered by each other's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function,
    Freeform,
}

fn kind(call: &Call) -> Kind {
    match call.given {
        Given::Arguments(_) => Kind::Function,
        Given::Freeform(_) => Kind::Freeform,
    }
}

fn output_kind(item: &Item) -> Option<(&str, Kind)> {
    match item {
        Item::FunctionCallOutput(output) => Some((&output.call_id, Kind::Function)),
        Item::CustomToolCallOutput(output) => Some((&output.call_id, Kind::Freeform)),
        Item::Message(_) | Item::Reasoning(_) | Item::FunctionCall(_) | Item::CustomToolCall(_) => None,
    }
}

/// The calls that have an output of their kind somewhere behind them.
fn answered(items: &[Item]) -> HashSet<String> {
    let mut open = HashMap::new();
    let mut answered = HashSet::new();
    for item in items {
        if let Some(call) = item.as_call() {
            open.entry(call.call_id.clone()).or_insert(kind(&call));
        } else if let Some((call_id, kind)) = output_kind(item)
            && open.get(call_id) == Some(&kind)
        {
            answered.insert(call_id.to_owned());
        }
    }
    answered
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::conversation::item::Reasoning;
    use crate::conversation::samples::{freeform, function, output, output_of_freeform};

    fn aborted(call_id: &str) -> Item {
        output(call_id, ABORTED)
    }

    #[test]
    fn the_backend_takes_what_is_kept() {
        let (user, thought) = (
            Item::user("u"),
            Item::Reasoning(Reasoning { summary: vec![], content: None, encrypted_content: Some("gAAAA".to_owned()) }),
        );
        let cases: [(&str, Vec<Item>, Vec<Item>); 9] = [
            ("nothing", vec![], vec![]),
            (
                "whole",
                vec![
                    user.clone(),
                    thought.clone(),
                    function("a"),
                    freeform("b"),
                    output("a", "x"),
                    output_of_freeform("b", "y"),
                ],
                vec![
                    user.clone(),
                    thought.clone(),
                    function("a"),
                    freeform("b"),
                    output("a", "x"),
                    output_of_freeform("b", "y"),
                ],
            ),
            (
                "a call without an output is answered directly behind it",
                vec![thought.clone(), function("a"), freeform("b"), output_of_freeform("b", "y"), user.clone()],
                vec![thought, function("a"), aborted("a"), freeform("b"), output_of_freeform("b", "y"), user.clone()],
            ),
            ("a freeform call too", vec![freeform("b")], vec![freeform("b"), output_of_freeform("b", ABORTED)]),
            ("an output without a call", vec![output("a", "x"), user.clone()], vec![user]),
            ("an output before its call", vec![output("a", "x"), function("a")], vec![function("a"), aborted("a")]),
            (
                "a second output",
                vec![function("a"), output("a", "x"), output("a", "y")],
                vec![function("a"), output("a", "x")],
            ),
            (
                "an output of the other kind",
                vec![function("a"), output_of_freeform("a", "x")],
                vec![function("a"), aborted("a")],
            ),
            (
                "a second call of the same id",
                vec![function("a"), output("a", "x"), freeform("a"), function("a")],
                vec![function("a"), output("a", "x")],
            ),
        ];
        for (name, items, expected) in cases {
            assert_eq!(complete(items), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_every_call_has_exactly_one_output_and_nothing_else_is_lost(
            picks in prop::collection::vec((0..5_usize, 0..4_usize), 0..30),
        ) {
            let ids = ["a", "b", "c", "d"];
            let items: Vec<Item> = picks.iter().map(|(what, id)| match what {
                0 => function(ids[*id]),
                1 => freeform(ids[*id]),
                2 => output(ids[*id], "x"),
                3 => output_of_freeform(ids[*id], "x"),
                _ => Item::user(ids[*id]),
            }).collect();
            let kept = complete(items.clone());
            prop_assert_eq!(complete(kept.clone()), kept.clone(), "mended once, mended for ever");
            for (at, item) in kept.iter().enumerate() {
                let Some(call) = item.as_call() else { continue };
                let outputs = kept.iter().enumerate().filter(|(_, item)| {
                    output_kind(item).is_some_and(|(call_id, kind_of)| call_id == call.call_id && kind_of == kind(&call))
                });
                let behind: Vec<usize> = outputs.map(|(at, _)| at).collect();
                prop_assert_eq!(behind.len(), 1);
                prop_assert!(behind[0] > at);
            }
            let calls = kept.iter().filter(|item| item.as_call().is_some()).count();
            let outputs = kept.iter().filter(|item| output_kind(item).is_some()).count();
            prop_assert_eq!(calls, outputs);
            let messages = |items: &[Item]| items.iter().filter(|item| matches!(item, Item::Message(_))).count();
            prop_assert_eq!(messages(&kept), messages(&items));
        }
    }
}
