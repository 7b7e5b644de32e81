//! `alert`.

use serde_json::{Value, json};

use super::harness::Broker;

fn answer(problem: Value) -> Value {
    json!({ "sinks": [{ "sink": "webhook", "to": "hooks.example:443", "delivered": problem.is_null(), "problem": problem }] })
}

#[test]
fn a_test_says_what_each_sink_did_and_fails_when_one_was_not_reached() {
    let (good, bad) = (answer(json!(null)), answer(json!("hooks.example:443 answered 404")));
    let broker = Broker::scripted([(200, good), (200, bad.clone()), (200, bad)]);
    let seen = broker.runs(&["alert", "test"]);
    assert_eq!(seen.code, 0, "{seen:?}");
    assert!(seen.stdout.contains("webhook") && seen.stdout.contains("delivered"), "{seen:?}");
    let seen = broker.runs(&["alert", "test"]);
    assert_eq!(seen.code, 1);
    assert!(seen.stdout.contains("answered 404") && seen.stderr.contains("the webhook was not reached"), "{seen:?}");
    assert_eq!(broker.runs(&["alert", "test", "--json"]).json()["sinks"][0]["delivered"], false);
    assert_eq!(broker.asked(), ["POST /admin/v1/alerts/test"; 3]);
}
