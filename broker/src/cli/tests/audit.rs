//! `audit`.

use serde_json::{Value, json};

use super::harness::{Broker, NOW, page};

fn entry(seq: u64) -> Value {
    json!({
        "seq": seq, "at": NOW + seq as i64, "actor": "client:laptop-anna", "action": "token.first",
        "object": "credential:main", "outcome": "ok", "request_id": "r1", "address": "10.0.0.7",
        "detail": "generation 7", "mac": "ab",
    })
}

#[test]
fn the_newest_entries_are_shown_one_on_a_line() {
    let broker = Broker::scripted([(200, page([entry(41), entry(42)])), (200, page([entry(42)]))]);
    let seen = broker.runs(&["audit"]);
    let lines: Vec<_> = seen.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let line = |seq, second| {
        format!(
            "{seq} 2026-11-22 12:00:{second} UTC client:laptop-anna token.first credential:main ok 10.0.0.7 generation 7"
        )
    };
    assert_eq!(lines, [line(41, 41), line(42, 42)]);
    assert_eq!(broker.runs(&["audit", "-n", "1", "--json"]).json(), json!([entry(42)]));
    assert_eq!(broker.asked(), ["GET /admin/v1/audit?limit=20", "GET /admin/v1/audit?limit=1"]);
}

#[test]
fn following_goes_on_where_it_was() {
    let pages = [page([entry(4), entry(5)]), page([]), page([entry(6)]), page([])];
    let broker = Broker::scripted(pages.map(|page| (200, page)));
    let seen = broker.runs(&["audit", "--follow", "-n", "2", "--json"]);
    let entries: Vec<Value> = seen.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries, [entry(4), entry(5), entry(6)]);
    assert_eq!(seen.code, 75, "the script has ended");
    assert_eq!(
        broker.asked(),
        [
            "GET /admin/v1/audit?limit=2",
            "GET /admin/v1/audit?after=5&limit=500",
            "GET /admin/v1/audit?after=5&limit=500",
            "GET /admin/v1/audit?after=6&limit=500",
            "GET /admin/v1/audit?after=6&limit=500",
        ]
    );
}

#[test]
fn following_from_now_shows_nothing_old() {
    let broker = Broker::scripted([(200, page([entry(9)])), (200, page([entry(10)]))]);
    let seen = broker.runs(&["audit", "-f", "-n", "0"]);
    assert_eq!(seen.stdout.lines().count(), 1, "{}", seen.stdout);
    assert_eq!(broker.asked()[1], "GET /admin/v1/audit?after=9&limit=500");
}

#[test]
fn a_broken_chain_is_told_and_is_no_success() {
    let whole = json!({ "entries": 42, "first_bad": null, "reason": null, "removed": 0, "anchors": 0 });
    let broken = json!({ "entries": 42, "first_bad": 17, "reason": "it was changed", "removed": 0, "anchors": 0 });
    let broker =
        Broker::scripted([(200, whole.clone()), (200, whole.clone()), (200, broken.clone()), (200, broken.clone())]);
    let seen = broker.runs(&["audit", "--verify"]);
    assert_eq!((seen.code, seen.stdout.as_str()), (0, "whole: 42 entries, each fits the one before it\n"));
    assert_eq!(broker.runs(&["audit", "--verify", "--json"]).json(), whole);
    let seen = broker.runs(&["audit", "--verify"]);
    assert_eq!((seen.code, seen.stdout.as_str()), (1, "broken: entry 17: it was changed (42 entries checked)\n"));
    let seen = broker.runs(&["audit", "--verify", "--json"]);
    assert_eq!((seen.code, seen.json()), (1, broken));
    assert_eq!(broker.asked(), ["GET /admin/v1/audit/verify"; 4]);
}
