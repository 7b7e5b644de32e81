//! What a conversation consists of: the items of the Responses API that this client sends, keeps and replays.
//!
//! The JSON of an item is both what goes over the wire and what a transcript keeps. Item ids are not kept: nothing is
//! stored on the server, and a replayed id would bind items to each other.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One item.
///
/// ```json
/// {"type":"function_call","call_id":"call_01","name":"shell","arguments":"{\"command\":\"make\"}"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// Something said.
    Message(Message),
    /// What the model thought; only the backend can read most of it. Replayed unchanged.
    Reasoning(Reasoning),
    /// The model wants a function tool to run.
    FunctionCall(FunctionCall),
    /// What a function tool answered.
    FunctionCallOutput(CallOutput),
    /// The model wants a freeform tool to run.
    CustomToolCall(CustomToolCall),
    /// What a freeform tool answered.
    CustomToolCallOutput(CallOutput),
}

/// Something said, by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// What, in parts.
    pub content: Vec<Content>,
    /// Whether the model comments on its work or answers: `commentary`, `final_answer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
}

/// Who says something. The backend takes no `system` role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
    /// This program.
    Developer,
}

/// A part of a message or of a tool's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Text from our side.
    InputText {
        /// The text.
        text: String,
    },
    /// An image from our side.
    InputImage {
        /// A `data:` URL; nothing else is ever sent.
        image_url: String,
        /// `high` or `original`; how much of it the model looks at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// Text of the model.
    OutputText {
        /// The text.
        text: String,
    },
    /// The model's reason for not answering.
    Refusal {
        /// The reason.
        refusal: String,
    },
}

/// What the model thought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasoning {
    /// Parts of a summary, as they came.
    #[serde(default)]
    pub summary: Vec<Value>,
    /// Raw reasoning, as it came; sent as `null` when there is none.
    #[serde(default)]
    pub content: Option<Value>,
    /// The reasoning itself, for the backend only.
    #[serde(default)]
    pub encrypted_content: Option<String>,
}

/// A call of a function tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionCall {
    /// Names the call; its output has the same.
    pub call_id: String,
    /// The tool.
    pub name: String,
    /// The group of tools in which the name is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// JSON as text, as the model wrote it; perhaps not valid.
    pub arguments: String,
}

/// A call of a freeform tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomToolCall {
    /// Names the call; its output has the same.
    pub call_id: String,
    /// The tool.
    pub name: String,
    /// The group of tools in which the name is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// As the backend said: `completed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Text, as the model wrote it.
    pub input: String,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallOutput {
    /// Names the call.
    pub call_id: String,
    /// The answer.
    pub output: Output,
}

/// A tool's answer: one text, or parts when there is more than one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Output {
    /// One text.
    Text(String),
    /// Texts and images.
    Parts(Vec<Content>),
}

impl Output {
    /// The answer that consists of these parts; a single text is sent as plain text.
    pub fn of(parts: Vec<Content>) -> Self {
        match <[Content; 1]>::try_from(parts) {
            Ok([Content::InputText { text }]) => Self::Text(text),
            Ok(part) => Self::Parts(part.into()),
            Err(parts) => Self::Parts(parts),
        }
    }
}

/// A tool that the model wants to run, of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Names the call.
    pub call_id: String,
    /// The tool.
    pub name: String,
    /// What it is given.
    pub given: Given,
}

/// What the model gives to a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// To a function: JSON as text, perhaps not valid.
    Arguments(String),
    /// To a freeform tool: text.
    Freeform(String),
}

impl Call {
    /// The item that answers this call, of the kind that the call demands.
    pub fn answered(&self, output: Output) -> Item {
        let output = CallOutput { call_id: self.call_id.clone(), output };
        match self.given {
            Given::Arguments(_) => Item::FunctionCallOutput(output),
            Given::Freeform(_) => Item::CustomToolCallOutput(output),
        }
    }
}

impl Item {
    /// A message of the person: one text.
    pub fn user(text: impl Into<String>) -> Self {
        Self::message(Role::User, vec![Content::InputText { text: text.into() }])
    }

    /// A message of this program: one text.
    pub fn developer(text: impl Into<String>) -> Self {
        Self::message(Role::Developer, vec![Content::InputText { text: text.into() }])
    }

    /// A message.
    pub fn message(role: Role, content: Vec<Content>) -> Self {
        Self::Message(Message { role, content, phase: None })
    }

    /// The call that this item is, if it is one.
    pub fn as_call(&self) -> Option<Call> {
        let (call_id, name, given) = match self {
            Self::FunctionCall(call) => (&call.call_id, &call.name, Given::Arguments(call.arguments.clone())),
            Self::CustomToolCall(call) => (&call.call_id, &call.name, Given::Freeform(call.input.clone())),
            Self::Message(_) | Self::Reasoning(_) | Self::FunctionCallOutput(_) | Self::CustomToolCallOutput(_) => {
                return None;
            }
        };
        Some(Call { call_id: call_id.clone(), name: name.clone(), given })
    }

    /// The answer to a call that this item is, if it is one.
    pub fn as_output(&self) -> Option<&CallOutput> {
        match self {
            Self::FunctionCallOutput(output) | Self::CustomToolCallOutput(output) => Some(output),
            Self::Message(_) | Self::Reasoning(_) | Self::FunctionCall(_) | Self::CustomToolCall(_) => None,
        }
    }
}

impl Message {
    /// Whether it only tells what the model is doing, and is no part of the answer.
    pub fn is_commentary(&self) -> bool {
        self.phase.as_deref() == Some("commentary")
    }

    /// All text of it, of whichever kind.
    pub fn text(&self) -> String {
        let texts = self.content.iter().map(|part| match part {
            Content::InputText { text } | Content::OutputText { text } | Content::Refusal { refusal: text } => text,
            Content::InputImage { .. } => "",
        });
        texts.collect()
    }
}

/// What an output item of the backend is to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// One of ours.
    Item(Item),
    /// Of a kind that belongs to tools which are never offered: not shown, not replayed.
    OtherKind,
}

/// Reads an output item. An error when it says to be one of ours and is not.
pub fn receive(item: Value) -> Result<Received, serde_json::Error> {
    const OURS: [&str; 4] = ["message", "reasoning", "function_call", "custom_tool_call"];
    let kind = item.get("type").and_then(Value::as_str);
    if !kind.is_some_and(|kind| OURS.contains(&kind)) {
        return Ok(Received::OtherKind);
    }
    serde_json::from_value(item).map(Received::Item)
}

#[cfg(test)]
mod tests;
