//! Reads the few members of a JSON object that matter, and forgives everything about the others.
//!
//! A derived `Deserialize` refuses the whole object over one member of an odd type or a repeated key. Here that would
//! throw away a redeemed refresh token over, say, an `expires_in` that became a string.

use std::borrow::Cow;
use std::fmt;

use scorpiox_wire::Secret;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The members of an answer that are read. A repeated key counts as its last occurrence.
#[derive(Default)]
pub(super) struct Members {
    access_token: Value,
    refresh_token: Value,
    id_token: Value,
    pub(super) expires_in: Value,
    pub(super) earliest_refresh_at: Value,
    error: Value,
    code: Value,
}

impl Members {
    /// `None` unless the body is one complete JSON object. Its content type does not matter.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        serde_json::from_slice(body).ok()
    }

    pub(super) fn take_access_token(&mut self) -> Option<Secret> {
        take_text(&mut self.access_token)
    }

    pub(super) fn take_refresh_token(&mut self) -> Option<Secret> {
        take_text(&mut self.refresh_token)
    }

    pub(super) fn take_id_token(&mut self) -> Option<Secret> {
        take_text(&mut self.id_token)
    }

    /// The error code in lower case: the first of `error.code`, `error` as a string, `code` (*P 4.5*).
    pub(super) fn error_code(&self) -> Option<String> {
        [self.error.get("code"), Some(&self.error), Some(&self.code)]
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|code| code.trim().to_ascii_lowercase())
            .find(|code| !code.is_empty())
    }
}

/// Moves the text out without leaving a copy; empty means absent, as some servers write it.
fn take_text(value: &mut Value) -> Option<Secret> {
    match value.take() {
        Value::String(text) if !text.is_empty() => Some(Secret::new(text)),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            let member = match key.as_ref() {
                "access_token" => &mut members.access_token,
                "refresh_token" => &mut members.refresh_token,
                "id_token" => &mut members.id_token,
                "expires_in" => &mut members.expires_in,
                "earliest_refresh_at" => &mut members.earliest_refresh_at,
                "error" => &mut members.error,
                "code" => &mut members.code,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *member = map.next_value()?;
        }
        Ok(members)
    }
}
