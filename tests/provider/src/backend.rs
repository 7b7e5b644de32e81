//! The model backend's answers.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::json;

use crate::answer::{Answer, Content};
use crate::catalog;
use crate::oracle::Oracle;
use crate::request::Request;
use crate::script::Script;
use crate::serial::Serial;

/// Who asks, or the refusal.
fn caller(oracle: &Oracle, request: &Request, now: i64) -> Result<Serial, Box<Answer>> {
    let Some(token) = request.bearer() else {
        return Err(Box::new(Answer::error(401, "missing_authorization", "no bearer token")));
    };
    let serial = oracle.check_access(token, now).map_err(|why| {
        Box::new(Answer::error(401, why.code(), "Your authentication token is not accepted. Please sign in again."))
    })?;
    let owner = oracle.tokens(serial).map(|tokens| tokens.account.account_id.as_str());
    match request.header("chatgpt-account-id") {
        Some(named) if owner != Some(named) => {
            Err(Box::new(Answer::json(403, &json!({"detail": {"code": "invalid_workspace_selected"}}))))
        }
        _ => Ok(serial),
    }
}

/// `GET /backend-api/codex/models`; 304 when the client names the catalogue that holds.
pub(crate) fn models(oracle: &Oracle, request: &Request, now: i64) -> Answer {
    if let Err(refusal) = caller(oracle, request, now) {
        return *refusal;
    }
    let body = oracle.settings.models.clone().unwrap_or_else(catalog::models);
    let etag = etag(&body.to_string());
    match request.header("if-none-match") {
        Some(named) if named == etag => Answer::bytes(304, "application/json", "").with("etag", &etag),
        _ => Answer::json(200, &body).with("etag", &etag),
    }
}

fn etag(body: &str) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("\"fake-{:016x}\"", hasher.finish())
}

/// `POST /backend-api/codex/responses`: plays the next script.
pub(crate) fn responses(oracle: &mut Oracle, request: &Request, now: i64) -> Answer {
    if let Err(refusal) = caller(oracle, request, now) {
        return *refusal;
    }
    let script = match oracle.scripts.is_empty() {
        true => Script::message("Hello from the fake provider."),
        false => oracle.scripts.remove(0),
    };
    let headers = vec![("content-type".to_owned(), "text/event-stream".to_owned())];
    Answer { status: 200, headers, content: Content::Stream(script) }
}

/// `GET /backend-api/wham/usage`.
pub(crate) fn usage(oracle: &Oracle, request: &Request, now: i64) -> Answer {
    let serial = match caller(oracle, request, now) {
        Ok(serial) => serial,
        Err(refusal) => return *refusal,
    };
    if let Some(body) = &oracle.settings.usage {
        return Answer::json(200, body);
    }
    let plan = oracle.tokens(serial).map(|tokens| tokens.account.plan_type.clone());
    let window = |seconds: i64| json!({"used_percent": 1, "limit_window_seconds": seconds, "reset_after_seconds": seconds, "reset_at": now + seconds});
    Answer::json(
        200,
        &json!({
            "plan_type": plan,
            "rate_limit": {
                "allowed": true, "limit_reached": false,
                "primary_window": window(18_000), "secondary_window": window(604_800),
            },
            "credits": {"has_credits": false, "unlimited": false, "balance": null},
        }),
    )
}
