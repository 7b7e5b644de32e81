use serde_json::json;

use super::*;

#[test]
fn an_output_item_is_replayed_with_these_members() {
    let cases = [
        (
            r#"{"type":"message","id":"msg_01","status":"completed","role":"assistant","phase":"commentary","content":[{"type":"output_text","text":"I will.","annotations":[],"logprobs":[]}]}"#,
            r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"I will."}],"phase":"commentary"}"#,
        ),
        (
            r#"{"type":"reasoning","id":"rs_01","summary":[{"type":"summary_text","text":"**Looking**"}],"encrypted_content":"gAAAA"}"#,
            r#"{"type":"reasoning","summary":[{"text":"**Looking**","type":"summary_text"}],"content":null,"encrypted_content":"gAAAA"}"#,
        ),
        (
            r#"{"type":"function_call","id":"fc_01","name":"shell","arguments":"{\"a\":1","call_id":"call_01"}"#,
            r#"{"type":"function_call","call_id":"call_01","name":"shell","arguments":"{\"a\":1"}"#,
        ),
        (
            r#"{"type":"custom_tool_call","id":"ctc_01","status":"completed","call_id":"call_02","name":"apply_patch","namespace":"functions","input":"*** Begin Patch\n"}"#,
            r#"{"type":"custom_tool_call","call_id":"call_02","name":"apply_patch","namespace":"functions","status":"completed","input":"*** Begin Patch\n"}"#,
        ),
        (
            r#"{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"no"}]}"#,
            r#"{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"no"}]}"#,
        ),
    ];
    for (received, replayed) in cases {
        let Received::Item(item) = receive(serde_json::from_str(received).unwrap()).unwrap() else {
            panic!("not ours: {received}")
        };
        assert_eq!(serde_json::to_string(&item).unwrap(), replayed);
        assert_eq!(serde_json::from_str::<Item>(replayed).unwrap(), item, "a transcript reads back");
    }
}

#[test]
fn items_of_other_kinds_are_passed_over_and_broken_ones_are_errors() {
    for other in [json!({"type": "web_search_call"}), json!({"type": 1}), json!({}), json!("message"), json!(null)] {
        assert_eq!(receive(other).unwrap(), Received::OtherKind);
    }
    for broken in [
        json!({"type": "function_call", "name": "shell", "arguments": "{}"}),
        json!({"type": "message", "role": "system", "content": []}),
        json!({"type": "message", "role": "assistant", "content": [{"type": "hologram"}]}),
    ] {
        assert!(receive(broken.clone()).is_err(), "{broken}");
    }
}

#[test]
fn a_call_is_answered_by_an_output_of_its_own_kind() {
    let call = |given| Call { call_id: "c".to_owned(), name: "x".to_owned(), given };
    let output = || Output::Text("done".to_owned());
    let function = call(Given::Arguments("{}".to_owned())).answered(output());
    let freeform = call(Given::Freeform("text".to_owned())).answered(output());
    let json = |item: &Item| serde_json::to_string(item).unwrap();
    assert_eq!(json(&function), r#"{"type":"function_call_output","call_id":"c","output":"done"}"#);
    assert_eq!(json(&freeform), r#"{"type":"custom_tool_call_output","call_id":"c","output":"done"}"#);
}

#[test]
fn a_single_text_is_a_plain_answer_and_everything_else_is_parts() {
    let text = |text: &str| Content::InputText { text: text.to_owned() };
    let image = || Content::InputImage { image_url: "data:image/png;base64,AA==".to_owned(), detail: None };
    let json = |parts| serde_json::to_string(&Output::of(parts)).unwrap();
    assert_eq!(json(vec![text("a")]), r#""a""#);
    assert_eq!(json(vec![]), "[]");
    assert_eq!(json(vec![image()]), r#"[{"type":"input_image","image_url":"data:image/png;base64,AA=="}]"#);
    assert_eq!(
        json(vec![text("a"), text("b")]),
        r#"[{"type":"input_text","text":"a"},{"type":"input_text","text":"b"}]"#
    );
}
