//! How this provider behaves when nothing goes wrong.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::Account;

/// What a provider promises and does. Everything may be changed while it runs; tokens already issued keep their life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Seconds an access token lives. Default ten days.
    pub access_token_life_s: i64,
    /// Seconds a refresh token can be redeemed. Default `None`: for ever.
    pub refresh_token_life_s: Option<i64>,
    /// What presenting a redeemed refresh token does. Default: it ends the login.
    pub refresh_reuse: RefreshReuse,
    /// After a rotation, the access token before it is refused once this many seconds have passed. Default `None`: it
    /// stays good until it expires.
    pub previous_access_token_grace_s: Option<i64>,
    /// Whether a token answer says `expires_in`. Default true.
    pub include_expires_in: bool,
    /// Whether a token answer carries an `id_token`. Default true.
    pub include_id_token: bool,
    /// Whether redeeming rotates the refresh token. False: the answer has none and the old one stays good (RFC 6749 §6).
    pub include_refresh_token: bool,
    /// When set, token answers carry `earliest_refresh_at` this many seconds ahead (Unix seconds), and redeeming
    /// before then answers `invalid_grant` and burns the refresh token. Default `None`.
    pub earliest_refresh_after_s: Option<i64>,
    /// Who logs in through the browser or with a device code. Default [`Account::numbered`] 1.
    pub account: Account,
    /// Whether device-code login exists; if not, its first request is answered with 404. Default true.
    pub device_login: bool,
    /// Who approves a device code. Default: it is approved after one poll that was told to wait.
    pub approval: Approval,
    /// Seconds that a device-code client is told to wait between polls. Default 1.
    pub device_interval_s: u32,
    /// The body of `GET /backend-api/codex/models`. Default `None`: [`catalog::models`](crate::catalog::models).
    pub models: Option<Value>,
    /// The body of `GET /backend-api/wham/usage`. Default `None`: a plan of which one percent was used.
    pub usage: Option<Value>,
}

/// What presenting a redeemed refresh token does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshReuse {
    /// It is refused, and from then on every refresh token of its login.
    RevokeFamily,
    /// It is refused; the newest token stays good.
    RefuseOnly,
}

/// Who approves a device code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Nobody needs to: that many polls are told to wait, the next one succeeds.
    AfterPolls(u32),
    /// Somebody, on the page `/codex/device` or through the control API.
    ByHand,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_life_s: 10 * 24 * 3600,
            refresh_token_life_s: None,
            refresh_reuse: RefreshReuse::RevokeFamily,
            previous_access_token_grace_s: None,
            include_expires_in: true,
            include_id_token: true,
            include_refresh_token: true,
            earliest_refresh_after_s: None,
            account: Account::default(),
            device_login: true,
            approval: Approval::AfterPolls(1),
            device_interval_s: 1,
            models: None,
            usage: None,
        }
    }
}
