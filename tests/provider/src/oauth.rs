//! The OAuth server's answers: redeeming, exchanging, approving, revoking.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use url::Url;

use crate::answer::Answer;
use crate::authorization::{Asked, Poll, Shown};
use crate::fault::Twist;
use crate::ledger::{Refusal, Tokens};
use crate::oracle::Oracle;
use crate::request::Request;
use crate::serial::Serial;
use crate::settings::Settings;

/// An answer to a redemption, and what it did.
pub(crate) struct Redemption {
    pub(crate) answer: Answer,
    pub(crate) granted: Option<Serial>,
    pub(crate) consumed: bool,
    pub(crate) too_early: bool,
}

/// `POST /oauth/token` with a refresh token.
pub(crate) fn redeem(oracle: &mut Oracle, request: &Request, twists: &[Twist], now: i64) -> Redemption {
    let refused = |answer, burned| Redemption { answer, granted: None, consumed: burned, too_early: burned };
    let Some(serial) = request.field("refresh_token").and_then(|token| oracle.ledger.refresh_serial(token)) else {
        return refused(refusal(Refusal::Invalidated), false);
    };
    match oracle.ledger.redeem(serial, twists, &oracle.settings, now) {
        Ok(tokens) => Redemption {
            answer: Answer::json(200, &token_body(&tokens, twists, &oracle.settings, now)),
            granted: Some(tokens.serial),
            consumed: oracle.ledger.is_redeemed(serial),
            too_early: false,
        },
        Err(why) => refused(refusal(why), why == Refusal::TooEarly),
    }
}

fn refusal(why: Refusal) -> Answer {
    let (status, code, message) = match why {
        Refusal::Reused => (
            401,
            "refresh_token_reused",
            "Your refresh token has already been used to generate a new access token. Please try signing in again.",
        ),
        Refusal::Invalidated => (401, "refresh_token_invalidated", "Your session has ended. Please log in again."),
        Refusal::Expired => (401, "refresh_token_expired", "Your refresh token has expired. Please log in again."),
        Refusal::TooEarly => (400, "invalid_grant", "The refresh token was used before earliest_refresh_at."),
    };
    Answer::error(status, code, message)
}

fn token_body(tokens: &Tokens, twists: &[Twist], settings: &Settings, now: i64) -> Value {
    let mut body = json!({"access_token": tokens.access_token, "token_type": "Bearer", "scope": "openid profile email offline_access"});
    if let Some(refresh_token) = &tokens.refresh_token {
        body["refresh_token"] = json!(refresh_token);
    }
    if settings.include_id_token && !twists.contains(&Twist::WithoutIdToken) {
        body["id_token"] = json!(tokens.id_token);
    }
    if settings.include_expires_in && !twists.contains(&Twist::WithoutExpiresIn) {
        body["expires_in"] = json!(tokens.expires_at.saturating_sub(now).max(0));
    }
    if let Some(earliest) = tokens.earliest_refresh_at {
        body["earliest_refresh_at"] = json!(earliest);
    }
    body
}

/// `POST /oauth/token` with an authorization code.
pub(crate) fn exchange_code(oracle: &mut Oracle, request: &Request, now: i64) -> (Answer, Option<Serial>) {
    let grant_type = request.field("grant_type").unwrap_or_default();
    if grant_type != "authorization_code" {
        return (Answer::error(400, "unsupported_grant_type", "refresh_token and authorization_code only"), None);
    }
    let field = |name| request.field(name).unwrap_or_default();
    let shown = Shown {
        code: field("code"),
        redirect_uri: field("redirect_uri"),
        client_id: field("client_id"),
        verifier: field("code_verifier"),
    };
    match oracle.authorizations.exchange(&shown, now) {
        Ok(account) => {
            let tokens = oracle.login(&account, now);
            (Answer::json(200, &token_body(&tokens, &[], &oracle.settings, now)), Some(tokens.serial))
        }
        Err(why) => (Answer::error(400, "invalid_grant", why), None),
    }
}

