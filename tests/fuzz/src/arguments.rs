//! A function's description, and the arguments with which a model calls it; they are given to our own tools too.

use scorpiox_client::tool::function::description::Function;
use scorpiox_client::tool::shell::call as shell;
use scorpiox_client::tool::update_plan;
use serde_json::{Map, Value, json};

use crate::halves;

/// Exactly what fits the description is handed on, as the value that it is.
///
/// # Panics
/// When it is otherwise.
pub fn check(input: &[u8]) {
    let (description, rest) = halves(input);
    let arguments = String::from_utf8_lossy(rest);
    let _ = (shell::wanted(&arguments), shell::wanted_of_old(&arguments), shell::asked(&arguments));
    let _ = update_plan::read(&arguments);
    let Ok(function) = Function::parse("f", "/f".into(), description) else { return };
    let description: Value = serde_json::from_slice(description).expect("a description that was read is JSON");
    let parameters = &description["parameters"];
    judge(&function, parameters, &arguments);
    // Bytes are seldom JSON of the right form: so they also say how to make some.
    judge(&function, parameters, &grown(parameters, &mut rest.iter().copied()).to_string());
}

fn judge(function: &Function, parameters: &Value, arguments: &str) {
    let Ok(given) = serde_json::from_str::<Value>(arguments) else {
        assert!(function.arguments(arguments).is_err(), "{arguments:?} is no JSON");
        return;
    };
    match function.arguments(arguments) {
        Ok(read) => {
            assert!(fits(parameters, &given), "{given} does not fit");
            assert_eq!(serde_json::from_str::<Value>(&read).expect("what is handed on is JSON"), given);
            assert!(!read.contains('\n'), "{read:?} is one line");
        }
        Err(why) => assert!(!fits(parameters, &given), "{given} fits, and {why}"),
    }
}

/// A value that fits the schema, or nearly.
fn grown(schema: &Value, bytes: &mut impl Iterator<Item = u8>) -> Value {
    let choice = bytes.next().unwrap_or(0);
    let among = |values: &[Value]| values.get(usize::from(choice) % values.len().max(1)).cloned().unwrap_or_default();
    if choice >= 0xe0 {
        return among(&[json!(null), json!(true), json!(7), json!(0.5), json!("odd"), json!([]), json!({})]);
    }
    if let Some(values) = schema["enum"].as_array() {
        return among(values);
    }
    let name = match &schema["type"] {
        Value::Array(types) => among(types),
        name => name.clone(),
    };
    match name.as_str() {
        Some("string") => json!("x".repeat(usize::from(choice % 3))),
        Some("number") => json!(f64::from(choice) / 4.0),
        Some("integer") => json!(choice),
        Some("boolean") => json!(choice & 1 == 0),
        Some("array") => (0..choice % 4).map(|_| grown(&schema["items"], bytes)).collect(),
        Some("object") => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            // Sometimes one is missing, sometimes there is one too many.
            let kept = properties.skip(usize::from(choice % 8 == 7));
            let mut members: Map<String, Value> = kept.map(|(name, of)| (name.clone(), grown(of, bytes))).collect();
            if choice % 8 == 6 {
                members.insert("more".to_owned(), json!(choice));
            }
            members.into()
        }
        _ => Value::Null,
    }
}

/// The same rules, written a second time and without a word about what is wrong.
fn fits(schema: &Value, value: &Value) -> bool {
    if let Some(values) = schema["enum"].as_array() {
        return values.contains(value);
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    types.iter().filter_map(Value::as_str).any(|name| match (name, value) {
        ("null", Value::Null) | ("boolean", Value::Bool(_)) | ("number", Value::Number(_)) => true,
        ("string", Value::String(_)) => true,
        ("integer", Value::Number(number)) => number.is_i64() || number.is_u64(),
        ("array", Value::Array(values)) => values.iter().all(|value| fits(&schema["items"], value)),
        ("object", Value::Object(members)) => {
            let properties = schema["properties"].as_object();
            let count = properties.map_or(0, serde_json::Map::len);
            let mut known = members.iter().map(|(name, value)| Some(fits(properties?.get(name)?, value)));
            members.len() == count && known.all(|fits| fits == Some(true))
        }
        _ => false,
    })
}
