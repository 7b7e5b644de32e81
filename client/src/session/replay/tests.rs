use super::*;
use crate::conversation::images;
use crate::conversation::item::{CallOutput, Content, FunctionCall, Output, Role};

fn line(entry: Entry) -> Vec<u8> {
    Line::new(0, entry).encode()
}

fn session(schema: u32) -> Entry {
    let (id, directory, client) = ("i".to_owned(), "/p".to_owned(), "0".to_owned());
    Entry::Session(Session { schema, id, directory, client, copy_of: None })
}

fn turn(prompt: &str) -> Entry {
    Entry::Turn { model: "m".to_owned(), effort: None, prompt: vec![Item::user(prompt)] }
}

fn items(items: Vec<Item>) -> Entry {
    Entry::Items { items, usage: Some(Usage { input_tokens: 10, total_tokens: 12, ..Usage::default() }) }
}

fn said(text: &str) -> Item {
    Item::message(Role::Assistant, vec![Content::OutputText { text: text.to_owned() }])
}

fn call(call_id: &str) -> Item {
    let (name, arguments) = ("shell".to_owned(), "{}".to_owned());
    Item::FunctionCall(FunctionCall { call_id: call_id.to_owned(), name, namespace: None, arguments })
}

fn output(call_id: &str, text: &str) -> Item {
    Item::FunctionCallOutput(CallOutput { call_id: call_id.to_owned(), output: Output::Text(text.to_owned()) })
}

fn ended(how: Ending) -> Entry {
    Entry::TurnEnd { how }
}

fn replayed(entries: Vec<Entry>) -> Replayed {
    let mut replay = Replay::default();
    let lines = std::iter::once(session(SCHEMA)).chain(entries).map(line);
    lines.for_each(|line| replay.take(&line).unwrap());
    replay.finish().unwrap()
}

#[test]
fn a_conversation_is_what_its_turns_have_left() {
    let told = replayed(vec![
        turn("one"),
        items(vec![call("a"), call("b")]),
        Entry::Output { item: output("b", "second") },
        Entry::Output { item: output("a", "first") },
        items(vec![said("done")]),
        ended(Ending::Finished),
        turn("fails"),
        ended(Ending::Failed),
        turn("stopped"),
        ended(Ending::Stopped),
    ]);
    let expected = [
        Item::user("one"),
        call("a"),
        call("b"),
        output("a", "first"),
        output("b", "second"),
        said("done"),
        Item::user("stopped"),
    ];
    assert_eq!(told.history.items()[..7], expected);
    assert_eq!(told.history.items().len(), 8, "and a note that it was stopped");
    let usage = Usage { input_tokens: 20, total_tokens: 12, ..Usage::default() };
    assert_eq!((told.told.turns, told.told.usage), (3, usage));
    assert_eq!(told.told.last_ending, Some(Ending::Stopped));
}

#[test]
fn a_turn_without_an_end_keeps_what_was_complete() {
    for more in [vec![], vec![turn("next"), ended(Ending::Finished)]] {
        let cut = vec![turn("one"), items(vec![call("a"), call("b")]), Entry::Output { item: output("b", "made") }];
        let told = replayed(cut.into_iter().chain(more.clone()).collect());
        let expected = [Item::user("one"), call("a"), output("a", "aborted"), call("b"), output("b", "made")];
        assert_eq!(told.history.items()[..5], expected);
        let note = told.history.items()[5].clone();
        assert!(matches!(&note, Item::Message(note) if note.role == Role::Developer), "{note:?}");
        assert_eq!(told.told.last_ending.is_none(), more.is_empty());
    }
}

fn image() -> Content {
    Content::InputImage { image_url: "data:image/png;base64,AA==".to_owned(), detail: None }
}

fn looked() -> Vec<Entry> {
    let output = CallOutput { call_id: "a".to_owned(), output: Output::Parts(vec![image()]) };
    vec![items(vec![call("a")]), Entry::Output { item: Item::FunctionCallOutput(output) }]
}

