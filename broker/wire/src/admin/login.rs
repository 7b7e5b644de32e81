//! A person logs in at the provider.

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::admin::credential::CredentialView;
use crate::problem::Problem;
use crate::token::outward;

/// Which way a person logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "flow", rename_all = "snake_case")]
pub enum LoginFlow {
    /// A code is typed into a page on any machine.
    Device,
    /// A browser is sent back to this redirect URI, on which the asking command listens.
    Browser {
        /// `http://localhost:1455/auth/callback` or the same with 1457.
        redirect_uri: String,
    },
}

/// Begins a login.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginRequest {
    /// Name of the credential; an existing one gets the new token set.
    pub name: String,
    /// Which way.
    #[serde(flatten)]
    pub flow: LoginFlow,
    /// Allow another account on an existing name.
    #[serde(default)]
    pub replace_account: bool,
}

/// A login under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginView {
    /// Id of this attempt.
    pub id: String,
    /// The page that the person opens.
    pub url: String,
    /// The code to type there (device flow).
    pub user_code: Option<String>,
    /// When the attempt ends by itself.
    pub expires_at: i64,
    /// How often asking again makes sense, in seconds.
    pub interval: u64,
    /// How it stands.
    #[serde(flatten)]
    pub state: LoginState,
}

/// How a login stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LoginState {
    /// Waiting for the person.
    Pending,
    /// Sealed and committed.
    Done {
        /// What it became.
        credential: Box<CredentialView>,
    },
    /// Ended without a login; nothing changed.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// What the browser brought back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginCallback {
    /// The authorization code.
    #[serde(serialize_with = "outward")]
    pub code: Secret,
    /// The state that the authorize URL carried.
    pub state: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_request_is_this_json() {
        let request: LoginRequest = serde_json::from_str(r#"{"name":"main","flow":"device"}"#).unwrap();
        assert_eq!((request.name.as_str(), request.flow, request.replace_account), ("main", LoginFlow::Device, false));
    }

    #[test]
    fn a_pending_login_is_this_json() {
        let view = LoginView {
            id: "l1".into(),
            url: "https://x/codex/device".into(),
            user_code: Some("ABCD-EFGH".into()),
            expires_at: 900,
            interval: 5,
            state: LoginState::Pending,
        };
        let json = concat!(
            r#"{"id":"l1","url":"https://x/codex/device","user_code":"ABCD-EFGH","#,
            r#""expires_at":900,"interval":5,"state":"pending"}"#
        );
        assert_eq!(serde_json::to_string(&view).unwrap(), json);
    }
}
