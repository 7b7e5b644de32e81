//! One function, as its file describes it.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::schema::Schema;
use crate::model::tool_spec::ToolSpec;
use crate::tool::sandbox::policy::Network;

const LONGEST_NAME: usize = 64;
const USUAL_TIMEOUT_SECONDS: u64 = 60;
const LONGEST_TIMEOUT_SECONDS: u64 = 3600;

/// A function that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// How the model calls it.
    pub name: String,
    /// What is run.
    pub program: PathBuf,
    /// How long it may take.
    pub timeout: Duration,
    /// Whether it has a network.
    pub network: Network,
    description: String,
    parameters: Value,
    schema: Schema,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    description: String,
    parameters: Value,
    #[serde(default = "usual_timeout")]
    timeout_seconds: u64,
    #[serde(default)]
    network: bool,
}

fn usual_timeout() -> u64 {
    USUAL_TIMEOUT_SECONDS
}

impl Function {
    /// Reads the text of its file; the error is for the person who wrote it.
    pub fn parse(name: &str, program: PathBuf, text: &[u8]) -> Result<Self, String> {
        check_name(name)?;
        let file: File = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if !(1..=LONGEST_TIMEOUT_SECONDS).contains(&file.timeout_seconds) {
            return Err(format!("timeout_seconds is 1 to {LONGEST_TIMEOUT_SECONDS}"));
        }
        let schema = Schema::parse(&file.parameters).map_err(|error| format!("parameters: {error}"))?;
        Ok(Self {
            name: name.to_owned(),
            program,
            timeout: Duration::from_secs(file.timeout_seconds),
            network: if file.network { Network::Allowed } else { Network::Refused },
            description: file.description,
            parameters: file.parameters,
            schema,
        })
    }

    /// How the model is told of it.
    pub fn spec(&self) -> ToolSpec {
        ToolSpec::Function {
            name: self.name.clone(),
            description: self.description.clone(),
            strict: true,
            parameters: self.parameters.clone(),
        }
    }

    /// The arguments of a call, checked, as its program reads them; the error is for the model.
    pub fn arguments(&self, text: &str) -> Result<String, String> {
        let failed = |detail: String| format!("failed to parse function arguments: {detail}");
        let value: Value = serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
        self.schema.check(&value).map_err(failed)?;
        Ok(value.to_string())
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_name = !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(in_name);
    if is_name { Ok(()) } else { Err("a function's name has 1 to 64 letters, digits, _ or -".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"description": "d", "parameters": {"type": "object", "properties": {"a": {"type": "string"}},
        "required": ["a"], "additionalProperties": false}, "timeout_seconds": 5}"#;

    fn parsed(name: &str, text: &str) -> Result<Function, String> {
        Function::parse(name, "/f/x".into(), text.as_bytes())
    }

    #[test]
    fn a_description_is_read_and_told_as_it_is() {
        let function = parsed("x", GOOD).unwrap();
        assert_eq!((function.timeout, function.network), (Duration::from_secs(5), Network::Refused));
        let expected = r#"{"type":"function","name":"x","description":"d","strict":true,"parameters":{"#;
        assert!(serde_json::to_string(&function.spec()).unwrap().starts_with(expected));
    }

    #[test]
    fn what_is_wrong_with_a_description_is_said() {
        let cases = [
            ("", GOOD.to_owned(), "name"),
            ("a b", GOOD.to_owned(), "name"),
            ("x", "{".to_owned(), "EOF"),
            ("x", GOOD.replace("\"timeout_seconds\": 5", "\"timeout_seconds\": 0"), "timeout_seconds"),
            ("x", GOOD.replace("timeout_seconds", "timeout"), "unknown field `timeout`"),
            ("x", GOOD.replace("\"string\"", "\"text\""), "parameters: a: \"text\" is no type"),
        ];
        for (name, text, expected) in cases {
            let refused = parsed(name, &text).unwrap_err();
            assert!(refused.contains(expected), "{refused}, not {expected}");
        }
    }

    #[test]
    fn wrong_arguments_go_back_to_the_model() {
        let function = parsed("x", GOOD).unwrap();
        assert_eq!(function.arguments(r#" {"a": "b"} "#).unwrap(), r#"{"a":"b"}"#);
        for text in ["", "{}", r#"{"a": 1}"#, r#"{"a": "b", "c": 1}"#] {
            assert!(
                function.arguments(text).unwrap_err().starts_with("failed to parse function arguments: "),
                "{text}"
            );
        }
    }
}
