//! What a function's arguments look like: the part of JSON Schema in which every property is named and required, as
//! strict functions want it. Anything else is refused when the function is read, not silently passed over later.

use serde_json::{Map, Value};

/// How deep a schema may be.
const DEEPEST: usize = 16;
/// Said of a schema or a value at its top.
const TOP: &str = "the object";

/// A schema that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Schema {
    /// One of these values.
    OneOf(Vec<Value>),
    /// A value of one of these types.
    Typed(Vec<Type>),
}

/// A type with what is in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Text.
    String,
    /// Any number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// `null`: how a property is left out.
    Null,
    /// A list.
    Array(Box<Schema>),
    /// An object with exactly these properties.
    Object(Vec<(String, Schema)>),
}

impl Schema {
    /// Reads the schema of a function's arguments: an object.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let schema = parse(value, TOP, 0)?;
        match &schema {
            Self::Typed(types) if matches!(types.as_slice(), [Type::Object(_)]) => Ok(schema),
            _ => Err("the parameters are no object".to_owned()),
        }
    }

    /// Checks a value; the error names the place, for the model.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        check(self, value, TOP)
    }
}

fn parse(value: &Value, at: &str, depth: usize) -> Result<Schema, String> {
    let Value::Object(keywords) = value else { return Err(format!("{at}: a schema is an object")) };
    if depth > DEEPEST {
        return Err(format!("{at}: too deep"));
    }
    let known = ["type", "description", "title", "enum", "items", "properties", "required", "additionalProperties"];
    if let Some(unknown) = keywords.keys().find(|keyword| !known.contains(&keyword.as_str())) {
        return Err(format!("{at}: {unknown} is not supported"));
    }
    if let Some(values) = keywords.get("enum") {
        let values = values.as_array().filter(|values| !values.is_empty());
        return values.cloned().map(Schema::OneOf).ok_or(format!("{at}: enum is a list of values"));
    }
    let names: Vec<&Value> = match keywords.get("type") {
        Some(Value::Array(names)) => names.iter().collect(),
        Some(name) => vec![name],
        None => return Err(format!("{at}: type is missing")),
    };
    let types = names.into_iter().map(|name| parse_type(name, keywords, at, depth));
    types.collect::<Result<Vec<_>, _>>().map(Schema::Typed)
}

fn parse_type(name: &Value, keywords: &Map<String, Value>, at: &str, depth: usize) -> Result<Type, String> {
    match name.as_str() {
        Some("string") => Ok(Type::String),
        Some("number") => Ok(Type::Number),
        Some("integer") => Ok(Type::Integer),
        Some("boolean") => Ok(Type::Boolean),
        Some("null") => Ok(Type::Null),
        Some("array") => {
            let items = keywords.get("items").ok_or(format!("{at}: items is missing"))?;
            parse(items, &format!("{at}[]"), depth + 1).map(Box::new).map(Type::Array)
        }
        Some("object") => parse_object(keywords, at, depth),
        _ => Err(format!("{at}: {name} is no type")),
    }
}

fn parse_object(keywords: &Map<String, Value>, at: &str, depth: usize) -> Result<Type, String> {
    if keywords.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Err(format!("{at}: additionalProperties must be false"));
    }
    let none = Map::new();
    let properties = keywords.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let required = keywords.get("required").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    if let Some(optional) = properties.keys().find(|name| !required.iter().any(|required| required == name.as_str())) {
        return Err(format!("{at}: {optional} must be required; its type may be [\"…\", \"null\"]"));
    }
    if let Some(unknown) = required.iter().find(|name| !name.as_str().is_some_and(|name| properties.contains_key(name)))
    {
        return Err(format!("{at}: {unknown} is required and is no property"));
    }
    let parsed =
        properties.iter().map(|(name, schema)| Ok((name.clone(), parse(schema, &inside(at, name), depth + 1)?)));
    parsed.collect::<Result<_, String>>().map(Type::Object)
}

fn check(schema: &Schema, value: &Value, at: &str) -> Result<(), String> {
    match schema {
        Schema::OneOf(values) if values.contains(value) => Ok(()),
        Schema::OneOf(values) => Err(format!("{at} must be one of {}", Value::from(values.clone()))),
        Schema::Typed(types) => match types.iter().find(|of| of.fits(value)) {
            Some(of) => of.check_inside(value, at),
            None => Err(format!("{at} has the wrong type")),
        },
    }
}

