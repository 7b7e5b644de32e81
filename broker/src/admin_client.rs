//! The administration operations as typed calls, over the broker's Unix socket or its listener for the network.
//!
//! * `error`: why a call has no answer.
//! * `pin`: a broker is known by its public key.
//! * `network`: a broker somewhere else: TLS, and a session or an admin key.
//!
//! One connection for one call: nobody administers often enough for a pool, and a call that failed is never repeated
//! by itself, because most of them change something.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use scorpiox_wire::admin::{
    AdminKeyIssued, AdminKeyRequest, AdminKeyView, AdministratorRequest, AdministratorView, AlertTest, AuditEntry,
    AuditVerdict, BackupRequest, ClientIssued, ClientLimits, ClientRequest, ClientRevoked, ClientView,
    CredentialRemoved, CredentialView, Holder, ImportRequest, LoginCallback, LoginRequest, LoginView, PAGE_LIMIT_MOST,
    Page, PasswordRequest, PauseRequest, PromoteRequest, PromotionView, PruneAnswer, PruneRequest, RefreshAnswer,
    RefreshRequest, RekeyRequest, RekeyView, RevokeRequest, ScopesRequest, SessionEnded, SessionRequest, Status,
};
use scorpiox_wire::admin::{InviteIssued, InviteRequest, SignInApproval, SignInApproved, SignInView};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::domain::credential::Name;
use crate::domain::device_grant::UserCode;
use crate::hex;
use crate::http::admin::custody::SUM;
use crate::provider::dial::Stream;
use crate::registrar::LoginAtProvider;

/// Longer than a renewal may take (30 s to be sent and answered, and the dialing before it).
const PATIENCE: Duration = Duration::from_secs(90);
/// How soon a change that is still being made is asked about again.
const REPEAT: Duration = Duration::from_millis(500);
/// More than the list of a hundred thousand clients needs.
const LARGEST_ANSWER: usize = 64 << 20;

mod error;
mod network;
mod pin;

pub use error::AdminError;
pub use network::{BadPlace, Network, Trust};
pub use pin::{BadPin, Pin};

/// A running broker, as its administrator reaches it.
#[derive(Debug, Clone)]
pub struct AdminClient {
    line: Line,
}

/// The way to it.
#[derive(Debug, Clone)]
enum Line {
    Socket(PathBuf),
    Network(Arc<Network>),
}

