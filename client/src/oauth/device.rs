//! Device login: a code is typed into a page on any machine. Not RFC 8628: the server makes the PKCE pair.

use std::time::Duration;

use scorpiox_wire::Secret;
use zeroize::Zeroizing;

use super::answer::described;
use super::call::{Caller, Payload, RawAnswer};
use super::server::OAuthServer;
use super::{AuthorizationCode, CLIENT_ID};
use crate::failure::Failure;
use crate::json_object::Object;

/// How long a device code can be typed in.
pub const LIFE: Duration = Duration::from_secs(15 * 60);
/// What is waited between polls when the server does not say.
const USUAL_INTERVAL_S: i64 = 5;
/// A server may not make us wait longer than a person would.
const LONGEST_INTERVAL_S: i64 = 60;
/// What a person can be asked to type.
const LONGEST_USER_CODE: usize = 64;

/// A device login under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCode {
    /// Whoever has it can collect the login.
    pub device_auth_id: Secret,
    /// What the person types: `ABCD-EFGH`.
    pub user_code: String,
    /// How often to poll.
    pub interval: Duration,
}

/// How a device login stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// The person has not finished; ask again after the interval.
    Pending,
    /// The server, or the way to it, is in trouble: ask again, but later than usual.
    SlowDown,
    /// Done: exchange this.
    Ready(AuthorizationCode),
}

/// Begins a device login.
pub fn start(server: &OAuthServer, caller: &Caller<'_>) -> Result<DeviceCode, Failure> {
    let mut body = Object::default();
    body.set_text("client_id", CLIENT_ID);
    let answer = caller.post(&server.device_code(), json(&body)).map_err(|no_answer| no_answer.into_failure())?;
    started(&answer)
}

/// Asks how it stands. An error ends it.
pub fn poll(server: &OAuthServer, caller: &Caller<'_>, device: &DeviceCode) -> Result<Poll, Failure> {
    let mut body = Object::default();
    body.set_text("device_auth_id", device.device_auth_id.expose());
    body.set_text("user_code", &device.user_code);
    match caller.post(&server.device_poll(), json(&body)) {
        Ok(answer) => polled(&answer, server.device_redirect().as_str()),
        Err(_) => Ok(Poll::SlowDown),
    }
}

fn json(body: &Object<'_>) -> Payload {
    Payload::Json(Zeroizing::new(body.render(0).as_bytes().to_vec()))
}

fn started(answer: &RawAnswer) -> Result<DeviceCode, Failure> {
    match answer.status {
        200..=299 => {}
        404 => {
            let failure = Failure::person_must_act("device login is not enabled for this account or server");
            let hint =
                "switch it on in ChatGPT under Settings, Security (or ask your workspace's admin), or use --browser";
            return Err(failure.with_hint(hint));
        }
        _ => return Err(refused(answer)),
    }
    let unreadable = || Failure::temporary("the login server's answer to a device login cannot be read");
    let object = Object::parse(&answer.body).ok_or_else(unreadable)?;
    let user_code = object.text("user_code").or_else(|| object.text("usercode")).ok_or_else(unreadable)?;
    let user_code = user_code.expose();
    if user_code.len() > LONGEST_USER_CODE || !user_code.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::temporary("the login server gave a code that nobody can type"));
    }
    let interval = object.number("interval").unwrap_or(USUAL_INTERVAL_S).clamp(1, LONGEST_INTERVAL_S);
    Ok(DeviceCode {
        device_auth_id: object.text("device_auth_id").ok_or_else(unreadable)?,
        user_code: user_code.to_owned(),
        interval: Duration::from_secs(interval.unsigned_abs()),
    })
}

fn polled(answer: &RawAnswer, redirect_uri: &str) -> Result<Poll, Failure> {
    match answer.status {
        200..=299 => {}
        403 | 404 => return Ok(Poll::Pending),
        // A moment's trouble at the server should not cost the person the login.
        429 | 500..=599 => return Ok(Poll::SlowDown),
        _ => return Err(refused(answer)),
    }
    let code = Object::parse(&answer.body).and_then(|object| {
        let (code, verifier) = (object.text("authorization_code")?, object.text("code_verifier")?);
        Some(AuthorizationCode { code, verifier, redirect_uri: redirect_uri.to_owned() })
    });
    // It gives the same code again when it is asked again.
    Ok(code.map_or(Poll::SlowDown, Poll::Ready))
}

fn refused(answer: &RawAnswer) -> Failure {
    if answer.status == 403 && answer.body.trim_ascii_start().starts_with(b"<") {
        let failure = Failure::temporary("the login server answered with a web page");
        return failure.with_hint("something in front of it does not like this network; try another, or a proxy");
    }
    let failure = Failure::person_must_act(format!("the login server refused the login ({})", described(answer)));
    failure.with_hint("the code was declined or is too old; log in again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> RawAnswer {
        RawAnswer { status, retry_after: None, body: Zeroizing::new(body.as_bytes().to_vec()) }
    }

    #[test]
    fn a_device_code_is_read_in_every_spelling() {
        let cases = [
            (r#"{"device_auth_id":"da","user_code":"ABCD-EFGH","interval":"7"}"#, 7),
            (r#"{"device_auth_id":"da","usercode":"ABCD-EFGH","interval":7}"#, 7),
            (r#"{"device_auth_id":"da","user_code":"ABCD-EFGH"}"#, 5),
            (r#"{"device_auth_id":"da","user_code":"ABCD-EFGH","interval":"0"}"#, 1),
            (r#"{"device_auth_id":"da","user_code":"ABCD-EFGH","interval":86400}"#, 60),
        ];
        for (body, interval) in cases {
            let device = started(&answer(200, body)).unwrap();
            assert_eq!((device.user_code.as_str(), device.interval.as_secs()), ("ABCD-EFGH", interval), "{body}");
        }
        for body in ["", "{}", r#"{"device_auth_id":"da","user_code":"A\u001b[31m"}"#] {
            assert!(started(&answer(200, body)).is_err(), "{body}");
        }
        assert!(started(&answer(404, "")).unwrap_err().to_string().contains("--browser"));
    }

    #[test]
    fn a_poll_is_over_only_when_the_server_says_so() {
        let ready = r#"{"authorization_code":"ac","code_challenge":"x","code_verifier":"cv"}"#;
        let code = AuthorizationCode {
            code: Secret::new("ac"),
            verifier: Secret::new("cv"),
            redirect_uri: "https://x/deviceauth/callback".into(),
        };
        let cases = [
            (200, ready, Poll::Ready(code)),
            (200, "{", Poll::SlowDown),
            (403, "", Poll::Pending),
            (404, "", Poll::Pending),
            (429, "", Poll::SlowDown),
            (502, "<html>", Poll::SlowDown),
        ];
        for (status, body, expected) in cases {
            assert_eq!(polled(&answer(status, body), "https://x/deviceauth/callback"), Ok(expected), "{status} {body}");
        }
        let denied = polled(&answer(400, r#"{"error":"access_denied"}"#), "x").unwrap_err();
        assert_eq!(denied.class.exit_code(), 69);
        assert!(denied.to_string().contains("400 with code access_denied"), "{denied}");
    }
}
