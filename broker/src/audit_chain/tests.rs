use super::*;
use crate::seal::MasterKey;

fn sealer(byte: u8) -> Sealer {
    Sealer::new(&MasterKey::from_bytes([byte; 32]))
}

fn record(number: i64) -> Record {
    Record {
        at: Timestamp::from_unix(1_700_000_000 + number),
        actor: "client:laptop-anna".into(),
        action: "token.first".into(),
        object: "credential:main".into(),
        outcome: "ok".into(),
        request_id: "r1".into(),
        address: "192.0.2.7".into(),
        detail: format!("generation={number}").into(),
    }
}

fn chain(length: i64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for number in 1..=length {
        let previous = entries.last().map_or(Link::START, |entry| entry.link);
        entries.push(Entry::after(previous, record(number), &sealer(1)));
    }
    entries
}

fn verdict(entries: &[Entry], head: Option<Link>) -> Result<u64, Fault> {
    verify(&sealer(1), head, entries)
}

fn fault(seq: u64, reason: Reason) -> Result<u64, Fault> {
    Err(Fault { seq, reason })
}

#[test]
fn a_whole_chain_is_whole() {
    assert_eq!(verdict(&[], None), Ok(0));
    let entries = chain(5);
    assert_eq!(verdict(&entries, Some(entries[4].link)), Ok(5));
    // What is remembered elsewhere may be older than the newest entry.
    assert_eq!(verdict(&entries, Some(entries[2].link)), Ok(5));
}

#[test]
fn a_change_of_any_field_is_found_where_it_was_made() {
    let changes: [fn(&mut Entry); 9] = [
        |entry| entry.record.at = Timestamp::from_unix(0),
        |entry| entry.record.actor = "x".into(),
        |entry| entry.record.action = "x".into(),
        |entry| entry.record.object = "x".into(),
        |entry| entry.record.outcome = "x".into(),
        |entry| entry.record.request_id = "x".into(),
        |entry| entry.record.address = "x".into(),
        |entry| entry.record.detail = "x".into(),
        |entry| entry.link.mac[31] ^= 1,
    ];
    for change in changes {
        let mut entries = chain(5);
        change(&mut entries[2]);
        assert_eq!(verdict(&entries, None), fault(3, Reason::Edited));
    }
}

#[test]
fn text_cannot_be_moved_from_one_field_to_the_next() {
    let mut entries = chain(1);
    entries[0].record.actor = "client:laptop-annatoken".into();
    entries[0].record.action = ".first".into();
    assert_eq!(verdict(&entries, None), fault(1, Reason::Edited));
}

#[test]
fn what_was_removed_is_named() {
    let mut middle = chain(5);
    middle.remove(2);
    assert_eq!(verdict(&middle, None), fault(3, Reason::Missing));
    assert_eq!(verdict(&chain(5)[2..], None), fault(1, Reason::Missing));
    let entries = chain(5);
    assert_eq!(verdict(&entries[..3], Some(entries[4].link)), fault(4, Reason::CutOff));
    assert_eq!(verdict(&[], Some(entries[4].link)), fault(1, Reason::CutOff));
}

#[test]
fn a_removed_entry_is_found_when_the_rest_is_numbered_anew() {
    let mut entries = chain(5);
    entries.remove(2);
    for (entry, seq) in entries.iter_mut().zip(1..) {
        entry.link.seq = seq;
    }
    assert_eq!(verdict(&entries, None), fault(3, Reason::Edited));
}

#[test]
fn another_order_is_found() {
    let mut swapped = chain(5);
    swapped.swap(1, 3);
    assert_eq!(verdict(&swapped, None), fault(2, Reason::Missing));
    let mut twice = chain(3);
    twice.insert(2, twice[1].clone());
    assert_eq!(verdict(&twice, None), fault(3, Reason::Reordered));
    let mut contents = chain(5);
    let first = contents[1].record.clone();
    contents[1].record = std::mem::replace(&mut contents[3].record, first);
    assert_eq!(verdict(&contents, None), fault(2, Reason::Edited));
}

#[test]
fn a_chain_of_another_key_is_not_ours() {
    assert_eq!(verify(&sealer(2), None, &chain(2)), fault(1, Reason::Edited));
}

#[test]
fn a_chain_that_was_begun_anew_does_not_fit_what_is_remembered() {
    let entries = chain(5);
    let mut other = record(1);
    other.detail = "another".into();
    let mut anew = vec![Entry::after(Link::START, other, &sealer(1))];
    for number in 2..=6 {
        let previous = anew.last().unwrap().link;
        anew.push(Entry::after(previous, record(number), &sealer(1)));
    }
    assert_eq!(verdict(&anew, Some(entries[3].link)), fault(4, Reason::Edited));
}

#[test]
fn the_macs_never_change() {
    // A literal value: a change here makes every existing audit look edited.
    assert_eq!(*hex::encode(&chain(2)[1].link.mac), "58b154e0189a6845dced11078380b0c56fe2b4644462d6d3b96b24e737959a0b");
}

#[test]
fn a_record_survives_the_spool() {
    assert_eq!(Record::from_bytes(&record(1).to_bytes()), Some(record(1)));
    assert_eq!(Record::from_bytes(b"{}"), None);
}

#[test]
fn the_contract_gets_every_field() {
    let entry = chain(1).remove(0).to_wire();
    assert_eq!((entry.seq, entry.at), (1, 1_700_000_001));
    assert_eq!((entry.actor.as_str(), entry.action.as_str()), ("client:laptop-anna", "token.first"));
    assert_eq!((entry.object.as_str(), entry.outcome.as_str()), ("credential:main", "ok"));
    assert_eq!((entry.request_id.as_str(), entry.address.as_str()), ("r1", "192.0.2.7"));
    assert_eq!((entry.detail.as_str(), entry.mac.len()), ("generation=1", 64));
}
