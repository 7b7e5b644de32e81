//! The end of a fence: what it would do to each login, and doing it.

use serde::{Deserialize, Serialize};

/// What a promotion would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromotionView {
    /// Why nothing is renewed; absent when no fence stands.
    pub fenced: Option<String>,
    /// When the backup was made that the data was restored from; absent when it was not.
    pub restored_from: Option<i64>,
    /// Each login, by name.
    pub logins: Vec<PromotionLogin>,
    /// Ids of logins that the high-water mark knows and this data has lost: they were put in after the backup. Absent
    /// when nobody knows which, because the mark was lost too.
    pub lost_logins: Option<Vec<String>>,
}

/// What a promotion would do to a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PromotionLogin {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: LoginStanding,
    /// The command that a person must run; absent when none is needed.
    pub next: Option<String>,
}

/// How a login of fenced data stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LoginStanding {
    /// Its refresh token was not used since: it is renewed.
    Safe,
    /// A renewal was under way and its answer is unknown: it is probed with care.
    InDoubt,
    /// Its refresh token was used since: a person must log in.
    Behind,
    /// It had ended, or was set aside, before: a person must log in.
    Ended,
    /// It was removed since, and the backup brought it back.
    Removed,
    /// Nobody knows whether its refresh token was used since.
    Unknown,
}

/// End the fence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PromoteRequest {
    /// What becomes of restored logins of which nobody knows whether their refresh token was used since.
    #[serde(default)]
    pub unknown: UnknownLogins,
}

/// What becomes of restored logins of which nobody knows whether their refresh token was used since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnknownLogins {
    /// They are set aside: nothing is presented, a person logs in again.
    #[default]
    SetAside,
    /// They are renewed when they are due. One whose refresh token was used since ends at its first renewal.
    Try,
}
