//! One trace from a client's request through the wait to the rotation, as a collector sees it.

use std::collections::BTreeMap;

use fake_provider::Settings;
use scorpiox_tests::process::Team;
use scorpiox_tests::process::posted::{Listener, Posted};
use scorpiox_wire::{TokenAnswer, TokenTag};
use serde_json::Value;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// Takes OTLP over HTTP as JSON.
struct Collector(Listener);

impl Collector {
    fn start() -> Self {
        const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        Self(Listener::answering(|| TAKEN.to_owned()))
    }

    /// Every span of the trace by its name, once `enough` of them are there; and all that was received.
    fn spans(&self, enough: &[&str]) -> (BTreeMap<String, Value>, String) {
        let (mut spans, mut everything) = (BTreeMap::new(), String::new());
        while !enough.iter().all(|name| spans.contains_key(*name)) {
            let Posted { head, body } = self.0.next().unwrap_or_else(|| panic!("only {spans:?}"));
            assert!(head.starts_with("POST /v1/traces "), "{head}");
            everything.push_str(&body);
            let page: Value = serde_json::from_str(&body).unwrap();
            let lists =
                page["resourceSpans"].as_array().unwrap().iter().flat_map(|of| of["scopeSpans"].as_array().unwrap());
            for span in lists.flat_map(|list| list["spans"].as_array().unwrap()) {
                if span["traceId"] == TRACE {
                    spans.insert(span["name"].as_str().unwrap().to_owned(), span.clone());
                }
            }
        }
        (spans, everything)
    }
}

fn attribute<'a>(span: &'a Value, name: &str) -> &'a Value {
    let all = span["attributes"].as_array().unwrap();
    let found = all.iter().find(|attribute| attribute["key"] == name);
    &found.unwrap_or_else(|| panic!("no {name}: {span}"))["value"]
}

#[test]
fn a_request_its_wait_and_the_rotation_are_one_trace_that_the_client_began() {
    let collector = Collector::start();
    let team = Team::with(Settings::default(), |plan| {
        plan.with("SCORPIOX_BROKER_TELEMETRY_OTLP_ENDPOINT", &collector.0.origin)
            .with("OTEL_BSP_SCHEDULE_DELAY", "100")
            .with("SCORPIOX_BROKER_ROTATION_MINIMUM_TOKEN_AGE", "0s")
    });
    team.given_a_login("main");
    let laptop = team.given_a_client("laptop");
    let token = team.fetch(&laptop.key);
    let refused = TokenTag { credential: token.credential.clone(), generation: token.generation };
    let parent = format!("00-{TRACE}-{PARENT}-01");
    team.given_longer_tokens();
    let reply = team.ask_with(&laptop.key, &format!("/codex?refused={refused}"), &[("traceparent", &parent)]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let renewed: TokenAnswer = reply.json();
    assert_eq!(renewed.generation, 2);

    let steps = ["dial", "arm", "send", "rescue", "settle"];
    let (spans, everything) = collector.spans(&[&["GET /codex", "wait", "rotation"][..], &steps].concat());
    let (request, rotation) = (&spans["GET /codex"], &spans["rotation"]);
    assert_eq!(request["parentSpanId"], PARENT);
    assert_eq!(attribute(request, "http.route")["stringValue"], "/codex");
    assert_eq!(attribute(request, "http.response.status_code")["intValue"], "200");
    for part in ["wait", "rotation"] {
        assert_eq!(spans[part]["parentSpanId"], request["spanId"], "{part}");
    }
    for step in steps {
        assert_eq!(spans[step]["parentSpanId"], rotation["spanId"], "{step}");
    }
    assert_eq!(attribute(rotation, "scorpiox.rotation.outcome")["stringValue"], "renewed");
    assert_eq!(attribute(rotation, "scorpiox.credential.name")["stringValue"], "main");
    for secret in ["eyJ", laptop.key.0.as_str(), "rt_"] {
        assert!(!everything.contains(secret), "{secret}: {everything}");
    }
    assert!(!team.broker().log().contains("scorpiox.rotation.outcome"), "the log has events, not spans");
}
