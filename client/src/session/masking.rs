//! What is secret in traffic, made unreadable. Pure.
//!
//! Masked are the token and the account in use, wherever they stand; whatever looks like a token or a key; members that
//! are called like one; reasoning that only the backend can read; images. Pieces of text are left out: a secret could
//! be in several of them, and the finished item has all of it.
//!
//! What looks like nothing in particular, such as a password that a tool printed, cannot be told from text.

use serde_json::Value;
use zeroize::Zeroizing;

/// What stands in a secret's place.
pub const MASKED: &str = "[masked]";

/// How tokens and keys begin.
const BEGINNINGS: [&str; 15] = [
    "eyJ",
    "at_",
    "at-",
    "rt_",
    "rt-",
    "rt.",
    "ac_",
    "sk-",
    "sxk_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xox",
];
/// Less is a word that only begins like one.
const SHORTEST: usize = 16;
/// Members whose text is secret, whatever it looks like.
const SECRET_MEMBERS: [&str; 9] = [
    "access_token",
    "refresh_token",
    "id_token",
    "api_key",
    "password",
    "secret",
    "authorization",
    "encrypted_content",
    "encrypted_function_args",
];
/// A member with a piece of text.
const PIECE: &str = "delta";

/// Makes secrets unreadable.
#[derive(Default)]
pub struct Masks {
    known: Vec<Zeroizing<String>>,
}

impl Masks {
    /// Masks these too; a short text would mask half of every sentence and is none.
    pub fn of(known: impl IntoIterator<Item = Zeroizing<String>>) -> Self {
        Self { known: known.into_iter().filter(|secret| secret.len() >= SHORTEST).collect() }
    }

    /// JSON, or text if it is none.
    pub fn of_bytes(&self, bytes: &[u8]) -> Value {
        match serde_json::from_slice(bytes) {
            Ok(value) => self.json(value),
            Err(_) => self.text(&String::from_utf8_lossy(bytes)).into(),
        }
    }

    /// The same JSON without what is secret.
    pub fn json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text).into(),
            Value::Array(values) => values.into_iter().map(|value| self.json(value)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, value)| (self.text(&name), self.member(&name, value))).collect()
            }
            other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
        }
    }

    fn member(&self, name: &str, value: Value) -> Value {
        match value {
            Value::String(text) if name == PIECE => format!("[{} bytes]", text.len()).into(),
            Value::String(text) if SECRET_MEMBERS.contains(&name.to_ascii_lowercase().as_str()) => masked(&text).into(),
            other => self.json(other),
        }
    }

    /// The same text without what is secret.
    pub fn text(&self, text: &str) -> String {
        if let Some((kind, data)) = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
            return format!("data:{};base64,{}", self.text(kind), masked(data));
        }
        let mut text = text.to_owned();
        for secret in &self.known {
            text = text.replace(secret.as_str(), MASKED);
        }
        without_tokens(&text)
    }
}

fn masked(text: &str) -> String {
    format!("[masked: {} bytes]", text.len())
}

/// Leaves out whatever looks like a token.
fn without_tokens(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, None);
    while let Some(c) = rest.chars().next() {
        let is_boundary = before.is_none_or(|before: char| !before.is_ascii_alphanumeric());
        if is_boundary && BEGINNINGS.iter().any(|beginning| rest.starts_with(beginning)) {
            // Only where a token may begin: counted at each character, a long attachment would take for ever.
            let length = rest.bytes().take_while(|byte| of_token(*byte)).count();
            if length >= SHORTEST {
                kept.push_str(MASKED);
                (rest, before) = (&rest[length..], None);
                continue;
            }
        }
        kept.push(c);
        (rest, before) = (&rest[c.len_utf8()..], Some(c));
    }
    kept
}

fn of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn masks() -> Masks {
        Masks::of(["6f0c1a2b-0000-4000-8000-000000000001".to_owned().into(), "short".to_owned().into()])
    }

    #[test]
    fn what_is_known_or_looks_like_a_token_is_left_out_wherever_it_stands() {
        let cases = [
            ("plain text; a task-list, at-all, skip", "plain text; a task-list, at-all, skip"),
            ("for 6f0c1a2b-0000-4000-8000-000000000001.", "for [masked]."),
            ("short is a word", "short is a word"),
            ("Bearer eyJhbGciOiJub25lIn0.eyJzdWIi.c2ln!", "Bearer [masked]!"),
            ("a=rt_1_1_abcdefghijklmnop&b", "a=[masked]&b"),
            ("\"sxk_abcdefghijklmnop\"", "\"[masked]\""),
            ("https://x/sk-proj-abcdefghijklmnop", "https://x/[masked]"),
            ("xeyJnotatoken_because_a_letter_goes_before", "xeyJnotatoken_because_a_letter_goes_before"),
            ("rt_short", "rt_short"),
            ("é eyJhbGciOiJub25lIn0abc é", "é [masked] é"),
            ("data:image/png;base64,AAAA", "data:image/png;base64,[masked: 4 bytes]"),
        ];
        for (text, expected) in cases {
            assert_eq!(masks().text(text), expected);
        }
    }

    #[test]
    fn a_long_attachment_is_looked_through_once() {
        let text = "QUJDe/+".repeat(1 << 16);
        assert_eq!(masks().text(&text), text);
        assert_eq!(masks().text(&format!("{text}/sk-proj-abcdefghijklmnop")), format!("{text}/{MASKED}"));
    }

    #[test]
    fn members_that_are_secret_are_left_out_whatever_they_look_like() {
        let traffic = json!({"input": [{"type": "reasoning", "encrypted_content": "gAAAA"},
            {"content": [{"image_url": "data:image/png;base64,AAAA", "detail": "high"}]}],
            "Password": "x", "delta": "eyJ", "n": 1, "eyJhbGciOiJub25lIn0abc": null});
        let expected = json!({"input": [{"type": "reasoning", "encrypted_content": "[masked: 5 bytes]"},
            {"content": [{"image_url": "data:image/png;base64,[masked: 4 bytes]", "detail": "high"}]}],
            "Password": "[masked: 1 bytes]", "delta": "[3 bytes]", "n": 1, "[masked]": null});
        assert_eq!(masks().json(traffic), expected);
        assert_eq!(masks().of_bytes(b"no JSON, eyJhbGciOiJub25lIn0abc"), json!("no JSON, [masked]"));
    }
}
