use std::collections::HashMap;

use proptest::prelude::*;

use super::kept::{MOST, after};
use super::summarising::{IMAGE, Shortened, Summarising, summary};
use super::*;
use crate::conversation::event::{Completed, Event, Move, Usage};
use crate::conversation::history;
use crate::conversation::item::{CallOutput, Content, Message, Output, Reasoning, Role};
use crate::conversation::reply::{Answer, Reply};
use crate::conversation::samples::{freeform, function, output, output_of_freeform};

fn answer(items: Vec<Item>, total_tokens: u64) -> Answer {
    let mut reply = Reply::default();
    for item in items {
        reply.take(Event::Item(item)).unwrap();
    }
    let usage = Some(Usage { total_tokens, ..Usage::default() });
    reply.take(Event::Completed(Completed { usage, whose_move: Move::Person })).unwrap();
    reply.finish().unwrap()
}

fn said(text: &str) -> Item {
    Item::message(Role::Assistant, vec![Content::OutputText { text: text.to_owned() }])
}

fn image() -> Content {
    Content::InputImage { image_url: "data:image/png;base64,AAAA".to_owned(), detail: None }
}

fn text(text: &str) -> Content {
    Content::InputText { text: text.to_owned() }
}

/// So many tokens of text.
fn long(tokens: usize) -> String {
    "word".repeat(tokens)
}

fn user_texts(items: &[Item]) -> Vec<String> {
    let texts = items.iter().map(|item| match item {
        Item::Message(message) if message.role == Role::User => message.text(),
        other => panic!("{other:?}"),
    });
    texts.collect()
}

#[test]
fn the_latest_words_of_the_person_are_kept_and_the_summary_stands_last() {
    let items =
        [Item::user("one"), said("Yes."), Item::developer("note"), Item::user("two"), function("a"), output("a", "x")];
    let kept = after(&items, "All is well.", Some("Look into /tmp/1.md."));
    let texts = user_texts(&kept);
    assert_eq!((texts[0].as_str(), texts[1].as_str(), texts.len()), ("one", "two", 3));
    assert!(texts[2].starts_with("[This conversation became too long"), "{}", texts[2]);
    assert!(texts[2].ends_with("\n\nAll is well.\n\n[Look into /tmp/1.md.]"), "{}", texts[2]);
    assert!(user_texts(&after(&items, "x", None))[2].ends_with("]\n\nx"));
}

#[test]
fn a_summary_of_a_summary_has_one_beginning() {
    let once = after(&[Item::user("one"), said("1")], "First.", None);
    let twice = after(&[once, vec![Item::user("two"), said("2")]].concat(), "Second.", None);
    let texts = user_texts(&twice);
    assert_eq!((texts[0].as_str(), texts[1].as_str(), texts.len()), ("one", "two", 3));
    assert!(texts[2].ends_with("Second.") && !texts[2].contains("First."), "{}", texts[2]);
}

#[test]
fn of_long_messages_the_newest_are_kept_and_the_oldest_that_fits_in_part_is_cut() {
    let newest = long(15_000);
    let items = [
        Item::user("oldest"),
        Item::user(format!("begin{}end", long(10_000))),
        Item::user("small"),
        Item::user(&newest),
    ];
    let texts = user_texts(&after(&items, "s", None));
    assert_eq!(texts.len(), 4, "the oldest is gone");
    assert_eq!((texts[1].as_str(), &texts[2]), ("small", &newest));
    assert!(texts[0].starts_with("begin") && texts[0].ends_with("end") && texts[0].contains("tokens left out]"));
    assert!((4_990..5_020).contains(&size::of_text(&texts[0])), "{}", size::of_text(&texts[0]));

    let alone = user_texts(&after(&[Item::user(long(1_000_000))], "s", None));
    assert!((19_990..20_020).contains(&size::of_text(&alone[0])), "the newest is cut, not dropped");
    let just = [Item::user("older"), Item::user(long(20_000))];
    assert_eq!(user_texts(&after(&just, "s", None)).len(), 2, "no room is left for a part worth it");
}

