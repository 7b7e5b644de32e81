//! Device login: a code is typed into a page on any machine (*P 2.7*; not RFC 8628).

use std::time::Duration;

use scorpiox_wire::Secret;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{AuthorizationCode, LoginError};
use crate::provider::dial::Payload;
use crate::provider::{CodexProvider, RawAnswer};

/// How long a device code can be typed in.
pub const DEVICE_CODE_LIFE: Duration = Duration::from_secs(15 * 60);
/// What is waited between polls when the server does not say.
const USUAL_INTERVAL: u64 = 5;
/// A server may not make us wait longer than a person would.
const LONGEST_INTERVAL: u64 = 60;
/// What a person can be asked to type.
const LONGEST_USER_CODE: usize = 64;

/// A device login under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCode {
    /// Whoever has it can collect the login.
    pub device_auth_id: Secret,
    /// What the person types: `ABCD-EFGH`.
    pub user_code: String,
    /// Where the person types it.
    pub verification_url: String,
    /// How often to poll: one second to a minute.
    pub interval: Duration,
    /// How long it is good from now.
    pub expires_in: Duration,
}

/// How a device login stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// The person has not finished; ask again after the interval.
    Pending,
    /// Ask again, but later than usual.
    SlowDown,
    /// Done: exchange this.
    Ready(AuthorizationCode),
}

impl CodexProvider {
    /// Begins a device login.
    pub async fn start_device(&self) -> Result<DeviceCode, LoginError> {
        let body = json!({ "client_id": self.server.client_id }).to_string();
        let payload = Payload::Json(Zeroizing::new(body.into_bytes()));
        let answer = self.dialer.call(&self.server.user_code, &self.agent, payload).await?;
        started(&answer, self.server.device_page())
    }

    /// Asks how it stands. An error other than [`LoginError::Unreachable`] ends it.
    pub async fn poll_device(&self, device: &DeviceCode) -> Result<Poll, LoginError> {
        let DeviceCode { device_auth_id, user_code, .. } = device;
        let body = json!({ "device_auth_id": device_auth_id.expose(), "user_code": user_code }).to_string();
        let payload = Payload::Json(Zeroizing::new(body.into_bytes()));
        let answer = self.dialer.call(&self.server.device_token, &self.agent, payload).await?;
        polled(&answer, self.server.device_redirect())
    }
}

fn started(answer: &RawAnswer, verification_url: String) -> Result<DeviceCode, LoginError> {
    match answer.status {
        200..=299 => {}
        404 => return Err(LoginError::DeviceLoginDisabled),
        _ => return Err(LoginError::of_refusal(answer)),
    }
    let mut members = object(answer)?;
    let device_auth_id = take_text(&mut members, &["device_auth_id"], "device_auth_id")?;
    let user_code = take_text(&mut members, &["user_code", "usercode"], "user_code")?;
    if user_code.len() > LONGEST_USER_CODE || !user_code.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(LoginError::Unreadable("a user code that nobody can type".into()));
    }
    let interval = Duration::from_secs(interval(members.get("interval")));
    let device_auth_id = Secret::new(device_auth_id);
    Ok(DeviceCode { device_auth_id, user_code, verification_url, interval, expires_in: DEVICE_CODE_LIFE })
}

/// The server writes it as a string.
fn interval(value: Option<&Value>) -> u64 {
    let seconds = match value {
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(other) => other.as_u64(),
        None => None,
    };
    seconds.unwrap_or(USUAL_INTERVAL).clamp(1, LONGEST_INTERVAL)
}

fn polled(answer: &RawAnswer, redirect_uri: String) -> Result<Poll, LoginError> {
    match answer.status {
        200..=299 => {}
        403 | 404 => return Ok(Poll::Pending),
        // A moment's trouble at the server should not cost the person the login.
        429 | 500..=599 => return Ok(Poll::SlowDown),
        _ => return Err(LoginError::of_refusal(answer)),
    }
    let mut members = object(answer)?;
    let code = Secret::new(take_text(&mut members, &["authorization_code"], "authorization_code")?);
    let verifier = Secret::new(take_text(&mut members, &["code_verifier"], "code_verifier")?);
    Ok(Poll::Ready(AuthorizationCode { code, verifier, redirect_uri }))
}

