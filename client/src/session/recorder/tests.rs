use std::fs;

use super::*;
use crate::clock::fixed::TestClock;
use crate::conversation::event::Usage;
use crate::conversation::item::{Call, Given, Item, Output};
use crate::drive::record::Ending;
use crate::model::catalog::Model;

fn manner(id: &str) -> Manner {
    let (model, session_id) = (Model::unknown("gpt-5.5"), id.to_owned());
    let (instructions, context, effort) = (String::new(), Vec::new(), Some("high".to_owned()));
    Manner { model, instructions, context, effort, summary: None, compact_at_tokens: None, session_id }
}

fn one_turn(keeper: &mut Keeper<'_>, id: &str, prompt: &str) -> Talk {
    let mut talk = Talk::default();
    let (prompt, manner) = ([Item::user(prompt)], manner(id));
    let usage = Some(Usage { input_tokens: 42, ..Usage::default() });
    keeper.record(Happening::Begun { prompt: &prompt, manner: &manner }, &mut talk);
    keeper.record(Happening::Answered { items: &[], usage }, &mut talk);
    keeper.record(Happening::Ended(Ending::Finished), &mut talk);
    talk
}

const ONE: &str = "00000000-0000-4000-8000-000000000001";
const OTHER: &str = "00000000-0000-4000-8000-000000000002";

fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("state/scorpiox/sessions");
    (dir, place)
}

#[test]
fn nothing_is_made_before_something_is_said_and_what_is_made_is_private() {
    use std::os::unix::fs::MetadataExt;
    let (dir, place) = place();
    let clock = TestClock::default();
    let mut keeper = Keeper::new(Some(place.clone()), "/p".into(), &clock);
    assert_eq!((fs::read_dir(dir.path()).unwrap().count(), keeper.folder()), (0, None));
    assert_eq!(one_turn(&mut keeper, ONE, "one").lines(true).count(), 0);
    assert_eq!(keeper.folder(), Some(place.join(ONE).as_path()));
    let mode = |path: &str| fs::metadata(place.join(path)).unwrap().mode() & 0o777;
    assert_eq!((mode(""), mode(ONE)), (0o700, 0o700));
    for file in ["transcript.jsonl", "usage.json"] {
        assert_eq!(mode(&format!("{ONE}/{file}")), 0o600);
    }
}

#[test]
fn a_conversation_of_another_id_has_a_folder_of_its_own() {
    let (_dir, place) = place();
    let clock = TestClock::default();
    let store = Store::at(place.clone());
    let mut keeper = Keeper::new(Some(place), "/p".into(), &clock);
    for (id, prompt) in [(ONE, "one"), (ONE, "two"), (OTHER, "three")] {
        one_turn(&mut keeper, id, prompt);
    }
    let replayed = store.read(ONE).unwrap();
    assert_eq!(replayed.history.items(), [Item::user("one"), Item::user("two")]);
    assert_eq!((replayed.told.turns, replayed.told.usage.input_tokens), (2, 84));
    assert_eq!(store.read(OTHER).unwrap().history.items(), [Item::user("three")]);
    let tally = Tally::read(&store.folder(ONE)).unwrap();
    assert_eq!((tally.turns, tally.usage), (2, replayed.told.usage));
}

#[test]
fn a_conversation_goes_on_where_it_was_and_its_sums_too() {
    let (_dir, place) = place();
    let clock = TestClock::default();
    let store = Store::at(place.clone());
    let mut keeper = Keeper::new(Some(place.clone()), "/p".into(), &clock);
    one_turn(&mut keeper, ONE, "one");
    drop(keeper);
    let (transcript, replayed) = store.resume(ONE).unwrap();
    let mut keeper = Keeper::new(Some(place), "/elsewhere".into(), &clock);
    keeper.go_on(transcript, &replayed);
    one_turn(&mut keeper, ONE, "two");
    let replayed = store.read(ONE).unwrap();
    assert_eq!((replayed.session.directory.as_str(), replayed.told.turns), ("/p", 2));
    assert_eq!(replayed.history.items().len(), 2);
    assert_eq!(Tally::read(&store.folder(ONE)).unwrap().usage.input_tokens, 84);
}

