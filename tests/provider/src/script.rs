//! What the model says: a stream of events, step by step.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One answer of the model, as it is streamed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// In order. When they are over, so is the stream.
    pub steps: Vec<Step>,
}

/// A step of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// An event; its member `type` also names it on the wire.
    Event(Value),
    /// Text that is sent as it is.
    Raw(String),
    /// A pause.
    DelayMs(u64),
    /// The connection ends here, without a proper end of the body.
    Cut,
}

impl Step {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Event(event) => {
                let name = event.get("type").and_then(Value::as_str).unwrap_or("message");
                format!("event: {name}\ndata: {event}\n\n").into_bytes()
            }
            Self::Raw(text) => text.clone().into_bytes(),
            Self::DelayMs(_) | Self::Cut => Vec::new(),
        }
    }
}

impl Script {
    /// From raw events.
    pub fn events(events: impl IntoIterator<Item = Value>) -> Self {
        Self { steps: events.into_iter().map(Step::Event).collect() }
    }

    /// One message of the assistant, in two deltas.
    pub fn message(text: &str) -> Self {
        let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        let delta = |part: &str| {
            let place = json!({"item_id": "msg_01", "output_index": 0, "content_index": 0});
            event("response.output_text.delta", place, json!({"delta": part}))
        };
        let item = |content: Value| json!({"item": {"type": "message", "id": "msg_01", "role": "assistant", "content": content}});
        Self::events([
            created(),
            event("response.output_item.added", json!({"output_index": 0}), item(json!([]))),
            delta(&text[..middle]),
            delta(&text[middle..]),
            event(
                "response.output_item.done",
                json!({"output_index": 0}),
                item(json!([{"type": "output_text", "text": text, "annotations": []}])),
            ),
            completed(),
        ])
    }

    /// One call of a function tool.
    pub fn function_call(name: &str, arguments: &Value, call_id: &str) -> Self {
        let item = json!({
            "type": "function_call", "id": "fc_01", "name": name, "arguments": arguments.to_string(), "call_id": call_id,
        });
        let done = event("response.output_item.done", json!({"output_index": 0}), json!({"item": item}));
        Self::events([created(), done, completed()])
    }

    /// Everything that is sent, without its pauses, up to a cut.
    pub fn bytes(&self) -> Vec<u8> {
        self.steps.iter().take_while(|step| **step != Step::Cut).flat_map(Step::bytes).collect()
    }
}

fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_01", "object": "response", "status": "in_progress"}})
}

fn completed() -> Value {
    let usage = json!({
        "input_tokens": 42, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 49,
    });
    json!({"type": "response.completed", "response": {"id": "resp_01", "status": "completed", "usage": usage}})
}

fn event(kind: &str, place: Value, rest: Value) -> Value {
    let mut event = json!({"type": kind});
    for part in [place, rest] {
        if let (Some(event), Value::Object(part)) = (event.as_object_mut(), part) {
            event.extend(part);
        }
    }
    event
}
