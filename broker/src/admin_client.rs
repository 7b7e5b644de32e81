//! The administration operations as typed calls over the broker's Unix socket.
//!
//! One connection for one call: nobody administers often enough for a pool, and a call that failed is never repeated
//! by itself, because most of them change something.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use scorpiox_wire::admin::{
    AlertTest, AuditEntry, AuditVerdict, ClientIssued, ClientLimits, ClientRequest, ClientRevoked, ClientView,
    CredentialView, ImportRequest, LoginCallback, LoginRequest, LoginView, PAGE_LIMIT_MOST, Page, PauseRequest,
    PromoteRequest, PromotionView, RefreshAnswer, RefreshRequest, RevokeRequest, Status,
};
use scorpiox_wire::{Code, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::domain::credential::Name;

/// Longer than a renewal may take (30 s to be sent and answered, and the dialing before it).
const PATIENCE: Duration = Duration::from_secs(90);
/// More than the list of a hundred thousand clients needs.
const LARGEST_ANSWER: usize = 64 << 20;

/// A running broker, as its administrator reaches it.
#[derive(Debug, Clone)]
pub struct AdminClient {
    socket: PathBuf,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Nobody listens there: nothing was sent.
    #[error("no broker answers at {path} ({source})", path = .socket.display())]
    NotRunning {
        /// The socket.
        socket: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The socket's permissions keep this user out: nothing was sent.
    #[error("this user may not use {}", .0.display())]
    NotAllowed(PathBuf),
    /// The broker said no.
    #[error("{problem}")]
    Refused {
        /// The HTTP status, which decides when the code is of a newer broker.
        status: u16,
        /// Its reason.
        problem: Problem,
    },
    /// The connection broke: whether the broker has done it is unknown.
    #[error("the broker went away before it answered ({0}); whether it was done is unknown")]
    Lost(String),
    /// It did not answer in time: whether it will still do it is unknown.
    #[error("the broker did not answer within {} s; whether it was done is unknown", PATIENCE.as_secs())]
    Silent,
    /// An answer that this version does not understand.
    #[error("the broker's answer is not understood (status {status}: {why}); is it another version?")]
    Strange {
        /// The HTTP status.
        status: u16,
        /// What is wrong with the answer, without repeating it.
        why: String,
    },
}

impl AdminError {
    /// Whether the same call may succeed a little later.
    pub fn passes(&self) -> bool {
        match self {
            Self::Refused { status, problem } => match problem.code {
                Code::Unknown => matches!(*status, 408 | 429 | 503),
                code => matches!(code.status(), 408 | 429 | 503),
            },
            Self::Silent => true,
            Self::NotRunning { .. } | Self::NotAllowed(_) | Self::Lost(_) | Self::Strange { .. } => false,
        }
    }
}

impl AdminClient {
    /// Speaks to the broker behind this socket. Nothing is opened yet.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// The socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The broker at a glance.
    pub async fn status(&self) -> Result<Status, AdminError> {
        self.get("status").await
    }

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
    pub async fn remove(&self, name: &Name) -> Result<CredentialView, AdminError> {
        self.call(Method::DELETE, &format!("credentials/{name}"), None).await
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

    /// Each client, the revoked ones too.
    pub async fn clients(&self) -> Result<Vec<ClientView>, AdminError> {
        self.list("clients").await
    }

    /// One client.
    pub async fn client(&self, name: &Name) -> Result<ClientView, AdminError> {
        self.get(&format!("clients/{name}")).await
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

    /// Revokes a client.
    pub async fn revoke(&self, name: &Name, request: RevokeRequest) -> Result<ClientRevoked, AdminError> {
        self.post(&format!("clients/{name}/revoke"), &request).await
    }

    /// Entries of the audit, oldest first, at most `limit`: those after `seq`, or the newest when it is absent.
    /// Only one page of them.
    pub async fn audit(&self, after: Option<u64>, limit: u32) -> Result<Page<AuditEntry>, AdminError> {
        let after = after.map(|seq| format!("after={seq}&")).unwrap_or_default();
        self.get(&format!("audit?{after}limit={limit}")).await
    }

    /// Checks the audit's chain.
    pub async fn verify_audit(&self) -> Result<AuditVerdict, AdminError> {
        self.get("audit/verify").await
    }

    /// Tells everybody who is told of alerts that this is a test.
    pub async fn test_alerts(&self) -> Result<AlertTest, AdminError> {
        self.call(Method::POST, "alerts/test", None).await
    }

    /// Declares the database as it is to be the newest.
    pub async fn promote(&self, request: PromoteRequest) -> Result<Status, AdminError> {
        self.post("promote", &request).await
    }

    /// What a promotion would do.
    pub async fn promotion(&self) -> Result<PromotionView, AdminError> {
        self.get("promote").await
    }

    /// All pages of a list.
    async fn list<A: DeserializeOwned>(&self, path: &str) -> Result<Vec<A>, AdminError> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let page: Page<A> = self.get(&format!("{path}?{after}limit={PAGE_LIMIT_MOST}")).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = format!("after={next}&"),
                None => return Ok(all),
            }
        }
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, AdminError> {
        self.call(Method::GET, path, None).await
    }

    async fn post<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, AdminError> {
        let body = serde_json::to_vec(body).expect("a body of the contract can be written as JSON");
        self.call(Method::POST, path, Some(body)).await
    }

    async fn put<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, AdminError> {
        let body = serde_json::to_vec(body).expect("a body of the contract can be written as JSON");
        self.call(Method::PUT, path, Some(body)).await
    }

    async fn call<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<A, AdminError> {
        let exchange = self.exchange(method, path, body);
        let (status, answer) = tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| AdminError::Silent)??;
        let strange = |error: serde_json::Error| AdminError::Strange {
            status: status.as_u16(),
            // The error's own text may quote the answer, which may hold a key.
            why: format!("{:?} error at byte {}", error.classify(), error.column()),
        };
        if status.is_success() {
            return serde_json::from_slice(&answer).map_err(strange);
        }
        let problem = serde_json::from_slice(&answer).map_err(strange)?;
        Err(AdminError::Refused { status: status.as_u16(), problem })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<(StatusCode, Bytes), AdminError> {
        let lost = |error: &dyn std::fmt::Display| AdminError::Lost(error.to_string());
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| self.unreachable(error))?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| lost(&error))?;
        // Its errors come back through the sender.
        tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(format!("/admin/v1/{path}")).header(HOST, "localhost");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())));
        let request = request.map_err(|error| AdminError::Strange { status: 0, why: error.to_string() })?;
        let answer = sender.send_request(request).await.map_err(|error| lost(&error))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER).collect().await;
        Ok((status, body.map_err(|error| lost(&error))?.to_bytes()))
    }

    fn unreachable(&self, source: io::Error) -> AdminError {
        match source.kind() {
            io::ErrorKind::PermissionDenied => AdminError::NotAllowed(self.socket.clone()),
            _ => AdminError::NotRunning { socket: self.socket.clone(), source },
        }
    }
}