/// `GET /oauth/authorize`: approves at once.
pub(crate) fn authorize(oracle: &mut Oracle, request: &Request, now: i64) -> Answer {
    let query = request.query();
    match redirect_with_code(oracle, &query, now) {
        Ok(location) => Answer::html(302, "").with("location", location.as_str()),
        Err(why) => Answer::html(400, &format!("<h1>Cannot log in</h1><p>{why}</p>")),
    }
}

fn redirect_with_code(oracle: &mut Oracle, query: &BTreeMap<String, String>, now: i64) -> Result<Url, String> {
    let parameter = |name: &str| query.get(name).map(String::as_str).ok_or_else(|| format!("{name} is missing"));
    if parameter("response_type")? != "code" || parameter("code_challenge_method")? != "S256" {
        return Err("response_type must be code and code_challenge_method S256".into());
    }
    let asked = Asked {
        client_id: parameter("client_id")?,
        redirect_uri: parameter("redirect_uri")?,
        challenge: parameter("code_challenge")?,
    };
    let mut location = Url::parse(asked.redirect_uri).map_err(|_| "redirect_uri is no URL")?;
    let state = parameter("state")?;
    let account = oracle.settings.account.clone();
    let code = oracle.authorizations.approve_in_browser(&asked, &account, oracle.ledger.random(), now);
    location.query_pairs_mut().append_pair("code", &code).append_pair("state", state);
    Ok(location)
}

/// `POST /oauth/revoke`: 200 whatever the token is (RFC 7009 §2.2).
pub(crate) fn revoke(oracle: &mut Oracle, request: &Request) -> Answer {
    if let Some(token) = request.field("token") {
        oracle.revoke(token);
    }
    Answer::json(200, &json!({}))
}

/// `POST /api/accounts/deviceauth/usercode`.
pub(crate) fn device_code(oracle: &mut Oracle, request: &Request, now: i64) -> Answer {
    if !oracle.settings.device_login {
        return Answer::error(404, "not_found", "device code login is not enabled");
    }
    let Some(client_id) = request.field("client_id") else {
        return Answer::error(400, "invalid_request", "client_id is missing");
    };
    let (id, user_code) = oracle.authorizations.begin_device(client_id, oracle.ledger.random(), now);
    // The interval is a string on the real server too.
    let interval = oracle.settings.device_interval_s.to_string();
    Answer::json(200, &json!({"device_auth_id": id, "user_code": user_code, "interval": interval}))
}

/// `POST /api/accounts/deviceauth/token`.
pub(crate) fn device_poll(oracle: &mut Oracle, request: &Request, now: i64) -> Answer {
    let field = |name| request.field(name).unwrap_or_default();
    let shown = (field("device_auth_id"), field("user_code"));
    let (approval, account) = (oracle.settings.approval, oracle.settings.account.clone());
    match oracle.authorizations.poll(shown, approval, &account, oracle.ledger.random(), now) {
        Poll::Pending => Answer::error(403, "deviceauth_authorization_pending", "not approved yet"),
        Poll::Unknown => Answer::error(400, "invalid_request", "unknown or expired device code"),
        Poll::Approved { code, challenge, verifier } => Answer::json(
            200,
            &json!({"authorization_code": code, "code_challenge": challenge, "code_verifier": verifier}),
        ),
    }
}

/// The page `/codex/device`: shows which codes wait, and approves the one that is typed in.
pub(crate) fn device_page(oracle: &mut Oracle, request: &Request) -> Answer {
    let said = match request.field("user_code") {
        None => String::new(),
        Some(code) => match oracle.authorizations.approve_devices(Some(code.trim())) {
            0 => "<p>No login waits under this code.</p>".to_owned(),
            _ => "<p>Approved. You can close this page.</p>".to_owned(),
        },
    };
    let waiting: String =
        oracle.authorizations.waiting().iter().map(|code| format!("<li><code>{code}</code></li>")).collect();
    let form = "<form method=\"post\"><input name=\"user_code\" autofocus><button>Approve</button></form>";
    Answer::html(200, &format!("<h1>Fake provider: device login</h1>{said}{form}<p>Waiting:</p><ul>{waiting}</ul>"))
}
