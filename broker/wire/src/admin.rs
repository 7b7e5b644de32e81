//! Bodies of the administration operations: JSON over the Unix socket in the broker's data directory.
//!
//! | request | body → answer |
//! |---|---|
//! | `GET /admin/v1/status` | → [`Status`] |
//! | `GET /admin/v1/credentials`, `/credentials/{name}` | → [`CredentialView`]s, one |
//! | `POST /admin/v1/credentials` | [`ImportRequest`] → [`CredentialView`] |
//! | `POST /admin/v1/credentials/{name}/refresh` | [`RefreshRequest`] → [`RefreshAnswer`] |
//! | `POST /admin/v1/credentials/{name}/pause`, `/resume` | [`PauseRequest`], none → [`CredentialView`] |
//! | `DELETE /admin/v1/credentials/{name}` | → [`CredentialView`] as it was |
//! | `POST /admin/v1/logins` | [`LoginRequest`] → [`LoginView`] |
//! | `GET /admin/v1/logins/{id}` | → [`LoginView`] |
//! | `POST /admin/v1/logins/{id}/callback` | [`LoginCallback`] → [`LoginView`] |
//! | `GET /admin/v1/clients` | → [`ClientView`]s |
//! | `POST /admin/v1/clients` | [`ClientRequest`] → [`ClientIssued`] |
//! | `POST /admin/v1/clients/{name}/rotate-key` | → [`ClientIssued`] |
//! | `POST /admin/v1/clients/{name}/revoke` | [`RevokeRequest`] → [`ClientRevoked`] |
//! | `GET /admin/v1/audit?after=SEQ&limit=N` | → [`AuditEntry`]s, oldest first |
//! | `GET /admin/v1/audit/verify` | → [`AuditVerdict`] |
//! | `POST /admin/v1/promote` | → [`Status`] |
//!
//! Times are Unix seconds on the broker's clock.

use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::problem::Problem;
use crate::token::outward;

/// Whether a credential can be renewed, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Renewed on schedule.
    Good,
    /// The last attempts to renew failed without harm; it will try again.
    BackingOff,
    /// A redemption was sent and its answer is unknown.
    InDoubt,
    /// The login has ended; a person must log in again.
    Reauth,
    /// Set aside until a person looks.
    Quarantine,
    /// Paused by an administrator.
    Paused,
}

/// A credential as people may see it: no token of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialView {
    /// Stable id.
    pub id: String,
    /// The name that people use.
    pub name: String,
    /// `codex`.
    pub provider: String,
    /// ChatGPT account (workspace) id.
    pub account_id: String,
    /// Mail address of the login, when its token says one.
    pub email: Option<String>,
    /// `plus`, `team` …
    pub plan_type: Option<String>,
    /// Can it be renewed.
    pub health: Health,
    /// Why it is not `good`, in words.
    pub reason: Option<String>,
    /// The command that helps.
    pub next: Option<String>,
    /// Token sets so far.
    pub generation: u64,
    /// Claims so far.
    pub epoch: u64,
    /// When the access token ends.
    pub expires_at: i64,
    /// When the next renewal is planned; absent when none is.
    pub renew_at: Option<i64>,
    /// When the current token set was obtained.
    pub rotated_at: i64,
    /// True while clients get its token.
    pub serving: bool,
    /// Clients that may use it.
    pub clients: u64,
}

/// A login that exists elsewhere is taken over: the body of a stock `auth.json`, reduced to what is needed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportRequest {
    /// Name of the credential; an existing one gets the new token set.
    pub name: String,
    /// `tokens.access_token`.
    #[serde(serialize_with = "outward")]
    pub access_token: Secret,
    /// `tokens.refresh_token`. Only ever travels towards the broker.
    #[serde(serialize_with = "outward")]
    pub refresh_token: Secret,
    /// `tokens.id_token`.
    #[serde(serialize_with = "outward")]
    pub id_token: Secret,
    /// `tokens.account_id`.
    pub account_id: String,
    /// Allow another account on an existing name.
    #[serde(default)]
    pub replace_account: bool,
}

/// Which way a person logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct LoginCallback {
    /// The authorization code.
    #[serde(serialize_with = "outward")]
    pub code: Secret,
    /// The state that the authorize URL carried.
    pub state: String,
}

