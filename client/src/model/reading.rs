//! What the `data` of a stream's event means. Members and kinds that are not known are passed over: the backend adds
//! some every month.

use serde_json::Value;

use super::{refusal, windows};
use crate::conversation::event::{Begun, Completed, Event, Move, Usage};
use crate::conversation::fault::Fault;
use crate::conversation::item::{self, Received};

/// The longest turn state that is sent back, in bytes: it becomes a header.
const LONGEST_TURN_STATE: usize = 8 * 1024;

/// The events in the `data` of one server-sent event: none, one, or one behind what its headers say.
pub fn read(data: &str) -> Vec<Event> {
    let Ok(mut json) = serde_json::from_str::<Value>(data) else { return Vec::new() };
    let mut events = Vec::new();
    for headers in [json.pointer("/response/headers"), json.get("headers")].into_iter().flatten() {
        events.extend(header(headers, "openai-model").map(|model| Event::Model(model.to_owned())));
        events.extend(turn_state(headers).map(Event::TurnState));
        events.extend(windows::in_headers(&|name| header(headers, name)));
    }
    events.extend(event(&mut json));
    events
}

fn event(json: &mut Value) -> Option<Event> {
    let delta = |json: &Value| json.get("delta").and_then(Value::as_str).map(str::to_owned);
    let kind = json.get("type").and_then(Value::as_str)?;
    match kind {
        "response.created" => Some(Event::Created),
        "response.output_item.added" => began(json.get("item")?).map(Event::Began),
        "response.output_item.done" => finished(json.get_mut("item").map(Value::take)?),
        "response.output_text.delta" => delta(json).map(Event::Text),
        "response.reasoning_summary_part.added" => Some(Event::SummarySection),
        "response.reasoning_summary_text.delta" => delta(json).map(Event::Summary),
        "response.reasoning_text.delta" => delta(json).map(Event::Reasoning),
        "response.custom_tool_call_input.delta" => delta(json).map(Event::CallInput),
        "codex.rate_limits" => windows::in_event(json),
        "response.completed" => Some(completed(json)),
        "response.failed" => Some(Event::Failed(refusal::in_stream(json.pointer("/response/error")))),
        "error" => Some(Event::Failed(refusal::in_stream(json.get("error").or(Some(json))))),
        "response.incomplete" => Some(Event::Failed(incomplete(json))),
        _ => None,
    }
}

fn began(item: &Value) -> Option<Begun> {
    match item.get("type").and_then(Value::as_str)? {
        "message" => Some(Begun::Message),
        "reasoning" => Some(Begun::Reasoning),
        "function_call" | "custom_tool_call" => {
            item.get("name").and_then(Value::as_str).map(|name| Begun::Call(name.to_owned()))
        }
        _ => None,
    }
}

fn finished(item: Value) -> Option<Event> {
    match item::receive(item) {
        Ok(Received::Item(item)) => Some(Event::Item(item)),
        Ok(Received::OtherKind) => None,
        // Left out it would be lost from the conversation, a call even unanswered.
        Err(error) => Some(Event::Failed(Fault::passing(format!("the answer holds an item that is none: {error}")))),
    }
}

fn completed(json: &Value) -> Event {
    let Some(response) = json.get("response").filter(|response| response.get("id").is_some_and(Value::is_string))
    else {
        return Event::Failed(Fault::passing("the answer ends with a response.completed that names no response"));
    };
    let whose_move = match response.get("end_turn").and_then(Value::as_bool) {
        Some(false) => Move::Model,
        Some(true) | None => Move::Person,
    };
    Event::Completed(Completed {
        usage: response.get("usage").filter(|usage| usage.is_object()).map(usage),
        whose_move,
    })
}

fn usage(usage: &Value) -> Usage {
    let tokens = |pointer| usage.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    Usage {
        input_tokens: tokens("/input_tokens"),
        cached_tokens: tokens("/input_tokens_details/cached_tokens"),
        output_tokens: tokens("/output_tokens"),
        reasoning_tokens: tokens("/output_tokens_details/reasoning_tokens"),
        total_tokens: tokens("/total_tokens"),
    }
}

fn incomplete(json: &Value) -> Fault {
    let reason = json.pointer("/response/incomplete_details/reason").and_then(Value::as_str).unwrap_or("unknown");
    Fault::passing(format!("the backend ended the answer before its end, reason: {reason}"))
}

fn turn_state(headers: &Value) -> Option<String> {
    let state = header(headers, "x-codex-turn-state")?;
    let sendable = state.len() <= LONGEST_TURN_STATE && state.bytes().all(|byte| byte.is_ascii_graphic());
    (sendable && !state.is_empty()).then(|| state.to_owned())
}

/// The value of a header, which may be a text or a list of texts; names in any case.
fn header<'a>(headers: &'a Value, name: &str) -> Option<&'a str> {
    let (_, value) = headers.as_object()?.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
    value.as_str().or_else(|| value.get(0)?.as_str())
}

#[cfg(test)]
mod tests;