#[test]
fn where_nothing_can_be_kept_it_is_said_once_and_the_conversation_goes_on() {
    let (dir, place) = place();
    let clock = TestClock::default();
    let mut keeper = Keeper::new(None, "/p".into(), &clock);
    assert_eq!(one_turn(&mut keeper, ONE, "one").lines(false).count(), 1);
    assert_eq!(one_turn(&mut keeper, ONE, "two").lines(false).count(), 0);

    fs::write(dir.path().join("state"), "a file in the folder's place").unwrap();
    let mut keeper = Keeper::new(Some(place), "/p".into(), &clock);
    let talk = one_turn(&mut keeper, ONE, "one");
    let lines: Vec<&str> = talk.lines(false).collect();
    assert!(lines.len() == 1 && lines[0].contains("not kept"), "{lines:?}");
    assert_eq!(one_turn(&mut keeper, ONE, "two").lines(false).count(), 0);

    let mut keeper = Keeper::unwanted(&clock);
    assert_eq!(one_turn(&mut keeper, ONE, "one").lines(true).count(), 0);
}

#[test]
fn a_full_disk_ends_the_transcript_with_its_last_whole_line() {
    let (_dir, place) = place();
    let clock = TestClock::default();
    let mut keeper = Keeper::new(Some(place.clone()), "/p".into(), &clock);
    one_turn(&mut keeper, ONE, "one");
    let before = fs::read(place.join(ONE).join("transcript.jsonl")).unwrap();
    let Keeping::In { current: Current::Kept(kept), .. } = &mut keeper.keeping else { panic!("kept") };
    kept.transcript.fill_the_disk();
    assert_eq!(one_turn(&mut keeper, ONE, "two").lines(false).count(), 1);
    assert_eq!(one_turn(&mut keeper, ONE, "three").lines(false).count(), 0);
    assert_eq!(fs::read(place.join(ONE).join("transcript.jsonl")).unwrap(), before);
    // Another conversation is kept again, if it can be.
    assert_eq!(one_turn(&mut keeper, OTHER, "four").lines(false).count(), 0);
}

#[test]
fn what_making_it_shorter_has_cost_is_counted_though_no_turn_follows() {
    let (_dir, place) = place();
    let clock = TestClock::default();
    let store = Store::at(place.clone());
    let mut keeper = Keeper::new(Some(place), "/p".into(), &clock);
    let mut talk = one_turn(&mut keeper, ONE, "one");
    let usage = Some(Usage { input_tokens: 8, ..Usage::default() });
    keeper.record(Happening::Compacted { items: &[], usage }, &mut talk);
    assert_eq!(Tally::read(&store.folder(ONE)).unwrap().usage.input_tokens, 50);
}

#[test]
fn a_call_is_on_record_before_its_tool_runs() {
    let (_dir, place) = place();
    let clock = TestClock::default();
    let store = Store::at(place.clone());
    let mut keeper = Keeper::new(Some(place), "/p".into(), &clock);
    let mut talk = Talk::default();
    let (manner, given) = (manner(ONE), Given::Freeform("x".to_owned()));
    let call = Call { call_id: "a".to_owned(), name: "apply_patch".to_owned(), given };
    let item: Item = serde_json::from_value(serde_json::json!(
        {"type": "custom_tool_call", "call_id": "a", "name": "apply_patch", "input": "x"}
    ))
    .unwrap();
    keeper.record(Happening::Begun { prompt: &[], manner: &manner }, &mut talk);
    keeper.record(Happening::Answered { items: std::slice::from_ref(&item), usage: None }, &mut talk);
    assert_eq!(store.read(ONE).unwrap().history.items()[0], item);
    let output = Output::Text("made".to_owned());
    keeper.record(Happening::Ran(&call, &output), &mut talk);
    assert_eq!(store.read(ONE).unwrap().history.items()[1], call.answered(output));
}
