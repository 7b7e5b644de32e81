//! Whose login it is.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A ChatGPT account and workspace with one person in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// `chatgpt_account_id`: the account or workspace.
    pub account_id: String,
    /// `chatgpt_user_id`: the person.
    pub user_id: String,
    /// `email`.
    pub email: String,
    /// `chatgpt_plan_type`: `plus`, `team`, …
    pub plan_type: String,
}

impl Account {
    /// The n-th invented account; equal numbers are the same account.
    pub fn numbered(n: u32) -> Self {
        Self {
            account_id: format!("6f0c1a2b-0000-4000-8000-{n:012}"),
            user_id: format!("user-fake{n:04}"),
            email: format!("person{n}@example.com"),
            plan_type: "plus".to_owned(),
        }
    }

    /// The claim `https://api.openai.com/auth`, which both tokens carry.
    pub(crate) fn auth_claim(&self) -> Value {
        json!({
            "chatgpt_account_id": self.account_id,
            "chatgpt_plan_type": self.plan_type,
            "chatgpt_user_id": self.user_id,
            "user_id": self.user_id,
        })
    }
}

impl Default for Account {
    fn default() -> Self {
        Self::numbered(1)
    }
}
