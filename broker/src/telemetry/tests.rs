use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::http::request_id::{self, RequestId};

/// Keeps what was logged.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Paper {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn logged(style: Style, level: &str, speak: impl FnOnce()) -> String {
    let paper = Paper::default();
    let layer = lines(style, paper.clone()).with_filter(parse_level(level).unwrap().and(dependencies_are_capped()));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), speak);
    let bytes = paper.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn what_dependencies_say_below_info_stays_out_at_any_level() {
    let log = logged(Style::Json, "trace,hyper=trace,rustls=trace", || {
        tracing::trace!(target: "hyper::proto::h1", "read 7 bytes: canary");
        tracing::debug!(target: "rustls::conn", "canary");
        tracing::debug!(target: "sqlx::query", "canary");
        tracing::trace!(target: "actix_http::h1", "canary");
        tracing::trace!(target: "scorpiox_broker::rotator", "ours");
        tracing::info!(target: "rustls::conn", "theirs");
    });
    assert!(!log.contains("canary"), "{log}");
    assert!(log.contains("ours") && log.contains("theirs"), "{log}");
}

#[test]
fn one_event_is_one_line_whatever_it_carries() {
    for style in [Style::Human { colour: false }, Style::Json] {
        let log = logged(style, "info", || {
            tracing::info!(target: "scorpiox_broker", agent = "curl\r\nFAKE line\x1b[2J\u{202e}", "asked\nfor");
        });
        assert_eq!(log.matches('\n').count(), 1, "{log:?}");
        assert!(!log.contains('\x1b') && !log.contains('\r'), "{log:?}");
    }
}

#[test]
fn a_line_within_a_request_names_it() {
    let id = RequestId::random();
    for style in [Style::Human { colour: false }, Style::Json] {
        let log = logged(style, "info", || {
            request_id::within(id, || tracing::info!(target: "scorpiox_broker", "served"));
        });
        assert!(log.contains(id.as_str()), "{log}");
    }
}

#[test]
fn json_lines_carry_fields_and_those_of_their_spans() {
    let log = logged(Style::Json, "info", || {
        let span = tracing::info_span!(target: "scorpiox_broker", "rotation", credential = "main");
        span.in_scope(|| tracing::warn!(target: "scorpiox_broker::rotator", generation = 7, "renewed"));
    });
    let line: serde_json::Value = serde_json::from_str(&log).unwrap();
    assert_eq!(line["message"], "renewed");
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["generation"], 7);
    assert_eq!(line["credential"], "main");
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn colour_is_used_only_when_asked_for() {
    let speak = || tracing::error!(target: "scorpiox_broker", "x");
    assert!(logged(Style::Human { colour: true }, "info", speak).contains("\x1b[31mERROR"));
    assert!(!logged(Style::Human { colour: false }, "info", speak).contains('\x1b'));
}

#[test]
fn the_filter_tells_how_far_it_goes() {
    let filter = parse_level("info").unwrap().and(dependencies_are_capped());
    let hint = tracing_subscriber::layer::Filter::<Registry>::max_level_hint(&filter);
    assert_eq!(hint, Some(tracing_subscriber::filter::LevelFilter::INFO));
}