/// Renew now.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct RefreshRequest {
    /// For a credential in doubt: present the refresh token once more (after the quiet time).
    #[serde(default)]
    pub probe: bool,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefreshAnswer {
    /// True when the generation went up.
    pub renewed: bool,
    /// The credential afterwards.
    pub credential: CredentialView,
}

/// Pause a credential.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct PauseRequest {
    /// Keep serving the token, only stop renewing it.
    #[serde(default)]
    pub renewal_only: bool,
}

/// A machine, person or CI job that may fetch tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientView {
    /// Its name.
    pub name: String,
    /// Public part of its key.
    pub key_id: String,
    /// Name of the credential that it may use.
    pub credential: String,
    /// When it was made.
    pub created_at: i64,
    /// When it was revoked; absent while it is good.
    pub revoked_at: Option<i64>,
    /// The newest generation that it was given; absent when it never asked.
    pub generation: Option<u64>,
    /// When it was last given a token.
    pub last_seen_at: Option<i64>,
    /// When the token that it holds ends.
    pub holds_until: Option<i64>,
}

/// Create a client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientRequest {
    /// Its name.
    pub name: String,
    /// Name of the credential that it may use.
    pub credential: String,
}

/// A client and its key, which is shown this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientIssued {
    /// The client.
    pub client: ClientView,
    /// Its key.
    #[serde(serialize_with = "outward")]
    pub key: Secret,
    /// What `CODEX_REMOTE_URL` should be.
    pub url: String,
    /// `sha256:…` of the certificate's public key, for `CODEX_REMOTE_PIN`; absent over plain HTTP.
    pub pin: Option<String>,
}

/// Revoke a client.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct RevokeRequest {
    /// Renew its credential at once, so that the token it holds ends soon.
    #[serde(default)]
    pub rotate: bool,
}

/// A revoked client.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClientRevoked {
    /// The client; `holds_until` says how long the token that it has still works.
    pub client: ClientView,
    /// True when its credential was renewed as asked.
    pub rotated: bool,
}

/// A line of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Counts from 1 without a gap.
    pub seq: u64,
    /// When.
    pub at: i64,
    /// Who: `client:laptop-anna`, `admin:uid=0`, `broker`.
    pub actor: String,
    /// What: `token.first`, `token.refused`, `client.create` …
    pub action: String,
    /// To what: `credential:main`.
    pub object: String,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    /// The request id in the log.
    pub request_id: String,
    /// Where the request came from.
    pub address: String,
    /// Anything else, one line.
    pub detail: String,
    /// The entry's link in the chain, hexadecimal.
    pub mac: String,
}

/// Whether the audit is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditVerdict {
    /// Entries that were checked.
    pub entries: u64,
    /// The first entry that does not fit its predecessor; absent when all do.
    pub first_bad: Option<u64>,
    /// What is wrong with it.
    pub reason: Option<String>,
}

/// What does not work as it should, though the broker serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degraded {
    /// Stable name: `fenced`, `in_doubt`, `save_failing`, `audit_spooling`, `clock_stepped`, `rescue_slots` …
    pub what: String,
    /// In words.
    pub reason: String,
    /// The command that helps.
    pub next: Option<String>,
}

/// The answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Can hand out tokens.
    pub serving: bool,
    /// Can renew tokens.
    pub renewing: bool,
    /// What does not work as it should. Names no credential: this answer needs no key.
    pub degraded: Vec<String>,
}

/// The broker at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the broker.
    pub version: String,
    /// When it was started.
    pub started_at: i64,
    /// Its data directory.
    pub data: String,
    /// Where clients reach it.
    pub url: String,
    /// Can hand out tokens.
    pub serving: bool,
    /// Can renew tokens.
    pub renewing: bool,
    /// When the certificate ends; absent over plain HTTP.
    pub certificate_ends_at: Option<i64>,
    /// What does not work as it should.
    pub degraded: Vec<Degraded>,
    /// Each credential.
    pub credentials: Vec<CredentialView>,
    /// Clients that are not revoked.
    pub clients: u64,
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
