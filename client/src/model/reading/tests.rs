use std::time::Duration;

use super::*;
use crate::conversation::fault::Remedy;
use crate::conversation::item::{CustomToolCall, Item};

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn an_event_means_this() {
    let usage = Usage {
        input_tokens: 5200,
        cached_tokens: 4096,
        output_tokens: 310,
        reasoning_tokens: 128,
        total_tokens: 5510,
    };
    let patch = Item::CustomToolCall(CustomToolCall {
        call_id: text("call_02"),
        name: text("apply_patch"),
        namespace: None,
        status: Some(text("completed")),
        input: text("*** Begin Patch\n"),
    });
    let cases = [
        (r#"{"type":"response.created","response":{"id":"resp_01"}}"#, Event::Created),
        (
            r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_01","summary":[]}}"#,
            Event::Began(Begun::Reasoning),
        ),
        (
            r#"{"type":"response.output_item.added","item":{"type":"message","content":[]}}"#,
            Event::Began(Begun::Message),
        ),
        (
            r#"{"type":"response.output_item.added","item":{"type":"function_call","name":"shell"}}"#,
            Event::Began(Begun::Call(text("shell"))),
        ),
        (r#"{"type":"response.reasoning_summary_part.added","summary_index":0}"#, Event::SummarySection),
        (
            r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_01","delta":"**Looking"}"#,
            Event::Summary(text("**Looking")),
        ),
        (r#"{"type":"response.reasoning_text.delta","delta":"hm"}"#, Event::Reasoning(text("hm"))),
        (r#"{"type":"response.output_text.delta","item_id":"m","delta":"I will"}"#, Event::Text(text("I will"))),
        (
            r#"{"type":"response.custom_tool_call_input.delta","call_id":"call_02","delta":"*** Begin"}"#,
            Event::CallInput(text("*** Begin")),
        ),
        (
            r#"{"type":"response.output_item.done","output_index":3,"item":{"type":"custom_tool_call","id":"ctc_01","status":"completed","call_id":"call_02","name":"apply_patch","input":"*** Begin Patch\n"}}"#,
            Event::Item(patch),
        ),
        (
            r#"{"type":"response.completed","response":{"id":"resp_01","end_turn":false,"usage":{"input_tokens":5200,"input_tokens_details":{"cached_tokens":4096,"cache_write_tokens":0},"output_tokens":310,"output_tokens_details":{"reasoning_tokens":128},"total_tokens":5510}}}"#,
            Event::Completed(Completed { usage: Some(usage), whose_move: Move::Model }),
        ),
        (
            r#"{"type":"response.completed","response":{"id":"r","usage":null}}"#,
            Event::Completed(Completed { usage: None, whose_move: Move::Person }),
        ),
    ];
    for (data, event) in cases {
        assert_eq!(read(data), [event], "{data}");
    }
}

#[test]
fn what_does_not_matter_or_cannot_be_read_is_passed_over() {
    for data in [
        "",
        "[DONE]",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"response.in_progress"}"#,
        r#"{"type":"response.function_call_arguments.delta","delta":"{"}"#,
        r#"{"type":"response.output_text.done","text":"all"}"#,
        r#"{"type":"response.output_text.delta"}"#,
        r#"{"type":"response.output_item.added","item":{"type":"web_search_call"}}"#,
        r#"{"type":"response.output_item.done","item":{"type":"web_search_call","status":"completed"}}"#,
        r#"{"type":"response.of_next_year"}"#,
    ] {
        assert_eq!(read(data), [], "{data}");
    }
}

#[test]
fn the_headers_inside_an_event_come_first() {
    let data = r#"{"type":"response.created","response":{"id":"r","headers":{"OpenAI-Model":"gpt-5.5-mini","x-codex-turn-state":["abc"]}}}"#;
    let expected = [Event::Model(text("gpt-5.5-mini")), Event::TurnState(text("abc")), Event::Created];
    assert_eq!(read(data), expected);
    let data = r#"{"type":"response.metadata","headers":{"openai-model":"m"}}"#;
    assert_eq!(read(data), [Event::Model(text("m"))]);
}

#[test]
fn a_turn_state_that_cannot_be_a_header_is_not_one() {
    let long = "x".repeat(LONGEST_TURN_STATE + 1);
    for state in ["a\\r\\nb: c", "", "a b", "é", &long] {
        let data = format!(r#"{{"type":"response.metadata","headers":{{"x-codex-turn-state":"{state}"}}}}"#);
        assert_eq!(read(&data), [], "{state}");
    }
}

#[test]
fn an_answer_that_failed_or_cannot_be_kept_is_a_fault() {
    let again = |after| Remedy::AskAgain { after };
    let cases = [
        (
            r#"{"type":"response.failed","response":{"id":"r","error":{"code":"rate_limit_exceeded","message":"Please try again in 11s."}}}"#,
            again(Some(Duration::from_secs(11))),
        ),
        (r#"{"type":"response.failed"}"#, again(None)),
        (r#"{"type":"error","code":"insufficient_quota","message":"m"}"#, Remedy::GiveUp),
        (r#"{"type":"error","error":{"code":"slow_down"}}"#, Remedy::GiveUp),
        (
            r#"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}}"#,
            again(None),
        ),
        (r#"{"type":"response.completed"}"#, again(None)),
        (r#"{"type":"response.completed","response":{}}"#, again(None)),
        (r#"{"type":"response.output_item.done","item":{"type":"function_call","name":"no call id"}}"#, again(None)),
    ];
    for (data, remedy) in cases {
        let events = read(data);
        let [Event::Failed(fault)] = events.as_slice() else { panic!("{data}: {events:?}") };
        assert_eq!(fault.remedy, remedy, "{data}");
    }
}