#[test]
fn of_a_message_in_parts_the_first_ones_are_kept() {
    let parts = vec![text("look"), image(), text(&long(30_000)), text("after")];
    let kept = after(&[Item::message(Role::User, parts)], "s", None);
    let Item::Message(message) = &kept[0] else { panic!() };
    assert_eq!(message.content[..2], [text("look"), text(IMAGE)]);
    assert_eq!(message.content.len(), 3, "what does not fit any more is gone");
}

#[test]
fn what_is_asked_has_no_images_and_ends_with_the_question() {
    let answered = CallOutput { call_id: "a".into(), output: Output::Parts(vec![text("b"), image()]) };
    let items = vec![
        Item::message(Role::User, vec![text("look"), image()]),
        function("a"),
        Item::FunctionCallOutput(answered),
        freeform("open"),
    ];
    let asking = Summarising::of(items, 1_000_000, Some("the numbers"));
    assert!(!format!("{:?}", asking.items()).contains("InputImage"), "{asking:?}");
    assert_eq!(asking.items()[4], output_of_freeform("open", history::ABORTED), "every call has its output");
    let Item::Message(prompt) = asking.prompt() else { panic!() };
    assert!(prompt.role == Role::User && prompt.text().ends_with("to be kept: the numbers"), "{prompt:?}");
    assert!(!format!("{:?}", Summarising::of(vec![], 1, None)).contains("Above all, the developer"));
}

#[test]
fn a_question_that_does_not_fit_loses_its_oldest_items_with_their_counterparts() {
    let items = vec![Item::user("a"), function("a"), said("b"), output("a", "x"), said("last")];
    let mut asking = Summarising::of(items, 1_000_000, None);
    assert_eq!((asking.shorten(), asking.items().len()), (Shortened::Shorter, 4));
    assert_eq!((asking.shorten(), asking.items()), (Shortened::Shorter, &[said("b"), said("last")][..]));
    assert_eq!((asking.shorten(), asking.items()), (Shortened::Shorter, &[said("last")][..]));
    assert_eq!(asking.shorten(), Shortened::NothingLeft);

    let mut large = Summarising::of(vec![Item::user("a"), said(&long(5_000))], 1_000_000, None);
    assert_eq!(
        (large.shorten(), large.items().len()),
        (Shortened::Shorter, 1),
        "less than an eighth is better than none"
    );
    let mut pair = Summarising::of(vec![function("a"), output("a", "x")], 1, None);
    assert_eq!((pair.items().len(), pair.shorten()), (2, Shortened::NothingLeft), "never all");

    let mut many = Summarising::of((0..800).map(|_| said(&long(1))).collect(), 1_000_000, None);
    assert_eq!((many.shorten(), many.items().len()), (Shortened::Shorter, 700), "an eighth at once");
    let fitting = Summarising::of((0..800).map(|_| said(&long(1))).collect(), 300, None);
    assert!((200..=300).contains(&fitting.items().len()), "{}", fitting.items().len());
}

#[test]
fn a_summary_is_what_the_model_says_in_the_end() {
    let comment = |text: &str| match said(text) {
        Item::Message(message) => Item::Message(Message { phase: Some("commentary".into()), ..message }),
        other => other,
    };
    let thought = Item::Reasoning(Reasoning { summary: vec![], content: None, encrypted_content: None });
    let cases = [
        (vec![thought.clone(), said(" Notes. ")], Some("Notes.")),
        (vec![comment("I will."), said("a"), said("b")], Some("a\nb")),
        (vec![comment("I will."), thought.clone()], None),
        (vec![said("  ")], None),
        (vec![function("a")], None),
        (vec![], None),
    ];
    for (items, expected) in cases {
        assert_eq!(summary(&answer(items.clone(), 1)).as_deref(), expected, "{items:?}");
    }
    let endless = summary(&answer(vec![said(&long(100_000))], 1)).unwrap();
    assert!(size::of_text(&endless) < 16_020);
}