#[test]
fn images_that_were_refused_are_left_out_as_they_were_then() {
    let shown =
        || Entry::Turn { model: "m".to_owned(), effort: None, prompt: vec![Item::message(Role::User, vec![image()])] };
    let refused = || Entry::ImagesRefused;
    // How many images each of the items has that were no notes.
    let counts = |entries: Vec<Vec<Entry>>| {
        let history = replayed(entries.into_iter().flatten().collect()).history;
        history.items().iter().map(images::count).collect::<Vec<_>>()
    };
    let finished = || vec![items(vec![said("done")]), ended(Ending::Finished)];
    let turn = |inside: Vec<Entry>| [vec![shown()], looked(), inside, finished()].concat();
    assert_eq!(counts(vec![turn(vec![])]), [1, 0, 1, 0]);
    assert_eq!(counts(vec![turn(vec![refused()])]), [1, 0, 0, 0], "what a tool brought");
    assert_eq!(counts(vec![turn(vec![refused(), refused()])]), [0, 0, 0, 0], "what the person attached");
    let failed = vec![shown(), refused(), ended(Ending::Failed)];
    assert_eq!(counts(vec![turn(vec![]), failed]), [1, 0, 1, 0], "nothing but what was asked with");
    let earlier = [vec![self::turn("and now?"), refused()], finished()].concat();
    assert_eq!(counts(vec![turn(vec![]), earlier]), [0; 6], "what stood in the conversation");
    assert_eq!(counts(vec![turn(vec![]), vec![refused()]]), [1, 0, 1, 0], "nobody asked");
}

#[test]
fn what_was_compacted_tells_all_before_it() {
    let summary = Item::user("summary");
    let told = replayed(vec![
        turn("one"),
        items(vec![said("long")]),
        ended(Ending::Finished),
        turn("two"),
        items(vec![call("a")]),
        Entry::Output { item: output("a", "made") },
        Entry::Compacted { items: vec![summary.clone()], usage: None },
        items(vec![said("done")]),
        ended(Ending::Finished),
    ]);
    assert_eq!(told.history.items(), [summary, said("done")]);
}

#[test]
fn a_prompt_without_an_answer_outlasts_a_compaction() {
    let (summary, prompt) = (Item::user("summary"), Item::user("two"));
    let begun = |ending| {
        let compacted = Entry::Compacted { items: vec![summary.clone()], usage: None };
        let told = vec![turn("one"), items(vec![said("long")]), ended(Ending::Finished), turn("two"), compacted];
        replayed(told.into_iter().chain([items(vec![said("done")]), ended(ending)]).collect()).history
    };
    assert_eq!(begun(Ending::Finished).items(), [summary.clone(), prompt, said("done")]);
    assert_eq!(begun(Ending::Failed).items(), [summary]);
}

#[test]
fn what_does_not_belong_anywhere_changes_nothing() {
    let told = replayed(vec![
        ended(Ending::Finished),
        Entry::Output { item: output("a", "x") },
        turn("one"),
        Entry::Output { item: output("unknown", "x") },
        Entry::Output { item: said("no output") },
        Entry::Unknown,
        session(SCHEMA),
        ended(Ending::Finished),
    ]);
    assert_eq!(told.history.items(), [Item::user("one")]);
}

#[test]
fn a_line_that_cannot_be_read_is_passed_over_and_counted() {
    let mut replay = Replay::default();
    for line in [line(session(SCHEMA)), b"\0\0\0\n".to_vec(), line(turn("one")), b"{\n".to_vec()] {
        replay.take(&line).unwrap();
    }
    let replayed = replay.finish().unwrap();
    assert_eq!((replayed.told.unreadable, replayed.history.items().len()), (2, 2));
}

#[test]
fn a_turn_whose_beginning_cannot_be_read_keeps_what_follows() {
    let (asked, ran) = (items(vec![call("a")]), Entry::Output { item: output("a", "x") });
    let follows = [asked, ran, items(vec![said("done")]), ended(Ending::Finished)].map(line);
    let mut replay = Replay::default();
    let lines = [line(session(SCHEMA)), b"\0\n".to_vec()].into_iter().chain(follows);
    lines.for_each(|line| replay.take(&line).unwrap());
    let replayed = replay.finish().unwrap();
    assert_eq!(replayed.told.unreadable, 1);
    assert_eq!(replayed.history.items(), [call("a"), output("a", "x"), said("done")]);
}

#[test]
fn only_a_transcript_that_is_understood_is_gone_on_with() {
    let first = |line: &[u8]| Replay::default().take(line);
    assert_eq!(first(&line(session(SCHEMA + 1))), Err(Unreadable::Newer(SCHEMA + 1)));
    assert_eq!(first(&line(turn("one"))), Err(Unreadable::NoBeginning));
    assert_eq!(first(b"rubbish\n"), Err(Unreadable::NoBeginning));
    assert_eq!(Replay::default().finish().unwrap_err(), Unreadable::NoBeginning);
}
