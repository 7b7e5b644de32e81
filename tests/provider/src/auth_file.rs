//! A login in the shape in which the stock client keeps it.

use serde_json::{Value, json};

use crate::clock;
use crate::ledger::Tokens;

/// The content of an `auth.json` that was written `now`.
pub(crate) fn auth_file(tokens: &Tokens, now: i64) -> Value {
    json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": tokens.id_token,
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "account_id": tokens.account.account_id,
        },
        "last_refresh": clock::rfc3339(now),
    })
}