#[test]
fn the_least_of_the_limits_holds() {
    assert_eq!(limit(244_800, 258_400, None), 244_800);
    assert_eq!(limit(244_800, 258_400, Some(190_000)), 190_000);
    assert_eq!(limit(244_800, 258_400, Some(1_000_000)), 244_800);
    assert_eq!(limit(900_000, 258_400, None), 258_400);
}

/// A conversation of one turn that the backend said to take so many tokens.
fn conversation(answered: &str, total_tokens: u64) -> History {
    let mut history = History::default();
    let mut turn = Turn::begin(vec![Item::user("prompt")]);
    turn.answered(answer(vec![said(answered)], total_tokens));
    turn.finish(&mut history);
    history
}

#[test]
fn a_conversation_is_compacted_when_the_backend_says_that_it_has_reached_the_limit() {
    let next = || Turn::begin(vec![Item::user("next")]);
    let history = conversation(&long(900), 1_000);
    assert_eq!(history.tokens(), 1_000);
    assert_eq!(due(&history, &next(), 1_002), Due::NotYet);
    assert_eq!(due(&history, &next(), 1_001), Due::Now { tokens: 1_001 }, "the prompt is estimated");
    assert_eq!(due(&History::default(), &next(), 10), Due::NotYet);
}

#[test]
fn between_two_requests_the_outputs_count() {
    let history = conversation(&long(100), 400);
    let mut turn = Turn::begin(vec![Item::user("next")]);
    turn.answered(answer(vec![function("a")], 600));
    let call = function("a").as_call().unwrap();
    turn.ran(&call, Output::Text(long(800)));
    assert_eq!(turn.tokens(&history), 1_400);
    assert_eq!(due(&history, &turn, 1_401), Due::NotYet);
    assert_eq!(due(&history, &turn, 1_400), Due::Now { tokens: 1_400 });
}

#[test]
fn what_a_summary_could_not_save_is_not_summarised() {
    let mut history = conversation("Yes.", 5_000);
    let turn = Turn::begin(vec![]);
    assert_eq!(due(&history, &turn, 1_000), Due::InVain { tokens: 5_000 }, "it is all instructions and tools");
    history.compacted_in_vain(5_000);
    assert_eq!(due(&history, &turn, 1_000), Due::NotYet, "and that is said once");
    assert_eq!(due(&history.clone().measured(5_500), &turn, 1_000), Due::InVain { tokens: 5_500 });
    let prompts = History::of(vec![Item::user(long(19_000))]);
    assert_eq!(due(&prompts, &turn, 1_000), Due::InVain { tokens: 19_000 }, "what the person said is kept");
}

#[test]
fn a_turn_without_an_answer_keeps_its_prompt() {
    let mut history = conversation("Long.", 1_000);
    let mut turn = Turn::begin(vec![Item::user("next")]);
    assert_eq!(source(&history, &turn), history.items());
    turn.compact(&mut history, vec![Item::user("notes")]);
    assert_eq!((history.items(), turn.items()), (&[Item::user("notes")][..], &[Item::user("next")][..]));
    turn.fail(&mut history);
    assert_eq!(history.items(), [Item::user("notes")], "it can be given again");
}

#[test]
fn a_turn_with_answers_becomes_part_of_what_is_summarised() {
    let mut history = conversation("Long.", 1_000);
    let mut turn = Turn::begin(vec![Item::user("next")]);
    turn.answered(answer(vec![function("a")], 2_000));
    turn.ran(&function("a").as_call().unwrap(), Output::Text("x".into()));
    let all = source(&history, &turn);
    assert_eq!((all.len(), &all[4]), (5, &output("a", "x")));
    turn.compact(&mut history, after(&all, "notes", None));
    assert_eq!((turn.items().len(), turn.tokens(&history)), (0, size::of_items(history.items())));
    turn.answered(answer(vec![said("done")], 300));
    turn.finish(&mut history);
    assert_eq!((history.items().last(), history.tokens()), (Some(&said("done")), 300));
    assert_eq!(user_texts(&history.items()[..2]), ["prompt", "next"]);
}

