//! Credentials, and the logins that make them.

use hyper::Method;
use scorpiox_wire::admin::{
    CredentialRemoved, CredentialView, ImportRequest, LoginCallback, LoginRequest, LoginView, PauseRequest,
    RefreshAnswer, RefreshRequest,
};

use super::{AdminClient, AdminError};
use crate::domain::credential::Name;
use crate::registrar::LoginAtProvider;

impl AdminClient {
    /// Each credential, in the order of their names.
    pub async fn credentials(&self) -> Result<Vec<CredentialView>, AdminError> {
        self.list("credentials").await
    }

    /// One credential.
    pub async fn credential(&self, name: &Name) -> Result<CredentialView, AdminError> {
        self.get(&format!("credentials/{name}")).await
    }

    /// Takes over a login that exists elsewhere.
    pub async fn import(&self, request: &ImportRequest) -> Result<CredentialView, AdminError> {
        self.post("credentials", request).await
    }

    /// Renews now.
    pub async fn refresh(&self, name: &Name, request: RefreshRequest) -> Result<RefreshAnswer, AdminError> {
        self.post(&format!("credentials/{name}/refresh"), &request).await
    }

    /// Pauses.
    pub async fn pause(&self, name: &Name, request: PauseRequest) -> Result<CredentialView, AdminError> {
        self.post(&format!("credentials/{name}/pause"), &request).await
    }

    /// Ends a pause.
    pub async fn resume(&self, name: &Name) -> Result<CredentialView, AdminError> {
        self.call(Method::POST, &format!("credentials/{name}/resume"), None).await
    }

    /// Removes a credential and answers what it was.
    pub async fn remove(&self, name: &Name, login: LoginAtProvider) -> Result<CredentialRemoved, AdminError> {
        let query = match login {
            LoginAtProvider::Leave => "",
            LoginAtProvider::Revoke => "?revoke_upstream=true",
        };
        self.call(Method::DELETE, &format!("credentials/{name}{query}"), None).await
    }

    /// Begins a login.
    pub async fn begin_login(&self, request: &LoginRequest) -> Result<LoginView, AdminError> {
        self.post("logins", request).await
    }

    /// How a login stands.
    pub async fn login(&self, id: &str) -> Result<LoginView, AdminError> {
        self.get(&format!("logins/{id}")).await
    }

    /// Hands over what the browser brought back.
    pub async fn finish_login(&self, id: &str, callback: &LoginCallback) -> Result<LoginView, AdminError> {
        self.post(&format!("logins/{id}/callback"), callback).await
    }
}
