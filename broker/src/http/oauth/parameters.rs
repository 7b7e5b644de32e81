//! What was sent to a token endpoint: form or JSON, names and texts.
//!
//! Stock clients do not agree: the Codex CLI renews with JSON, everything that follows RFC 6749 with a form. Members that
//! nobody knows are ignored, and so is what is no text.

use std::collections::BTreeMap;
use std::fmt;

use scorpiox_wire::Secret;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// How a request was written. Its answer's errors are written in the same world's way: see [`super::trouble`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `application/json`: the stock Codex CLI, whose own server says `{"error": {"code": …}}`.
    Json,
    /// `application/x-www-form-urlencoded`: RFC 6749, `{"error": "invalid_grant"}`.
    Form,
}

/// The parameters of one request. Any of them may be a secret, so all are treated as one.
#[derive(Debug)]
pub struct Parameters(BTreeMap<String, Secret>);

/// What cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Neither JSON nor a form.
    #[error("the body must be application/json or application/x-www-form-urlencoded")]
    ContentType,
    /// Not what it says it is.
    #[error("the body is not the JSON object or the form that its Content-Type says")]
    Body,
    /// RFC 6749 section 3.2: parameters must not be included more than once.
    #[error("a parameter stands there twice")]
    Twice,
}

/// The members of an object, those that are texts with their values. A map of the parser's would keep the last one of two.
struct Members(Result<BTreeMap<String, Option<Secret>>, Unreadable>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(object: D) -> Result<Self, D::Error> {
        object.deserialize_map(Object).map(Self)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Result<BTreeMap<String, Option<Secret>>, Unreadable>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut read = Ok(BTreeMap::new());
        while let Some((name, value)) = members.next_entry::<String, serde_json::Value>()? {
            let text = match value {
                serde_json::Value::String(text) => Some(Secret::new(text)),
                _ => None,
            };
            // To its end all the same: what is no JSON further on is no JSON.
            let is_second = read.as_mut().is_ok_and(|read| read.insert(name, text).is_some());
            if is_second {
                read = Err(Unreadable::Twice);
            }
        }
        Ok(read)
    }
}

impl Dialect {
    /// From the header; without one, from how the body begins.
    pub fn of(content_type: Option<&str>, body: &[u8]) -> Result<Self, Unreadable> {
        let Some(content_type) = content_type else {
            let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
            return Ok(if first == Some(&b'{') { Self::Json } else { Self::Form });
        };
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/json") {
            Ok(Self::Json)
        } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Ok(Self::Form)
        } else {
            Err(Unreadable::ContentType)
        }
    }
}

impl Parameters {
    /// Reads a body.
    pub fn read(dialect: Dialect, body: &[u8]) -> Result<Self, Unreadable> {
        match dialect {
            Dialect::Json => Self::json(body),
            Dialect::Form => Self::form(body),
        }
    }

    fn json(body: &[u8]) -> Result<Self, Unreadable> {
        let Members(members) = serde_json::from_slice(body).map_err(|_| Unreadable::Body)?;
        let texts = members?.into_iter().filter_map(|(name, value)| value.map(|text| (name, text)));
        Ok(Self(texts.collect()))
    }

    fn form(body: &[u8]) -> Result<Self, Unreadable> {
        if std::str::from_utf8(body).is_err() {
            return Err(Unreadable::Body);
        }
        let mut parameters = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(body) {
            if parameters.insert(name.into_owned(), Secret::new(value)).is_some() {
                return Err(Unreadable::Twice);
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter; one without a value counts as left out (RFC 6749 section 3.2).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Secret::expose).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_how_to_read_and_without_one_the_body_does() {
        let cases = [
            (Some("application/json"), "", Ok(Dialect::Json)),
            (Some("Application/JSON; charset=utf-8"), "", Ok(Dialect::Json)),
            (Some("application/x-www-form-urlencoded"), "{", Ok(Dialect::Form)),
            (Some("text/plain"), "{}", Err(Unreadable::ContentType)),
            (None, " {\"a\":\"b\"}", Ok(Dialect::Json)),
            (None, "grant_type=refresh_token", Ok(Dialect::Form)),
        ];
        for (content_type, body, dialect) in cases {
            assert_eq!(Dialect::of(content_type, body.as_bytes()), dialect, "{content_type:?} {body}");
        }
    }

    #[test]
    fn both_forms_say_the_same_and_what_nobody_knows_is_ignored() {
        let json = br#"{"grant_type":"refresh_token","refresh_token":"a b","later":{"deep":[1]},"empty":""}"#;
        let form = b"grant_type=refresh_token&refresh_token=a+b&later=1&empty=";
        for (dialect, body) in [(Dialect::Json, &json[..]), (Dialect::Form, &form[..])] {
            let parameters = Parameters::read(dialect, body).unwrap();
            assert_eq!(parameters.get("grant_type"), Some("refresh_token"));
            assert_eq!(parameters.get("refresh_token"), Some("a b"));
            assert_eq!((parameters.get("empty"), parameters.get("absent")), (None, None));
            assert!(!format!("{parameters:?}").contains("a b"));
        }
    }

    #[test]
    fn what_could_mean_two_things_is_not_read() {
        for (dialect, body, why) in [
            (Dialect::Json, "[]", Unreadable::Body),
            (Dialect::Json, "{", Unreadable::Body),
            (Dialect::Json, "", Unreadable::Body),
            (Dialect::Form, "a=1&a=1", Unreadable::Twice),
            (Dialect::Json, r#"{"a":"1","a":"1"}"#, Unreadable::Twice),
            (Dialect::Json, r#"{"a":1,"b":"2","a":"1"}"#, Unreadable::Twice),
            (Dialect::Json, r#"{"a":"1","a":"1""#, Unreadable::Body),
        ] {
            assert_eq!(Parameters::read(dialect, body.as_bytes()).unwrap_err(), why, "{body}");
        }
        assert_eq!(Parameters::read(Dialect::Form, b"a=\xff").unwrap_err(), Unreadable::Body);
    }
}