fn object(answer: &RawAnswer) -> Result<Map<String, Value>, LoginError> {
    let unreadable = |_| LoginError::Unreadable(format!("{} without a JSON object", answer.status));
    serde_json::from_slice(&answer.body).map_err(unreadable)
}

fn take_text(members: &mut Map<String, Value>, names: &[&str], what: &'static str) -> Result<String, LoginError> {
    let mut found = names.iter().filter_map(|name| members.remove(*name));
    match found.next() {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(LoginError::Incomplete(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn answer(status: u16, body: &str) -> RawAnswer {
        let body = Zeroizing::new(body.as_bytes().to_vec());
        RawAnswer { status, retry_after: None, date: None, received_at: Timestamp::default(), body }
    }

    #[test]
    fn a_device_code_is_read_in_every_spelling() {
        let cases = [
            (r#"{"device_auth_id":"da","user_code":"ABCD-EFGH","interval":"7"}"#, 7),
            (r#"{"device_auth_id":"da","usercode":"ABCD-EFGH","interval":7}"#, 7),
            (r#"{"device_auth_id":"da","user_code":"ABCD-EFGH"}"#, 5),
            (r#"{"device_auth_id":"da","user_code":"ABCD-EFGH","interval":"soon"}"#, 5),
            (r#"{"device_auth_id":"da","user_code":"ABCD-EFGH","interval":0}"#, 1),
            (r#"{"device_auth_id":"da","user_code":"ABCD-EFGH","interval":"86400"}"#, 60),
        ];
        for (body, seconds) in cases {
            let device = started(&answer(200, body), "https://h/codex/device".into()).unwrap();
            assert_eq!(device.device_auth_id.expose(), "da", "{body}");
            assert_eq!(device.user_code, "ABCD-EFGH", "{body}");
            assert_eq!(device.interval, Duration::from_secs(seconds), "{body}");
            assert_eq!(device.expires_in, Duration::from_secs(900));
        }
    }

    #[test]
    fn a_device_login_that_cannot_begin_says_why() {
        let unreadable = |why: &str| LoginError::Unreadable(why.into());
        let cases = [
            (404, "", LoginError::DeviceLoginDisabled),
            (403, "<!DOCTYPE html>", LoginError::ChallengePage),
            (400, r#"{"error":"invalid_client"}"#, LoginError::Refused("400 with code invalid_client".into())),
            (500, "", LoginError::Failing("500 without a code".into())),
            (200, "<html>", LoginError::Unreadable("200 without a JSON object".into())),
            (200, "{}", LoginError::Incomplete("device_auth_id")),
            (200, r#"{"device_auth_id":"da","user_code":""}"#, LoginError::Incomplete("user_code")),
            (
                200,
                r#"{"device_auth_id":"da","user_code":"a\u001b[2J"}"#,
                unreadable("a user code that nobody can type"),
            ),
        ];
        for (status, body, expected) in cases {
            assert_eq!(started(&answer(status, body), String::new()), Err(expected), "{status} {body}");
        }
    }

    #[test]
    fn a_poll_waits_slows_down_or_ends() {
        let ready = AuthorizationCode {
            code: Secret::new("ac"),
            verifier: Secret::new("cv"),
            redirect_uri: "https://h/deviceauth/callback".into(),
        };
        let cases = [
            (200, r#"{"authorization_code":"ac","code_challenge":"cc","code_verifier":"cv"}"#, Ok(Poll::Ready(ready))),
            (403, r#"{"error":"pending"}"#, Ok(Poll::Pending)),
            (404, "", Ok(Poll::Pending)),
            (429, "", Ok(Poll::SlowDown)),
            (503, "", Ok(Poll::SlowDown)),
            (400, r#"{"error":{"code":"expired"}}"#, Err(LoginError::Refused("400 with code expired".into()))),
            (200, r#"{"authorization_code":"ac"}"#, Err(LoginError::Incomplete("code_verifier"))),
            (200, "", Err(LoginError::Unreadable("200 without a JSON object".into()))),
        ];
        for (status, body, expected) in cases {
            let outcome = polled(&answer(status, body), "https://h/deviceauth/callback".into());
            assert_eq!(outcome, expected, "{status} {body}");
        }
    }
}
