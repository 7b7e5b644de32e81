//! A JSON object whose members are read leniently and replaced one by one, all others kept as they were written.
//!
//! A derived `Deserialize` refuses the whole object over one member of an odd type or a repeated key, and loses the
//! members that it does not know. Here either would cost a login.

use std::fmt;

use scorpiox_wire::Secret;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// An object as it was written, in its order.
#[derive(Default)]
pub struct Object<'a>(Vec<(String, Raw<'a>)>);

/// A member's JSON text.
enum Raw<'a> {
    Kept(&'a str),
    Set(Zeroizing<String>),
}

impl Raw<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Kept(text) => text,
            Self::Set(text) => text,
        }
    }
}

impl<'a> Object<'a> {
    /// `None` unless the bytes are one complete JSON object.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        serde_json::from_slice(bytes).ok()
    }

    /// A member's JSON text. A repeated key counts as its last occurrence.
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.0.iter().rfind(|(name, _)| name == key).map(|(_, raw)| raw.text())
    }

    /// A member that is a text; the empty one counts as missing, as some servers mean it.
    pub fn text(&self, key: &str) -> Option<Secret> {
        let text: Secret = serde_json::from_str(self.raw(key)?).ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// A member that is a whole number, or a text that is one.
    pub fn number(&self, key: &str) -> Option<i64> {
        let raw = self.raw(key)?;
        serde_json::from_str(raw).ok().or_else(|| self.text(key)?.expose().trim().parse().ok())
    }

    /// A member that is an object.
    pub fn object(&self, key: &str) -> Option<Object<'_>> {
        Object::parse(self.raw(key)?.as_bytes())
    }

    /// Replaces a member, or adds it at the end. `json` is its JSON text.
    pub fn set(&mut self, key: &str, json: Zeroizing<String>) {
        let mut json = Some(Raw::Set(json));
        self.0.retain_mut(|(name, raw)| {
            if name != key {
                return true;
            }
            json.take().is_some_and(|json| {
                *raw = json;
                true
            })
        });
        self.0.extend(json.map(|json| (key.to_owned(), json)));
    }

    /// Replaces a member by a text, or adds it.
    pub fn set_text(&mut self, key: &str, text: &str) {
        self.set(key, quoted(text));
    }

    /// Removes a member.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|(name, _)| name != key);
    }

    /// The JSON text, a member a line, each indented by so many spaces.
    pub fn render(&self, indent: usize) -> Zeroizing<String> {
        // A text that grew would leave copies behind.
        let line = |(key, raw): &(String, Raw<'_>)| indent + 6 * key.len() + raw.text().len() + 8;
        let mut text = Zeroizing::new(String::with_capacity(self.0.iter().map(line).sum::<usize>() + indent + 4));
        text.push('{');
        for (at, (key, raw)) in self.0.iter().enumerate() {
            text.push_str(if at == 0 { "\n" } else { ",\n" });
            text.extend(std::iter::repeat_n(' ', indent));
            text.push_str(&quoted(key));
            text.push_str(": ");
            text.push_str(raw.text());
        }
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', indent.saturating_sub(2)));
        text.push('}');
        text
    }
}

/// The text as a JSON string.
pub fn quoted(text: &str) -> Zeroizing<String> {
    // JSON makes at most six bytes of one.
    let mut json = Zeroizing::new(Vec::with_capacity(6 * text.len() + 2));
    serde_json::to_writer(&mut *json, text).expect("a text becomes JSON in memory");
    Zeroizing::new(String::from_utf8(std::mem::take(&mut *json)).expect("JSON is UTF-8"))
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((key, raw)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((key, Raw::Kept(raw.get())));
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_replaced_stays_as_it_was_written() {
        let text = "{\"b\": [1,  2.50], \"a\":\"x\", \"a\": \"y\",\"\\u00e9\":{\"z\": null}}";
        let mut object = Object::parse(text.as_bytes()).unwrap();
        object.set_text("a", "n\"w");
        object.set_text("new", "1");
        object.remove("none");
        let expected = "{\n  \"b\": [1,  2.50],\n  \"a\": \"n\\\"w\",\n  \"é\": {\"z\": null},\n  \"new\": \"1\"\n}";
        assert_eq!(object.render(2).as_str(), expected);
    }

    #[test]
    fn members_are_read_whatever_stands_beside_them() {
        let text = "\u{feff}{\"t\":\"x\",\"t\":\"y\",\"e\":\"\",\"n\":7,\"s\":\" 8 \",\"odd\":{},\"o\":{\"t\":\"z\"}}";
        let object = Object::parse(text.as_bytes()).unwrap();
        let text = |key| object.text(key).map(|text| text.expose().to_owned());
        assert_eq!((text("t").as_deref(), text("e"), text("n"), text("none")), (Some("y"), None, None, None));
        assert_eq!((object.number("n"), object.number("s"), object.number("odd")), (Some(7), Some(8), None));
        assert_eq!(object.object("o").unwrap().text("t").unwrap().expose(), "z");
        assert!(object.object("t").is_none());
        for no_object in ["", "[]", "{\"a\":1", "{\"a\":1} x", "null"] {
            assert!(Object::parse(no_object.as_bytes()).is_none(), "{no_object}");
        }
    }

    #[test]
    fn an_empty_object_is_one() {
        assert_eq!(Object::default().render(2).as_str(), "{\n}");
    }
}
