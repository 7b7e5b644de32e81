//! Items for the tests of this folder.

use super::item::{CallOutput, CustomToolCall, FunctionCall, Item, Output};

pub(crate) fn function(call_id: &str) -> Item {
    let (name, arguments) = ("shell".to_owned(), r#"{"command":"make"}"#.to_owned());
    Item::FunctionCall(FunctionCall { call_id: call_id.to_owned(), name, namespace: None, arguments })
}

pub(super) fn freeform(call_id: &str) -> Item {
    let (name, input) = ("apply_patch".to_owned(), "*** Begin Patch\n*** End Patch".to_owned());
    Item::CustomToolCall(CustomToolCall { call_id: call_id.to_owned(), name, namespace: None, status: None, input })
}

pub(super) fn output(call_id: &str, text: &str) -> Item {
    Item::FunctionCallOutput(CallOutput { call_id: call_id.to_owned(), output: Output::Text(text.to_owned()) })
}

pub(super) fn output_of_freeform(call_id: &str, text: &str) -> Item {
    Item::CustomToolCallOutput(CallOutput { call_id: call_id.to_owned(), output: Output::Text(text.to_owned()) })
}
