//! What is said: one JSON object.

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::Timestamp;
use crate::domain::alarm::Change;
use crate::hex;

/// Something that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Random; the same whenever this notice is delivered again.
    pub id: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The JSON.
    pub body: String,
}

impl Notice {
    /// A change, told by the broker at `url`. `random` becomes the id.
    pub fn of(change: &Change, url: &str, now: Timestamp, random: [u8; 16]) -> Self {
        let (state, key, reason, next, since) = match change {
            Change::Raised(condition) => {
                ("raised", &condition.key, condition.reason.as_str(), condition.next.as_deref(), now)
            }
            Change::Resolved(key, standing) => ("resolved", key, standing.reason.as_str(), None, standing.since),
        };
        let (what, subject) = (key.what.as_str(), Some(key.subject.as_str()).filter(|subject| !subject.is_empty()));
        let said = match state {
            "raised" => reason.to_owned(),
            _ => format!("over: {reason}"),
        };
        let data = json!({
            "what": what, "subject": subject, "state": state, "reason": reason, "next": next,
            "since": since.as_unix(), "broker": url,
        });
        Self::new(state, &text(&said, next, url), data, now, random)
    }

    /// Shows that notices arrive.
    pub fn test(url: &str, now: Timestamp, random: [u8; 16]) -> Self {
        let reason = "this is a test: alerts of this broker arrive here";
        let data = json!({
            "what": "test", "subject": null, "state": "test", "reason": reason, "next": null,
            "since": now.as_unix(), "broker": url,
        });
        Self::new("test", &text(reason, None, url), data, now, random)
    }

    fn new(state: &str, text: &str, data: serde_json::Value, now: Timestamp, random: [u8; 16]) -> Self {
        let moment = OffsetDateTime::from_unix_timestamp(now.as_unix()).ok();
        let moment = moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default();
        let body = json!({ "type": format!("alert.{state}"), "timestamp": moment, "text": text, "data": data });
        Self { id: format!("msg_{}", *hex::encode(&random)), made_at: now, body: body.to_string() }
    }
}

/// For a person: what many chat programs show of a webhook.
fn text(said: &str, next: Option<&str>, url: &str) -> String {
    let next = next.map(|next| format!("; next: {next}")).unwrap_or_default();
    format!("scorpiox-broker {url}: {said}{next}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::alarm::{Condition, Key, Standing, What};

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn key() -> Key {
        Key { what: What::Reauth, subject: "main".into() }
    }

    #[test]
    fn a_change_is_this_json() {
        let next = Some("scorpiox-broker login --name main".to_owned());
        let raised = Change::Raised(Condition { key: key(), reason: "'main' works until 14:05".into(), next });
        let notice = Notice::of(&raised, "https://b:8443/codex", NOW, [7; 16]);
        assert_eq!(notice.id, "msg_07070707070707070707070707070707");
        let body: serde_json::Value = serde_json::from_str(&notice.body).unwrap();
        let expected = json!({
            "type": "alert.raised",
            "timestamp": "2023-11-14T22:13:20Z",
            "text": "scorpiox-broker https://b:8443/codex: 'main' works until 14:05; next: scorpiox-broker login --name main",
            "data": {
                "what": "reauth", "subject": "main", "state": "raised", "reason": "'main' works until 14:05",
                "next": "scorpiox-broker login --name main", "since": 1_700_000_000, "broker": "https://b:8443/codex",
            },
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn what_is_over_says_since_when_it_was() {
        let since = Timestamp::from_unix(1_600_000_000);
        let standing = Standing { since, reason: "r".into(), unseen_since: Some(NOW) };
        let notice = Notice::of(&Change::Resolved(key(), standing), "u", NOW, [7; 16]);
        let body: serde_json::Value = serde_json::from_str(&notice.body).unwrap();
        assert_eq!((&body["data"]["state"], &body["data"]["since"]), (&json!("resolved"), &json!(1_600_000_000)));
        assert_eq!(body["text"], "scorpiox-broker u: over: r");
    }
}
