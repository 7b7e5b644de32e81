//! The people and programs that administer over the network, and their sessions.

use hyper::Method;
use scorpiox_wire::admin::{
    AdminKeyIssued, AdminKeyRequest, AdminKeyView, AdministratorAdded, AdministratorRequest, AdministratorView,
    PasswordRequest, ScopesRequest, SessionEnded, SessionRequest,
};

use super::{AdminClient, AdminError, Line};
use crate::domain::credential::Name;

impl AdminClient {
    /// Begins a session; the calls that follow are part of it, and it is renewed while they come.
    pub async fn log_in(&self, request: &SessionRequest) -> Result<(), AdminError> {
        let answer = self.post("session", request).await?;
        if let Line::Network(network) = &self.line {
            network.begin_session(answer);
        }
        Ok(())
    }

    /// Ends the session, if there is one.
    pub async fn log_out(&self) -> Result<Option<SessionEnded>, AdminError> {
        match &self.line {
            Line::Network(network) if network.has_session() => {
                self.call(Method::DELETE, "session", None).await.map(Some)
            }
            Line::Network(_) | Line::Socket(_) => Ok(None),
        }
    }

    /// The people who may administer over the network.
    pub async fn administrators(&self) -> Result<Vec<AdministratorView>, AdminError> {
        self.list("administrators").await
    }

    /// Makes an administrator.
    pub async fn add_administrator(&self, request: &AdministratorRequest) -> Result<AdministratorAdded, AdminError> {
        self.post("administrators", request).await
    }

    /// Removes an administrator and answers what it was.
    pub async fn remove_administrator(&self, name: &Name) -> Result<AdministratorView, AdminError> {
        self.call(Method::DELETE, &format!("administrators/{name}"), None).await
    }

    /// Gives an administrator another password.
    pub async fn set_password(&self, name: &Name, request: &PasswordRequest) -> Result<AdministratorView, AdminError> {
        self.post(&format!("administrators/{name}/password"), request).await
    }

    /// Changes what an administrator may do.
    pub async fn set_scopes(&self, name: &Name, request: &ScopesRequest) -> Result<AdministratorView, AdminError> {
        let body = serde_json::to_vec(request).expect("a body of the contract can be written as JSON");
        self.call(Method::PUT, &format!("administrators/{name}/scopes"), Some(body)).await
    }

    /// Ends all sessions of an administrator.
    pub async fn revoke_sessions(&self, name: &Name) -> Result<AdministratorView, AdminError> {
        self.call(Method::POST, &format!("administrators/{name}/revoke-sessions"), None).await
    }

    /// The keys with which programs administer.
    pub async fn admin_keys(&self) -> Result<Vec<AdminKeyView>, AdminError> {
        self.list("admin-keys").await
    }

    /// Makes an admin key.
    pub async fn add_admin_key(&self, request: &AdminKeyRequest) -> Result<AdminKeyIssued, AdminError> {
        self.post("admin-keys", request).await
    }

    /// Ends an admin key and answers what it was.
    pub async fn revoke_admin_key(&self, name: &Name) -> Result<AdminKeyView, AdminError> {
        self.call(Method::DELETE, &format!("admin-keys/{name}"), None).await
    }
}