#[test]
fn a_turn_that_fails_after_a_compaction_leaves_what_was_compacted() {
    let mut history = conversation("Long.", 1_000);
    let mut turn = Turn::begin(vec![Item::user("next")]);
    turn.answered(answer(vec![function("a")], 2_000));
    turn.ran(&function("a").as_call().unwrap(), Output::Text("x".into()));
    turn.compact(&mut history, vec![Item::user("notes")]);
    turn.fail(&mut history);
    assert_eq!(history.items()[0], Item::user("notes"));
    assert!(matches!(&history.items()[1], Item::Message(note) if note.role == Role::Developer));
}

fn any_item() -> impl Strategy<Value = Item> {
    let call_id = || prop::sample::select(vec!["a", "b", "c"]);
    let words = || (0_usize..40, 0_usize..30_000).prop_map(|(short, tokens)| if short > 0 { short } else { tokens });
    prop_oneof![
        3 => words().prop_map(|tokens| Item::user(long(tokens))),
        1 => words().prop_map(|tokens| Item::message(Role::User, vec![text("look"), image(), text(&long(tokens))])),
        2 => words().prop_map(|tokens| said(&long(tokens))),
        1 => Just(Item::developer("note")),
        2 => call_id().prop_map(function),
        2 => call_id().prop_map(freeform),
        2 => call_id().prop_map(|call_id| output(call_id, "x")),
        2 => call_id().prop_map(|call_id| output_of_freeform(call_id, "x")),
    ]
}

/// Each call has one output, and each output a call before it.
fn fits_together(items: &[Item]) -> bool {
    let mut open: HashMap<String, u32> = HashMap::new();
    for item in items {
        if let Some(call) = item.as_call() {
            open.insert(call.call_id, 0);
        } else if let Item::FunctionCallOutput(output) | Item::CustomToolCallOutput(output) = item {
            match open.get_mut(&output.call_id) {
                Some(outputs) => *outputs += 1,
                None => return false,
            }
        }
    }
    open.values().all(|outputs| *outputs == 1)
}

proptest! {
    #[test]
    fn whatever_was_said_the_result_is_bounded_and_the_newest_words_are_in_it(
        items in prop::collection::vec(any_item(), 0..30), notes in "[a-z ]{0,200}",
    ) {
        let history = History::of(items);
        let kept = after(history.items(), &notes, None);
        prop_assert!(size::of_items(&kept) < MOST + 1_000);
        prop_assert!(fits_together(&kept));
        let texts = user_texts(&kept);
        let asked: Vec<_> = history.items().iter().filter_map(|item| match item {
            Item::Message(message) if message.role == Role::User => Some(message.text()),
            _ => None,
        }).collect();
        // The newest first: what is whole is a tail of what was said, and only the one in front of it may be cut.
        let whole = texts[..texts.len() - 1].iter().rev().zip(asked.iter().rev());
        let differing = whole.filter(|(kept, asked)| kept.replace(IMAGE, "") != **asked).count();
        prop_assert!(differing <= 1);
        prop_assert!(asked.is_empty() || texts.len() > 1);
    }

    #[test]
    fn however_often_it_is_shortened_a_question_fits_together(
        items in prop::collection::vec(any_item(), 0..30), window in 1_u64..200_000,
    ) {
        let mut asking = Summarising::of(items, window, None);
        loop {
            prop_assert!(fits_together(asking.items()));
            let before = asking.items().len();
            if asking.shorten() == Shortened::NothingLeft {
                break;
            }
            prop_assert!(asking.items().len() < before && !asking.items().is_empty());
        }
    }
}
