use serde_json::{Value, json};

use super::*;
use crate::conversation::item::{CallOutput, FunctionCall, Output, Role};
use crate::model::tool_spec::{Grammar, Syntax};

fn tools() -> Vec<ToolSpec> {
    vec![
        ToolSpec::Function {
            name: "shell".to_owned(),
            description: "Runs a command.".to_owned(),
            strict: false,
            parameters: json!({"type": "object"}),
        },
        ToolSpec::Custom {
            name: "apply_patch".to_owned(),
            description: "Edits files.".to_owned(),
            format: Grammar { syntax: Syntax::Lark, definition: "start: x".to_owned() },
        },
    ]
}

fn image() -> Content {
    Content::InputImage { image_url: "data:image/png;base64,AA==".to_owned(), detail: Some("high".to_owned()) }
}

fn conversation() -> Vec<Item> {
    vec![
        Item::message(Role::User, vec![Content::InputText { text: "look".to_owned() }, image()]),
        Item::FunctionCall(FunctionCall {
            call_id: "c".to_owned(),
            name: "view_image".to_owned(),
            namespace: None,
            arguments: "{}".to_owned(),
        }),
        Item::FunctionCallOutput(CallOutput { call_id: "c".to_owned(), output: Output::of(vec![image()]) }),
    ]
}

fn request<'a>(tools: &'a [ToolSpec], history: &'a [Item], turn: &'a [Item]) -> Request<'a> {
    Request {
        model: "gpt-5.5",
        shape: Shape::Classic,
        images: Images::Sent,
        instructions: "You are a coding agent.",
        context: &[],
        history,
        turn,
        tools,
        effort: Some("medium"),
        summary: Some("auto"),
        verbosity: Some("low"),
        session_id: "0199f3a1-1111-7000-8000-000000000001",
    }
}

fn sent(request: Request) -> Value {
    serde_json::from_slice(&request.body()).unwrap()
}

#[test]
fn the_classic_shape_is_this() {
    let (tools, history, turn) = (tools(), [Item::developer("Sandbox: none.")], [Item::user("Fix it.")]);
    let expected = json!({
        "model": "gpt-5.5",
        "instructions": "You are a coding agent.",
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Sandbox: none."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Fix it."}]}
        ],
        "tools": [
            {"type": "function", "name": "shell", "description": "Runs a command.", "strict": false, "parameters": {"type": "object"}},
            {"type": "custom", "name": "apply_patch", "description": "Edits files.",
             "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"}}
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": true,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": false,
        "stream": true,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "0199f3a1-1111-7000-8000-000000000001",
        "text": {"verbosity": "low"},
        "client_metadata": {"session_id": "0199f3a1-1111-7000-8000-000000000001", "thread_id": "0199f3a1-1111-7000-8000-000000000001"}
    });
    assert_eq!(sent(request(&tools, &history, &turn)), expected);
}

#[test]
fn the_lite_shape_carries_prompt_and_tools_in_the_input() {
    let (tools, turn) = (tools(), [Item::user("Fix it.")]);
    let body = sent(Request { shape: Shape::Lite, effort: None, ..request(&tools, &[], &turn) });
    let expected = json!([
        {"type": "additional_tools", "role": "developer", "tools": sent(request(&tools, &[], &[]))["tools"]},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "You are a coding agent."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Fix it."}]}
    ]);
    assert_eq!(body["input"], expected);
    assert_eq!(body["reasoning"], json!({"summary": "auto", "context": "all_turns"}));
    assert_eq!(body["parallel_tool_calls"], json!(false));
    assert!(body.get("instructions").is_none() && body.get("tools").is_none());
}

#[test]
fn what_is_not_set_is_not_sent_and_reasoning_always_is() {
    let body = sent(Request { effort: None, summary: None, verbosity: None, ..request(&[], &[], &[]) });
    assert_eq!(body["reasoning"], json!({}));
    assert_eq!((body.get("text"), &body["tools"]), (None, &json!([])));
}

#[test]
fn the_highest_effort_is_called_otherwise_on_the_wire() {
    for (effort, wire) in [("ultra", "max"), ("max", "max"), ("none", "none")] {
        assert_eq!(sent(Request { effort: Some(effort), ..request(&[], &[], &[]) })["reasoning"]["effort"], wire);
    }
}

#[test]
fn an_image_goes_as_the_model_takes_it() {
    let items = conversation();
    let pictures = |shape, images| {
        let body = sent(Request { shape, images, ..request(&[], &items, &[]) });
        let items = body["input"].as_array().unwrap();
        let [message, _, output] = &items[items.len() - 3..] else { unreachable!() };
        assert_eq!(message["content"][1], output["output"][0], "in messages and in outputs alike");
        message["content"][1].clone()
    };
    let with_detail = json!({"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "high"});
    let without = json!({"type": "input_image", "image_url": "data:image/png;base64,AA=="});
    assert_eq!(pictures(Shape::Classic, Images::Sent), with_detail);
    assert_eq!(pictures(Shape::Classic, Images::SentInFull), with_detail);
    assert_eq!(pictures(Shape::Lite, Images::Sent), without);
    for shape in [Shape::Classic, Shape::Lite] {
        assert_eq!(pictures(shape, Images::LeftOut), json!({"type": "input_text", "text": IMAGE_LEFT_OUT}));
    }
}

#[test]
fn original_detail_is_for_models_that_know_it() {
    let image =
        Content::InputImage { image_url: "data:image/png;base64,AA==".to_owned(), detail: Some("original".to_owned()) };
    let items = [Item::message(Role::User, vec![image])];
    let detail = |images| {
        let body = sent(Request { images, ..request(&[], &[], &items) });
        body["input"][0]["content"][0]["detail"].clone()
    };
    assert_eq!((detail(Images::SentInFull), detail(Images::Sent)), (json!("original"), json!("high")));
}

#[test]
fn of_many_images_the_oldest_are_not_sent() {
    let image = |number: usize| {
        let url = format!("data:image/png;base64,{number}");
        Item::message(Role::User, vec![Content::InputImage { image_url: url, detail: None }])
    };
    let items: Vec<Item> = (0..21).map(image).collect();
    let body = sent(Request { ..request(&[], &items[..15], &items[15..]) });
    let first = |number: usize| body["input"][number]["content"][0].clone();
    assert_eq!(first(0), json!({"type": "input_text", "text": images::OLD}));
    assert_eq!(
        (first(10)["type"].clone(), first(11)["image_url"].clone()),
        (json!("input_text"), json!("data:image/png;base64,11"))
    );
}
