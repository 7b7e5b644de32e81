//! A request as it is compared: what each client must name in its own way has been given one name.

use fake_provider::LogEntry;
use serde_json::{Map, Value, json};

/// Headers and body, with the session and the working directory by those names, tools by their names, and input items
/// apart from what stands in front of the person's first prompt.
#[derive(Debug)]
pub(super) struct Captured(pub(super) Value);

impl Captured {
    /// Of a request that was logged.
    pub(super) fn of(entry: LogEntry, first_prompt: &str, project: &str) -> Self {
        let session = entry.received["session-id"].clone();
        // The length follows from the body.
        let headers = entry.headers.into_iter().filter(|(name, _)| name != "content-length");
        let headers = headers.map(|(name, value)| (name, Value::String(value)));
        let mut body = entry.conversation.expect("a request that could be read");
        let tools = by_name(body["tools"].take());
        let input = around(body["input"].take(), first_prompt);
        let body = body.as_object_mut().expect("a body is an object");
        body.insert("tools".to_owned(), tools);
        body.extend(input);
        let mut whole = json!({ "headers": headers.collect::<Map<_, _>>(), "body": body });
        rename(&mut whole, &[(&session, "SESSION"), (project, "PROJECT")]);
        Self(whole)
    }
}

/// Tools as an object: their order means nothing.
fn by_name(tools: Value) -> Value {
    let Value::Array(tools) = tools else { return tools };
    let named = tools.into_iter().map(|mut tool| {
        let name = tool["name"].as_str().or(tool["type"].as_str()).expect("a tool has a name or a kind").to_owned();
        // What it is for is said in everybody's own words.
        strip(&mut tool, "description");
        (name, tool)
    });
    named.collect::<Map<_, _>>().into()
}

/// What each client says about itself and the place, and the conversation.
fn around(input: Value, first_prompt: &str) -> [(String, Value); 2] {
    let Value::Array(mut items) = input else { panic!("input is a list: {input}") };
    let is_prompt = |item: &Value| item["content"][0]["text"] == first_prompt;
    let prompt = items.iter().position(is_prompt).unwrap_or_else(|| panic!("no prompt in {items:#?}"));
    let conversation = items.split_off(prompt).into_iter().map(told);
    let preface = items.iter().map(|item| item["role"].clone());
    [("preface".to_owned(), preface.collect()), ("input".to_owned(), conversation.collect())]
}

/// A tool's output with its head apart; the two shells have different ones.
fn told(mut item: Value) -> Value {
    let text = item["output"].as_str().map(str::to_owned);
    if let Some((head, text)) = text.as_ref().and_then(|text| text.split_once("Output:\n")) {
        let lines = head.lines().map(head_line);
        item["output"] = json!({"head": lines.collect::<Map<_, _>>(), "text": text});
    }
    item
}

fn head_line(line: &str) -> (String, Value) {
    let code = line.strip_prefix("Process exited with code ").or(line.strip_prefix("Exit code: "));
    if let Some(code) = code {
        return ("exit code".to_owned(), code.into());
    }
    // Its value is another one each time.
    (line.split(':').next().unwrap_or(line).to_owned(), Value::Null)
}

fn strip(value: &mut Value, member: &str) {
    match value {
        Value::Object(members) => {
            // A parameter may have that name too; then it is no text.
            if members.get(member).is_some_and(Value::is_string) {
                members.remove(member);
            }
            members.values_mut().for_each(|value| strip(value, member));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| strip(value, member)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn rename(value: &mut Value, names: &[(&str, &str)]) {
    match value {
        Value::String(text) => {
            for (from, to) in names {
                *text = text.replace(from, to);
            }
        }
        Value::Object(members) => members.values_mut().for_each(|value| rename(value, names)),
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
