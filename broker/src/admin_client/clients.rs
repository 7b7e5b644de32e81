//! Clients, their keys and limits, and the programs that sign in as one.

use hyper::Method;
use scorpiox_wire::admin::{
    ClientIssued, ClientLimits, ClientRequest, ClientRevoked, ClientView, Holder, InviteIssued, InviteRequest,
    RevokeRequest, SignInApproval, SignInApproved, SignInView,
};

use super::{AdminClient, AdminError};
use crate::domain::credential::Name;
use crate::domain::device_grant::UserCode;

impl AdminClient {
    /// Each client, the revoked ones too.
    pub async fn clients(&self) -> Result<Vec<ClientView>, AdminError> {
        self.list("clients").await
    }

    /// One client.
    pub async fn client(&self, name: &Name) -> Result<ClientView, AdminError> {
        self.get(&format!("clients/{name}")).await
    }

    /// The clients that still hold a token of a credential.
    pub async fn holders(&self, credential: &Name) -> Result<Vec<Holder>, AdminError> {
        self.list(&format!("credentials/{credential}/holders")).await
    }

    /// Makes a client and its key.
    pub async fn add_client(&self, request: &ClientRequest) -> Result<ClientIssued, AdminError> {
        self.post("clients", request).await
    }

    /// Gives a client another key; the old one ends.
    pub async fn rotate_key(&self, name: &Name) -> Result<ClientIssued, AdminError> {
        self.call(Method::POST, &format!("clients/{name}/rotate-key"), None).await
    }

    /// Gives a client other limits.
    pub async fn limit(&self, name: &Name, limits: &ClientLimits) -> Result<ClientView, AdminError> {
        self.put(&format!("clients/{name}/limits"), limits).await
    }

    /// Lets a client have nothing until it is resumed.
    pub async fn pause_client(&self, name: &Name) -> Result<ClientView, AdminError> {
        self.call(Method::POST, &format!("clients/{name}/pause"), None).await
    }

    /// Ends a client's pause.
    pub async fn resume_client(&self, name: &Name) -> Result<ClientView, AdminError> {
        self.call(Method::POST, &format!("clients/{name}/resume"), None).await
    }

    /// Lets a client use another credential.
    pub async fn grant(&self, name: &Name, credential: &Name) -> Result<ClientView, AdminError> {
        self.call(Method::PUT, &format!("clients/{name}/grants/{credential}"), None).await
    }

    /// Revokes a client.
    pub async fn revoke(&self, name: &Name, request: RevokeRequest) -> Result<ClientRevoked, AdminError> {
        self.post(&format!("clients/{name}/revoke"), &request).await
    }

    /// Makes an invite for a client.
    pub async fn invite(&self, name: &Name, request: &InviteRequest) -> Result<InviteIssued, AdminError> {
        self.post(&format!("clients/{name}/invite"), request).await
    }

    /// The programs that wait for a person.
    pub async fn sign_ins(&self) -> Result<Vec<SignInView>, AdminError> {
        self.list("sign-ins").await
    }

    /// Lets a program in.
    pub async fn approve_sign_in(
        &self,
        code: &UserCode,
        request: &SignInApproval,
    ) -> Result<SignInApproved, AdminError> {
        self.post(&format!("sign-ins/{code}/approve"), request).await
    }

    /// Sends a program away.
    pub async fn deny_sign_in(&self, code: &UserCode) -> Result<SignInView, AdminError> {
        self.call(Method::POST, &format!("sign-ins/{code}/deny"), None).await
    }
}