impl Type {
    fn fits(&self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Boolean => value.is_boolean(),
            Self::Null => value.is_null(),
            Self::Array(_) => value.is_array(),
            Self::Object(_) => value.is_object(),
        }
    }

    fn check_inside(&self, value: &Value, at: &str) -> Result<(), String> {
        match (self, value) {
            (Self::Array(items), Value::Array(values)) => {
                let mut numbered = values.iter().enumerate();
                numbered.try_for_each(|(index, value)| check(items, value, &format!("{at}[{index}]")))
            }
            (Self::Object(properties), Value::Object(values)) => {
                if let Some(unknown) = values.keys().find(|name| !properties.iter().any(|(known, _)| known == *name)) {
                    return Err(format!("{at} has no property {unknown}"));
                }
                properties.iter().try_for_each(|(name, schema)| {
                    let value = values.get(name).ok_or(format!("{at} needs the property {name}"))?;
                    check(schema, value, &inside(at, name))
                })
            }
            (Self::String | Self::Number | Self::Integer | Self::Boolean | Self::Null, _)
            | (Self::Array(_) | Self::Object(_), _) => Ok(()),
        }
    }
}

fn inside(at: &str, name: &str) -> String {
    if at == TOP { name.to_owned() } else { format!("{at}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(properties: Value, required: Value) -> Value {
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_place() {
        let cases = [
            (json!([]), "the object: a schema is an object"),
            (json!({}), "the object: type is missing"),
            (json!({"type": "string"}), "the parameters are no object"),
            (json!({"type": "object"}), "the object: additionalProperties must be false"),
            (object(json!({"a": {"type": "strin"}}), json!(["a"])), "a: \"strin\" is no type"),
            (object(json!({"a": {"type": "string"}}), json!([])), "the object: a must be required"),
            (object(json!({}), json!(["a"])), "the object: \"a\" is required and is no property"),
            (object(json!({"a": {"type": "string", "pattern": "x"}}), json!(["a"])), "a: pattern is not supported"),
            (object(json!({"a": {"type": "array"}}), json!(["a"])), "a: items is missing"),
            (object(json!({"a": {"enum": []}}), json!(["a"])), "a: enum is a list of values"),
            (
                object(json!({"a": {"type": "array", "items": object(json!({"b": {}}), json!(["b"]))}}), json!(["a"])),
                "a[].b: type is missing",
            ),
        ];
        for (schema, expected) in cases {
            let refused = Schema::parse(&schema).unwrap_err();
            assert!(refused.starts_with(expected), "{refused}, not {expected}");
        }
        let mut deep = json!({"type": "string"});
        for _ in 0..40 {
            deep = object(json!({"a": deep}), json!(["a"]));
        }
        assert!(Schema::parse(&deep).unwrap_err().ends_with("too deep"));
    }

    #[test]
    fn arguments_are_checked_to_the_last_property() {
        let schema = Schema::parse(&object(
            json!({
                "person": {"type": "string", "description": "Who."},
                "most": {"type": ["integer", "null"]},
                "state": {"enum": ["open", "closed"]},
                "labels": {"type": "array", "items": {"type": "string"}},
            }),
            json!(["person", "most", "state", "labels"]),
        ))
        .unwrap();
        let good = json!({"person": "a", "most": null, "state": "open", "labels": ["x"]});
        assert_eq!(schema.check(&good), Ok(()));
        let cases = [
            ("person", json!(1), "person has the wrong type"),
            ("most", json!(1.5), "most has the wrong type"),
            ("state", json!("shut"), "state must be one of [\"open\",\"closed\"]"),
            ("labels", json!(["x", 2]), "labels[1] has the wrong type"),
            ("other", json!(1), "the object has no property other"),
        ];
        for (name, value, expected) in cases {
            let mut arguments = good.clone();
            arguments[name] = value;
            assert_eq!(schema.check(&arguments), Err(expected.to_owned()));
        }
        assert_eq!(schema.check(&json!({"person": "a"})), Err("the object needs the property labels".to_owned()));
        assert_eq!(schema.check(&json!("x")), Err("the object has the wrong type".to_owned()));
    }
}