impl AdminClient {
    /// Speaks to the broker behind this socket. Nothing is opened yet.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self { line: Line::Socket(socket.into()) }
    }

    /// Speaks to a broker over the network. Nothing is opened yet.
    pub fn over(network: Network) -> Self {
        Self { line: Line::Network(Arc::new(network)) }
    }

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
    pub async fn add_administrator(&self, request: &AdministratorRequest) -> Result<AdministratorView, AdminError> {
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

    /// Entries of the audit, oldest first, at most `limit`: those after `seq`, or the newest when it is absent.
    /// Only one page of them.
    pub async fn audit(&self, after: Option<u64>, limit: u32) -> Result<Page<AuditEntry>, AdminError> {
        let after = after.map(|seq| format!("after={seq}&")).unwrap_or_default();
        self.get(&format!("audit?{after}limit={limit}")).await
    }

    /// Removes old entries of the audit.
    pub async fn prune_audit(&self, request: PruneRequest) -> Result<PruneAnswer, AdminError> {
        self.post("audit/prune", &request).await
    }

    /// Begins the anchor file anew.
    pub async fn begin_anchors(&self) -> Result<AuditVerdict, AdminError> {
        self.call(Method::POST, "audit/begin-anchors", None).await
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

    /// Makes a backup and writes it to `out`; its SHA-256 as the broker says it.
    pub async fn backup(&self, request: &BackupRequest, out: &mut impl io::Write) -> Result<String, AdminError> {
        let lost = |error: &dyn std::fmt::Display| AdminError::Lost(error.to_string());
        let body = serde_json::to_vec(request).expect("a body of the contract can be written as JSON");
        let asked = tokio::time::timeout(PATIENCE, self.ask(Method::POST, "backup", Some(body), None));
        let answer = asked.await.map_err(|_| AdminError::Silent)??;
        let status = answer.status();
        let sum = answer.headers().get(SUM).and_then(|sum| sum.to_str().ok()).map(str::to_owned);
        let mut body = answer.into_body();
        let Some(sum) = sum.filter(|_| status.is_success()) else {
            let told = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|error| lost(&error))?.to_bytes();
            let strange =
                || AdminError::Strange { status: status.as_u16(), why: "no backup and no problem".to_owned() };
            let problem = serde_json::from_slice(&told).map_err(|_| strange())?;
            return Err(AdminError::Refused { status: status.as_u16(), problem });
        };
        loop {
            let frame = tokio::time::timeout(PATIENCE, body.frame()).await.map_err(|_| AdminError::Silent)?;
            let Some(frame) = frame else { return Ok(sum) };
            if let Some(piece) = frame.map_err(|error| lost(&error))?.data_ref() {
                out.write_all(piece).map_err(|error| lost(&format!("the file cannot be written: {error}")))?;
            }
        }
    }

    /// Changes the master key.
    pub async fn rekey(&self, request: &RekeyRequest) -> Result<RekeyView, AdminError> {
        self.post("rekey", request).await
    }

    /// How a change of the master key stands.
    pub async fn rekeying(&self) -> Result<RekeyView, AdminError> {
        self.get("rekey").await
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
        let exchange = async {
            if self.is_session_near_its_end() {
                let renewed = self.exchange(Method::POST, "session/renew", None, None).await?;
                if let (Line::Network(network), true) = (&self.line, renewed.0.is_success()) {
                    network.begin_session(read(renewed)?);
                }
            }
            self.once(method, path, body).await
        };
        read(tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| AdminError::Silent)??)
    }

    /// A change has a name: where the connection broke before the answer it is asked for once more, and not made twice.
    async fn once(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<(StatusCode, Bytes), AdminError> {
        let is_change = method != Method::GET && !path.starts_with("session");
        let name = is_change.then(name_of_a_change);
        let first = self.exchange(method.clone(), path, body.clone(), name.as_deref()).await;
        let (Some(name), Err(AdminError::Lost(_))) = (name, &first) else { return first };
        loop {
            match self.exchange(method.clone(), path, body.clone(), Some(&name)).await {
                Ok(answer) if is_in_progress(&answer) => tokio::time::sleep(REPEAT).await,
                Ok(answer) => return Ok(answer),
                Err(_) => return first,
            }
        }
    }

    fn is_session_near_its_end(&self) -> bool {
        match &self.line {
            Line::Network(network) => network.is_session_near_its_end(),
            Line::Socket(_) => false,
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        name: Option<&str>,
    ) -> Result<(StatusCode, Bytes), AdminError> {
        let answer = self.ask(method, path, body, name).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER).collect().await;
        Ok((status, body.map_err(|error| AdminError::Lost(error.to_string()))?.to_bytes()))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        name: Option<&str>,
    ) -> Result<Response<Incoming>, AdminError> {
        let lost = |error: &dyn std::fmt::Display| AdminError::Lost(error.to_string());
        let mut request = Request::builder().method(method);
        let stream: Box<dyn Stream> = match &self.line {
            Line::Socket(socket) => {
                request = request.uri(format!("/admin/v1/{path}")).header(HOST, "localhost");
                Box::new(UnixStream::connect(socket).await.map_err(|error| unreachable(socket, error))?)
            }
            Line::Network(network) => {
                request = request.uri(network.target(path)).header(HOST, network.host());
                if let Some(authorization) = network.authorization() {
                    request = request.header(AUTHORIZATION, authorization);
                }
                network.open().await?
            }
        };
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| lost(&error))?;
        // Its errors come back through the sender.
        tokio::spawn(connection);
        if let Some(name) = name {
            request = request.header("idempotency-key", name);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())));
        let request = request.map_err(|error| AdminError::Strange { status: 0, why: error.to_string() })?;
        sender.send_request(request).await.map_err(|error| lost(&error))
    }
}

/// 128 random bits.
fn name_of_a_change() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the machine has a random source");
    hex::encode(&bytes).to_string()
}

fn is_in_progress((status, answer): &(StatusCode, Bytes)) -> bool {
    *status == StatusCode::CONFLICT
        && serde_json::from_slice::<scorpiox_wire::Problem>(answer)
            .is_ok_and(|problem| problem.code == scorpiox_wire::Code::InProgress)
}

fn read<A: DeserializeOwned>((status, answer): (StatusCode, Bytes)) -> Result<A, AdminError> {
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

fn unreachable(socket: &Path, source: io::Error) -> AdminError {
    match source.kind() {
        io::ErrorKind::PermissionDenied => AdminError::NotAllowed(socket.to_owned()),
        _ => AdminError::NotRunning { socket: socket.to_owned(), source },
    }
}
