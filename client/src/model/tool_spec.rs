//! How a tool is described to the model.

use serde::Serialize;
use serde_json::Value;

/// A tool's description.
///
/// ```json
/// {"type":"custom","name":"apply_patch","description":"…","format":{"type":"grammar","syntax":"lark","definition":"…"}}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToolSpec {
    /// It takes JSON.
    Function {
        /// Letters, digits, `_` and `-`.
        name: String,
        /// When and how to use it.
        description: String,
        /// Whether the model must keep to the parameters' schema in every detail.
        strict: bool,
        /// A JSON schema of an object.
        parameters: Value,
    },
    /// It takes text in a form of its own.
    Custom {
        /// Letters, digits, `_` and `-`.
        name: String,
        /// When and how to use it.
        description: String,
        /// The form.
        format: Grammar,
    },
}

/// The form of a text, as a grammar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "grammar")]
pub struct Grammar {
    /// The language of the definition.
    pub syntax: Syntax,
    /// The grammar.
    pub definition: String,
}

/// The language of a grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Syntax {
    /// Lark.
    Lark,
}
