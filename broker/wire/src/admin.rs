//! Bodies of the administration operations: JSON over the Unix socket in the broker's data directory.
//!
//! | request | body → answer |
//! |---|---|
//! | `GET /admin/v1/status` | → [`Status`] |
//! | `GET /admin/v1/credentials`, `/credentials/{name}` | → a [`Page`] of [`CredentialView`]s, one |
//! | `POST /admin/v1/credentials` | [`ImportRequest`] → [`CredentialView`] |
//! | `POST /admin/v1/credentials/{name}/refresh` | [`RefreshRequest`] → [`RefreshAnswer`] |
//! | `POST /admin/v1/credentials/{name}/pause`, `/resume` | [`PauseRequest`], none → [`CredentialView`] |
//! | `DELETE /admin/v1/credentials/{name}` | → [`CredentialView`] as it was |
//! | `GET /admin/v1/credentials/{name}/holders` | → [`Holder`]s |
//! | `POST /admin/v1/logins` | [`LoginRequest`] → [`LoginView`] |
//! | `GET /admin/v1/logins/{id}` | → [`LoginView`] |
//! | `POST /admin/v1/logins/{id}/callback` | [`LoginCallback`] → [`LoginView`] |
//! | `GET /admin/v1/clients` | → a [`Page`] of [`ClientView`]s |
//! | `POST /admin/v1/clients` | [`ClientRequest`] → [`ClientIssued`] |
//! | `POST /admin/v1/clients/{name}/rotate-key` | → [`ClientIssued`] |
//! | `PUT /admin/v1/clients/{name}/limits` | [`ClientLimits`] → [`ClientView`] |
//! | `POST /admin/v1/clients/{name}/pause`, `/resume` | → [`ClientView`] |
//! | `POST /admin/v1/clients/{name}/revoke` | [`RevokeRequest`] → [`ClientRevoked`] |
//! | `GET /admin/v1/audit?after=SEQ&limit=N` | → a [`Page`] of [`AuditEntry`]s, oldest first |
//! | `POST /admin/v1/clients/{name}/invite` | [`InviteRequest`] → [`InviteIssued`] |
//! | `GET /admin/v1/sign-ins` | → a [`Page`] of [`SignInView`]s |
//! | `POST /admin/v1/sign-ins/{code}/approve`, `/deny` | [`SignInApproval`], none → [`SignInApproved`], [`SignInView`] |
//! | `GET /admin/v1/audit/verify` | → [`AuditVerdict`] |
//! | `POST /admin/v1/alerts/test` | → [`AlertTest`] |
//! | `POST /admin/v1/audit/prune` | [`PruneRequest`] → [`PruneAnswer`] |
//! | `POST /admin/v1/audit/begin-anchors` | → [`AuditVerdict`] |
//! | `GET`, `POST /admin/v1/administrators` | → a page of [`AdministratorView`]s; [`AdministratorRequest`] → [`AdministratorAdded`] |
//! | `DELETE /admin/v1/administrators/{name}` | → [`AdministratorView`] as it was |
//! | `PUT /admin/v1/administrators/{name}/scopes` | [`ScopesRequest`] → [`AdministratorView`] |
//! | `POST /admin/v1/administrators/{name}/password` | [`PasswordRequest`] → [`AdministratorView`] |
//! | `POST /admin/v1/administrators/{name}/revoke-sessions` | → [`AdministratorView`] |
//! | `GET`, `POST /admin/v1/admin-keys` | → a page of [`AdminKeyView`]s; [`AdminKeyRequest`] → [`AdminKeyIssued`] |
//! | `DELETE /admin/v1/admin-keys/{name}` | → [`AdminKeyView`] as it was |
//! | `POST /admin/v1/session` | [`SessionRequest`] → [`SessionAnswer`]; only over the network |
//! | `POST /admin/v1/session/renew` | → [`SessionAnswer`] |
//! | `DELETE /admin/v1/session` | ends the session that asks → [`SessionEnded`] |
//! | `POST /admin/v1/backup` | [`BackupRequest`] → the file |
//! | `GET`, `POST /admin/v1/rekey` | → [`RekeyView`]; [`RekeyRequest`] → [`RekeyView`] |
//! | `GET /admin/v1/promote` | → [`PromotionView`] |
//! | `POST /admin/v1/promote` | [`PromoteRequest`] → [`Status`] |
//!
//! Lists take `?after=CURSOR&limit=N`. Times are Unix seconds on the broker's clock.

mod administrator;
mod alert;
mod audit;
mod backup;
mod client;
mod credential;
mod login;
mod page;
mod promotion;
mod sign_in;
mod status;

pub use administrator::{
    AdminKeyIssued, AdminKeyRequest, AdminKeyView, AdministratorAdded, AdministratorRequest, AdministratorView,
    PasswordRequest, Scope, ScopesRequest, SessionAnswer, SessionEnded, SessionRequest, UnknownScope,
};
pub use alert::{AlertDelivery, AlertTest};
pub use audit::{AuditEntry, AuditVerdict, PruneAnswer, PruneRequest};
pub use backup::{BackupRequest, RekeyRequest, RekeyView};
pub use client::{ClientIssued, ClientLimits, ClientRequest, ClientRevoked, ClientView, Holder, RevokeRequest};
pub use credential::{
    CredentialRemoved, CredentialView, Health, ImportRequest, PauseRequest, RefreshAnswer, RefreshRequest, Upstream,
};
pub use login::{LoginCallback, LoginFlow, LoginRequest, LoginState, LoginView};
pub use page::{PAGE_LIMIT, PAGE_LIMIT_MOST, Page};
pub use promotion::{LoginStanding, PromoteRequest, PromotionLogin, PromotionView, UnknownLogins};
pub use sign_in::{InviteIssued, InviteRequest, SignInApproval, SignInApproved, SignInView};
pub use status::{Degraded, HealthCounts, Readiness, Status};
