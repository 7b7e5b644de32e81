//! What is said: one JSON object.

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::digest::{Told, list_of, urgency};
use crate::clock::Timestamp;
use crate::domain::alarm::{Change, What};
use crate::hex;

/// Something that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Random; the same whenever this notice is delivered again.
    pub id: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Which of too many gives way: smaller is more urgent.
    pub urgency: usize,
    /// The JSON.
    pub body: String,
}

impl Notice {
    /// Told by the broker at `url`. `random` becomes the id.
    pub fn of(told: &Told, url: &str, now: Timestamp, random: [u8; 16]) -> Self {
        let more = |what: &What, count: &usize| format!("and {count} more of the kind '{}'", what.as_str());
        let (state, what, subject, reason, next, since) = match told {
            Told::Change(Change::Raised(condition)) => {
                let next = condition.next.as_deref();
                ("raised", condition.key.what, condition.key.subject.as_str(), condition.reason.clone(), next, now)
            }
            Told::Change(Change::Resolved(key, standing)) => {
                ("resolved", key.what, key.subject.as_str(), standing.reason.clone(), None, standing.since)
            }
            Told::MoreRaised(what, count) => ("raised", *what, "", more(what, count), Some(list_of(*what)), now),
            Told::MoreResolved(what, count) => ("resolved", *what, "", more(what, count), None, now),
        };
        let subject = Some(subject).filter(|subject| !subject.is_empty());
        let said = match state {
            "raised" => reason.clone(),
            _ => format!("over: {reason}"),
        };
        let data = json!({
            "what": what.as_str(), "subject": subject, "state": state, "reason": reason, "next": next,
            "since": since.as_unix(), "broker": url,
        });
        Self::new(state, told.urgency(), &text(&said, next, url), data, now, random)
    }

    /// As it was kept.
    pub fn kept(id: String, made_at: Timestamp, body: String) -> Self {
        let content: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        let data = &content["data"];
        let what = data["what"].as_str().and_then(What::named);
        // What only a newer version knows gives way first.
        let urgency = what.map_or(usize::MAX, |what| urgency(what, data["state"] == "resolved"));
        Self { id, made_at, urgency, body }
    }

    /// Shows that notices arrive.
    pub fn test(url: &str, now: Timestamp, random: [u8; 16]) -> Self {
        let reason = "this is a test: alerts of this broker arrive here";
        let data = json!({
            "what": "test", "subject": null, "state": "test", "reason": reason, "next": null,
            "since": now.as_unix(), "broker": url,
        });
        Self::new("test", usize::MAX, &text(reason, None, url), data, now, random)
    }

    fn new(state: &str, urgency: usize, text: &str, data: serde_json::Value, now: Timestamp, random: [u8; 16]) -> Self {
        let moment = OffsetDateTime::from_unix_timestamp(now.as_unix()).ok();
        let moment = moment.and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default();
        let body = json!({ "type": format!("alert.{state}"), "timestamp": moment, "text": text, "data": data });
        Self { id: format!("msg_{}", *hex::encode(&random)), made_at: now, urgency, body: body.to_string() }
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
        let notice = Notice::of(&Told::Change(raised), "https://b:8443/codex", NOW, [7; 16]);
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
        let notice = Notice::of(&Told::Change(Change::Resolved(key(), standing)), "u", NOW, [7; 16]);
        let body: serde_json::Value = serde_json::from_str(&notice.body).unwrap();
        assert_eq!((&body["data"]["state"], &body["data"]["since"]), (&json!("resolved"), &json!(1_600_000_000)));
        assert_eq!(body["text"], "scorpiox-broker u: over: r");
    }

    #[test]
    fn those_that_are_only_counted_say_how_many_of_what_and_which_command_lists_them() {
        let notice = Notice::of(&Told::MoreRaised(What::Quarantine, 290), "u", NOW, [7; 16]);
        let body: serde_json::Value = serde_json::from_str(&notice.body).unwrap();
        let data = &body["data"];
        assert_eq!((&data["what"], &data["subject"]), (&json!("quarantine"), &json!(null)));
        let text = "scorpiox-broker u: and 290 more of the kind 'quarantine'; next: scorpiox-broker credential list";
        assert_eq!(body["text"], text);
    }

    #[test]
    fn a_notice_that_was_kept_is_as_urgent_as_before() {
        for told in [Told::MoreRaised(What::Quarantine, 2), Told::MoreResolved(What::Fenced, 2)] {
            let notice = Notice::of(&told, "u", NOW, [7; 16]);
            assert_eq!(Notice::kept(notice.id.clone(), notice.made_at, notice.body.clone()), notice);
        }
        assert_eq!(Notice::kept("a".into(), NOW, "{}".into()).urgency, usize::MAX);
    }
}
